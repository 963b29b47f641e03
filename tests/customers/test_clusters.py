"""Clusters: judged by points, capped by two people, their members taken in from files."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, Unmet, WrongState
from branch.models import Event, ParameterValue, RoleAssignment, User
from branch.services.file_store import path_of
from customers.domain.clusters import ClusterFacts, score_cluster
from customers.models import Cluster, ClusterMember, ImportFinding, RecordImport, RecordSource
from customers.services import clusters, imports
from customers.services.intake.reading import Form, open_lines
from tests.customers.cluster_making import (
    EVALUATION,
    Sent,
    active_cluster,
    file_of,
    member_row,
    new_cluster,
    taken_in,
)
from tests.customers.making import event_names, make_customer, uscc_of

WEIGHTS = {
    "anchor_standing": 30, "anchor_years": 10, "members": 10, "churn": 15, "defaults": 25, "years_running": 10,
}  # fmt: skip
FACTS: dict[str, Any] = {
    "anchor_standing": "sound", "anchor_years": 12, "members_count": 200, "members_left": 8, "defaulted_members": 0,
    "years_running": 6,
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def visit(cast):
    def visit(username):
        client = Client()
        client.force_login(User.objects.get(username=username))
        return client

    return visit


# --- the score, worked out by hand


@pytest.mark.parametrize(
    ("changes", "total", "grade"),
    [
        # 80×30 + 100×10 + 100×10 + (8/208 = 3.8 %: 100)×15 + 100×25 + 100×10 = 9400
        ({}, 94, "A"),
        ({"anchor_standing": "leading"}, 100, "A"),
        # 10×30 + 0×10 + 20×10 + (1/6 = 16.7 %: 50)×15 + (1/5 = 20 %: 0)×25 + 20×10 = 1450
        (
            {
                "anchor_standing": "weak", "anchor_years": 0, "members_count": 5, "members_left": 1,
                "defaulted_members": 1, "years_running": 0,
            },
            15,
            "D",
        ),
        # 50×30 + 80×10 + 80×10 + (5/55 = 9.1 %: 80)×15 + (1/50 = 2 %: 50)×25 + 80×10 = 6350, rounded half up
        (
            {
                "anchor_standing": "ordinary", "anchor_years": 5, "members_count": 50, "members_left": 5,
                "defaulted_members": 1, "years_running": 3,
            },
            64,
            "C",
        ),
        # The same with one that never defaulted: 25 × 50 more points make 7600.
        (
            {
                "anchor_standing": "ordinary", "anchor_years": 5, "members_count": 50, "members_left": 5,
                "defaulted_members": 0, "years_running": 3,
            },
            76,
            "B",
        ),
        ({"members_count": 0, "members_left": 0}, 86, "A"),
    ],
)  # fmt: skip
def test_a_cluster_scores_as_worked_out_by_hand(changes, total, grade):
    score = score_cluster(ClusterFacts(**(FACTS | changes)), WEIGHTS)
    assert (score.total, score.grade) == (total, grade)


def test_weights_need_not_make_a_hundred_but_not_all_be_nothing():
    only = dict.fromkeys(WEIGHTS, 0) | {"churn": 7}
    assert score_cluster(ClusterFacts(**FACTS), only).total == 100
    with pytest.raises(ValueError, match="weight"):
        score_cluster(ClusterFacts(**FACTS), dict.fromkeys(WEIGHTS, 0))


# --- its life


def test_a_cluster_is_judged_by_one_and_capped_by_another(actor, cast):
    cluster = new_cluster(actor, anchor_uscc=uscc_of(7).lower())
    assert (cluster.owner, cluster.anchor_uscc, cluster.source.code) == (cast.lin, uscc_of(7), "cluster-hardware")
    with pytest.raises(Unmet):
        clusters.submit_cluster(actor=actor("lin"), cluster_id=cluster.pk)

    judged = clusters.evaluate_cluster(actor=actor("lin"), cluster_id=cluster.pk, **EVALUATION)
    assert [judged.score, judged.proposed_grade, judged.grade, judged.cap] == [94, "A", "", None]
    clusters.submit_cluster(actor=actor("lin"), cluster_id=cluster.pk)
    with pytest.raises(PermissionRefused):
        clusters.activate_cluster(actor=actor("lin"), cluster_id=cluster.pk)

    active = clusters.activate_cluster(actor=actor("sun"), cluster_id=cluster.pk)
    assert [active.state, active.grade, active.cap, active.member_cap] == ["active", "A", 50_000_000, 500_000]
    assert (active.cap_set_by, active.cap_set_on) == (cast.sun, cast.OPENING)
    assert event_names(active) == ["cluster.create", "cluster.evaluate", "cluster.submit", "cluster.activate"]


def test_a_new_cap_waits_for_a_second_person(actor, cast):
    cluster = active_cluster(actor)
    raised = EVALUATION | {"proposed_cap": Decimal(60_000_000), "anchor_standing": "weak"}
    clusters.evaluate_cluster(actor=actor("lin"), cluster_id=cluster.pk, **raised)
    standing = Cluster.objects.get(pk=cluster.pk)
    assert [standing.cap, standing.grade, standing.proposed_grade] == [50_000_000, "A", "B"]

    in_force = clusters.approve_cluster_cap(actor=actor("zhou"), cluster_id=cluster.pk)
    assert [in_force.cap, in_force.grade, in_force.cap_set_by] == [60_000_000, "B", cast.zhou]
    with pytest.raises(WrongState):
        clusters.approve_cluster_cap(actor=actor("zhou"), cluster_id=cluster.pk)


def test_who_proposed_the_caps_does_not_set_them(actor, cast):
    RoleAssignment.objects.create(
        user=cast.lin, role="branch_manager", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    cluster = new_cluster(actor)
    clusters.evaluate_cluster(actor=actor("lin"), cluster_id=cluster.pk, **EVALUATION)
    clusters.submit_cluster(actor=actor("lin"), cluster_id=cluster.pk)
    with pytest.raises(DutiesConflict):
        clusters.activate_cluster(actor=actor("lin"), cluster_id=cluster.pk)
    # The database holds to it as well.
    forged = {"state": "active", "cap": 1, "member_cap": 1, "cap_proposed_by": cast.lin, "cap_set_by": cast.lin}
    with pytest.raises(IntegrityError, match="cluster_cap_by_another"), transaction.atomic():
        Cluster.objects.filter(pk=cluster.pk).update(**forged)


def test_an_active_cluster_has_a_cap(actor):
    cluster = new_cluster(actor)
    with pytest.raises(IntegrityError, match="cluster_active_has_cap"), transaction.atomic():
        Cluster.objects.filter(pk=cluster.pk).update(state="active")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"proposed_member_cap": Decimal(60_000_000)}, "proposed_member_cap"),
        ({"proposed_cap": Decimal(0)}, "proposed_cap"),
        ({"proposed_cap": Decimal("1.001")}, "proposed_cap"),
        ({"members_left": -1}, "members_left"),
        ({"anchor_standing": "great"}, "anchor_standing"),
        ({"defaulted_members": 500}, "defaulted_members"),
        ({"years_running": None}, "years_running"),
    ],
)
def test_what_a_cluster_is_judged_by_is_checked_by_field(actor, changes, field):
    cluster = new_cluster(actor)
    with pytest.raises(InvalidInput) as refused:
        clusters.evaluate_cluster(actor=actor("lin"), cluster_id=cluster.pk, **(EVALUATION | changes))
    assert list(refused.value.fields) == [field]
    assert Cluster.objects.get().score is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "Ab"}, "code"), ({"kind": "club"}, "kind"), ({"name": " "}, "name"),
        ({"anchor_uscc": "91330212MA0000007Z"}, "anchor_uscc"),
    ],
)  # fmt: skip
def test_a_new_cluster_is_checked_by_field(actor, changes, field):
    with pytest.raises(InvalidInput) as refused:
        new_cluster(actor, **changes)
    assert list(refused.value.fields) == [field]
    assert not Cluster.objects.exists()
    assert not RecordSource.objects.exists()


def test_a_code_is_taken_once_and_stays(actor):
    cluster = new_cluster(actor)
    with pytest.raises(InvalidInput) as refused:
        new_cluster(actor)
    assert "code" in refused.value.fields
    with pytest.raises(InvalidInput):
        clusters.update_cluster(actor=actor("lin"), cluster_id=cluster.pk, code="other")
    clusters.update_cluster(actor=actor("lin"), cluster_id=cluster.pk, name="五金链")
    assert RecordSource.objects.get().name == "五金链"


def test_a_closed_cluster_takes_nothing_in(actor):
    cluster = active_cluster(actor)
    sent = clusters.take_in_members(actor=actor("lin"), cluster_id=cluster.pk, file=Sent(file_of([member_row(1)])))
    imports.start_import(actor=actor("lin"), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
    clusters.suspend_cluster(actor=actor("sun"), cluster_id=cluster.pk, reason="核心企业停产")
    clusters.resume_cluster(actor=actor("sun"), cluster_id=cluster.pk)
    clusters.close_cluster(actor=actor("zhou"), cluster_id=cluster.pk, reason="散了")
    with pytest.raises(WrongState):
        clusters.take_in_members(actor=actor("lin"), cluster_id=cluster.pk, file=Sent(file_of([member_row(1)])))
    imports.run_import(sent.pk)
    assert RecordImport.objects.get().state == "refused"
    assert not ClusterMember.objects.exists()


def test_a_cluster_is_handed_over_by_the_manager_alone_and_the_former_owner_is_out(cast, actor):
    cluster = active_cluster(actor)
    other = User.objects.create_user(username="wei", display_name="韦")
    RoleAssignment.objects.create(
        user=other, role="account_manager", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    with pytest.raises(PermissionRefused):
        clusters.reassign_cluster(actor=actor("lin"), cluster_id=cluster.pk, owner_id=other.pk, reason="试")
    with pytest.raises(InvalidInput):
        clusters.reassign_cluster(
            actor=actor("zhou"), cluster_id=cluster.pk, owner_id=cast.sun.pk, reason="不是客户经理"
        )

    clusters.reassign_cluster(actor=actor("zhou"), cluster_id=cluster.pk, owner_id=other.pk, reason="休产假")

    event = Event.objects.get(name="cluster.reassign")
    assert (event.before["owner_id"], event.after["owner_id"], event.reason) == (cast.lin.pk, other.pk, "休产假")
    assert Cluster.objects.get(pk=cluster.pk).owner == other
    with pytest.raises((PermissionRefused, NotFound)):
        clusters.take_in_members(actor=actor("lin"), cluster_id=cluster.pk, rows=[{"name": "甲五金"}])
    clusters.close_cluster(actor=actor("zhou"), cluster_id=cluster.pk, reason="散了")
    with pytest.raises(WrongState):
        clusters.reassign_cluster(actor=actor("zhou"), cluster_id=cluster.pk, owner_id=cast.lin.pk, reason="晚了")


# --- members


def findings(done):
    rows = ImportFinding.objects.filter(record_import=done).order_by("line", "code")
    return [(row.line, row.field, row.weight, row.code) for row in rows]


def test_members_come_in_with_where_they_stood(actor):
    cluster = new_cluster(actor)
    known = make_customer(actor("lin"), 1)
    left = member_row(2) | {"统一社会信用代码": "", "年交易额": "1,250,000.50", "合作年限": "２.5", "是否逾期": "有"}
    done = taken_in(actor, cluster, [member_row(1) | {"统一社会信用代码": uscc_of(1).lower()}, left])

    assert (done.state, done.counts) == ("done", {"rows": 2, "accepted": 2})
    first, second = ClusterMember.objects.order_by("line")
    assert (first.cluster, first.customer, first.uscc, first.role) == (cluster, known, uscc_of(1), "supplier")
    assert (first.phone, first.contact_name, first.employees, first.has_overdue) == ("13800138000", "王", 12, False)
    assert (first.line, first.record_import, first.left_on) == (2, done, None)
    assert (second.annual_trade, second.years_with_anchor, second.has_overdue, second.customer) == (
        Decimal("1250000.50"), Decimal("2.5"), True, None,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT phone FROM customers_clustermember WHERE id = %s", [first.pk])
        assert "13800138000" not in cursor.fetchone()[0]


def test_each_bad_row_says_why_and_the_good_ones_stay(actor):
    rows = [
        member_row(1),
        member_row(2) | {"企业名称": ""},
        member_row(3) | {"统一社会信用代码": "91330212MA0000007Z"},
        member_row(4) | {"角色": "邻居"},
        member_row(5) | {"合作年限": "三年"},
        member_row(6) | {"年交易额": "-1"},
        member_row(7) | {"人数": "1.5"},
        member_row(8) | {"是否逾期": "也许"},
        member_row(9) | {"手机": "12"},
        member_row(10) | {"企业名称": "长" * 121},
    ]
    done = taken_in(actor, new_cluster(actor), rows)
    assert findings(done) == [
        (3, "name", "rejected", "missing"),
        (4, "uscc", "rejected", "not_a_uscc"),
        (5, "role", "rejected", "unknown_role"),
        (6, "years_with_anchor", "rejected", "not_a_number"),
        (7, "annual_trade", "rejected", "not_a_number"),
        (8, "employees", "rejected", "not_a_number"),
        (9, "has_overdue", "rejected", "not_yes_or_no"),
        (10, "phone", "flagged", "not_a_phone"),
        (11, "name", "rejected", "too_long"),
    ]
    assert done.counts == {"rows": 10, "accepted": 2, "rejected": 8}
    assert ClusterMember.objects.get(line=10).phone == ""


def test_a_row_sent_again_replaces_and_the_event_tells(actor):
    cluster = new_cluster(actor)
    taken_in(actor, cluster, [member_row(1), member_row(2)])
    later = member_row(2) | {"年交易额": "2000000", "手机": "13900139000"}
    done = taken_in(actor, cluster, [member_row(1), later, member_row(3)])

    assert done.counts == {"rows": 3, "accepted": 1, "replaced": 1, "unchanged": 1}
    changed = ClusterMember.objects.get(name="成员0002五金店")
    assert [changed.annual_trade, changed.phone, changed.record_import] == [2_000_000, "13900139000", done]
    event = Event.objects.get(name="clustermember.replace")
    assert (event.before["annual_trade"], event.after["annual_trade"]) == ("1000000.00", "2000000.00")
    assert "139" not in str(event.after.get("phone", ""))
    assert Event.objects.filter(name="cluster.take_in").count() == 2


def test_a_member_is_known_again_by_name_until_it_has_a_code(actor):
    cluster = new_cluster(actor)
    bare = member_row(1) | {"统一社会信用代码": ""}
    taken_in(actor, cluster, [bare | {"企业名称": "鑫達 五金（宁波）"}])
    taken_in(actor, cluster, [member_row(1) | {"企业名称": "鑫达五金(宁波)"}])
    member = ClusterMember.objects.get()
    assert (member.uscc, member.name) == (uscc_of(10_001), "鑫达五金(宁波)")
    # And a row without the code does not take it away.
    done = taken_in(actor, cluster, [bare | {"企业名称": "鑫达五金宁波", "年交易额": "5"}])
    member = ClusterMember.objects.get()
    assert [member.uscc, member.annual_trade, done.counts["replaced"]] == [uscc_of(10_001), 5, 1]


def test_the_last_of_several_rows_of_a_member_stands(actor):
    done = taken_in(actor, new_cluster(actor), [member_row(1), member_row(1) | {"年交易额": "7"}])
    assert ClusterMember.objects.get().annual_trade == 7
    assert findings(done) == [(2, "", "noted", "sent_twice")]
    assert done.counts == {"rows": 2, "accepted": 1, "overtaken": 1}


def test_a_file_without_a_column_leaves_what_was_known(actor):
    cluster = new_cluster(actor)
    taken_in(actor, cluster, [member_row(1)])
    done = taken_in(actor, cluster, f"企业名称,信用代码,年交易额\n改名五金,{uscc_of(10_001)},9\n".encode())
    member = ClusterMember.objects.get()
    assert [member.name, member.annual_trade, member.phone, member.employees] == ["改名五金", 9, "13800138000", 12]
    assert done.counts["replaced"] == 1


def test_a_worker_that_dies_between_chunks_goes_on(actor):
    ParameterValue.objects.create(code="import.chunk_rows", value=100, effective_date=date(2020, 1, 1))
    cluster = new_cluster(actor)
    sent = clusters.take_in_members(
        actor=actor("lin"), cluster_id=cluster.pk, file=Sent(file_of(member_row(n) for n in range(250)))
    )
    imports.start_import(actor=actor("lin"), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
    with open_lines(path_of(sent.storage_name), Form(**sent.form)) as lines:
        imports.import_chunk(record_import_id=sent.pk, chunk=0, stream=lines)
    assert ClusterMember.objects.count() == 100
    imports.run_import(sent.pk)
    assert ClusterMember.objects.count() == 250
    assert RecordImport.objects.get().counts == {"rows": 250, "accepted": 250}


def test_members_come_in_by_their_clusters_source_and_its_manager_alone(actor, cast):
    cluster = new_cluster(actor)
    tax = RecordSource.objects.create(office=cast.offices.HO, code="tax", name="税务")
    for source, layout in ((tax, "cluster_members"), (cluster.source, "sales_invoices")):
        with pytest.raises(InvalidInput) as refused:
            imports.receive_import(
                actor=actor("lin"), source_id=source.pk, layout=layout, file=Sent(file_of([member_row(1)]))
            )
        assert "source_id" in refused.value.fields
    with pytest.raises(NotFound):
        clusters.take_in_members(actor=actor("outsider"), cluster_id=cluster.pk, file=Sent(b"a,b\n"))
    with pytest.raises(PermissionRefused):
        clusters.take_in_members(actor=actor("zhou"), cluster_id=cluster.pk, file=Sent(b"a,b\n"))
    # Somebody who may send files of the office, but does not look after the cluster.
    sent = imports.receive_import(
        actor=actor("he"), source_id=cluster.source_id, layout="cluster_members", file=Sent(file_of([member_row(1)])),
        start=True,
    )  # fmt: skip
    imports.run_import(sent.pk)
    assert RecordImport.objects.get(pk=sent.pk).state == "refused"
    assert not ClusterMember.objects.exists()


# --- pages


def test_the_clusters_page_asks_as_often_with_many_members_as_with_few(actor, visit):
    cluster = active_cluster(actor)
    make_customer(actor("lin"), 101, uscc=uscc_of(10_001))
    taken_in(actor, cluster, [member_row(1)])
    client = visit("lin")

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            page = client.get(f"/clusters/{cluster.pk}/")
            members = client.get(f"/cluster-members/?cluster={cluster.pk}")
        assert page.status_code == members.status_code == 200
        return len(asked)

    queries()  # what is remembered from the first page on
    few = queries()
    for number in range(2, 9):
        make_customer(actor("lin"), 100 + number, uscc=uscc_of(10_000 + number))
    taken_in(actor, cluster, [member_row(number) for number in range(2, 20)])
    assert queries() == few


def test_the_page_shows_score_caps_and_members(actor, visit):
    cluster = active_cluster(actor)
    taken_in(actor, cluster, [member_row(1)])
    page = visit("sun").get(f"/clusters/{cluster.pk}/").content.decode()
    for text in ("94 / 100", "50,000,000", "成员0001五金店", "鑫达五金集团"):
        assert text in page
    member = visit("lin").get(f"/cluster-members/{ClusterMember.objects.get().pk}/").content.decode()
    assert "138****8000" in member
    assert "13800138000" not in member
    assert visit("he").get(f"/clusters/{cluster.pk}/").status_code == 403
    assert visit("outsider").get(f"/clusters/{cluster.pk}/").status_code == 404


def test_who_sets_caps_finds_what_waits_and_who_proposed_does_not(actor, visit):
    cluster = active_cluster(actor)
    assert "五金产业链" not in visit("sun").get("/").content.decode()
    clusters.evaluate_cluster(
        actor=actor("lin"), cluster_id=cluster.pk, **(EVALUATION | {"proposed_cap": Decimal(60_000_000)})
    )
    assert "五金产业链" in visit("sun").get("/").content.decode()
    assert "五金产业链" not in visit("lin").get("/").content.decode()
    assert "五金产业链" in visit("lin").get("/search/?q=鑫达五金集团").content.decode()
