"""Pre-screening of a cluster's members: the table as shipped, runs that are taken up again, leads made of members."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused, Unmet, WrongState
from branch.models import ParameterValue, User
from customers.domain.prescreen import FACTS, SHIPPED, Outcome, Table, TableError, check_table
from customers.models import ClusterMember, Lead, PrescreenModel, PrescreenResult, PrescreenRun
from customers.queries.prescreens import facts_of, reason_words
from customers.services import clusters, leads, prescreen_models, prescreens
from tests.customers.cluster_making import EVALUATION, active_cluster, member_row, taken_in
from tests.customers.making import make_customer, uscc_of

# --- the table as shipped, worked out by hand


@pytest.mark.parametrize(
    ("changes", "outcome", "amount", "reasons"),
    [
        # 20 % of a million in grade A, 15 % in B, 10 % in C; whole thousands, downward.
        ({}, "fit", 200_000, []),
        ({"cluster_grade": "B"}, "fit", 150_000, []),
        ({"cluster_grade": "C"}, "fit", 100_000, []),
        ({"annual_trade": 1_234_567.89, "trade_share": 0.3}, "fit", 246_000, []),
        # No more than the cap per member.
        ({"annual_trade": 2_600_000.0}, "fit", 500_000, []),
        ({"member_cap": 99_999.99}, "fit", 99_000, []),
        # Where documents are in, what they carry counts instead of trade.
        ({"has_documents": True, "financeable_amount": 333_333.33}, "fit", 333_000, []),
        ({"has_documents": True, "financeable_amount": 0.0}, "refer", 0, ["amount_too_small"]),
        ({"cluster_grade": "D"}, "refer", 0, ["cluster_grade", "amount_too_small"]),
        ({"has_overdue": True}, "unfit", 0, ["overdue"]),
        ({"standing": "good"}, "fit", 200_000, []),
        ({"standing": "watch"}, "refer", 0, ["watch_standing"]),
        ({"standing": "bad"}, "unfit", 0, ["bad_standing"]),
        ({"is_duplicate": True}, "refer", 0, ["duplicate"]),
        ({"years_with_anchor": None}, "refer", 0, ["years_unknown"]),
        ({"years_with_anchor": 0.0}, "unfit", 0, ["years_too_few"]),
        ({"years_with_anchor": 0.9}, "unfit", 0, ["years_too_few"]),
        ({"years_with_anchor": 1.0}, "refer", 0, ["years_few"]),
        ({"years_with_anchor": 1.9}, "refer", 0, ["years_few"]),
        ({"years_with_anchor": 2.0}, "fit", 200_000, []),
        ({"annual_trade": None, "trade_share": None}, "refer", 0, ["trade_unknown", "amount_too_small"]),
        ({"annual_trade": 99_999.99}, "unfit", 0, ["trade_too_small"]),
        ({"annual_trade": 100_000.0}, "fit", 20_000, []),
        ({"annual_trade": 100_000.0, "cluster_grade": "C"}, "fit", 10_000, []),
        ({"annual_sales": None, "trade_share": None}, "fit", 200_000, []),
        ({"trade_share": 0.7}, "fit", 200_000, []),
        ({"trade_share": 0.71}, "refer", 0, ["depends_on_anchor"]),
        ({"trade_share": 1.0}, "refer", 0, ["depends_on_anchor"]),
        ({"trade_share": 1.01}, "refer", 0, ["trade_above_sales"]),
        # All that speaks against a member is told, and the worst of it decides.
        (
            {"has_overdue": True, "is_duplicate": True, "years_with_anchor": 1.5},
            "unfit",
            0,
            ["overdue", "duplicate", "years_few"],
        ),
    ],
)
def test_the_shipped_table_answers_as_worked_out_by_hand(changes, outcome, amount, reasons):
    answer = Table(SHIPPED).ask({**FACTS, **changes})
    assert (answer.outcome, answer.amount) == (outcome, Decimal(amount))
    assert [reason["code"] for reason in answer.reasons] == reasons


def broken(change) -> dict[str, Any]:
    content = copy.deepcopy(SHIPPED)
    change(content)
    return content


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"nodes": [], "edges": []},
        {**SHIPPED, "edges": []},
        broken(lambda content: content["nodes"][3]["content"]["expressions"].pop(0)),
        broken(lambda content: content["nodes"][3]["content"]["expressions"][1].update(value="'much'")),
        broken(lambda content: content["nodes"][3]["content"]["expressions"][1].update(value="-1")),
        broken(lambda content: content["nodes"][3]["content"]["expressions"][2].update(value="'none'")),
        broken(lambda content: content["nodes"][1].update(type="functionNode")),
        {**SHIPPED, "filler": "x" * 600_000},
    ],
    ids=["nothing", "no nodes", "no edges", "no outcome", "amount a word", "below zero", "reasons a word", "program",
         "too large"],
)  # fmt: skip
def test_what_is_no_table_is_told_before_anything_is_asked_of_it(content):
    with pytest.raises(TableError):
        check_table(content)


def test_no_table_gives_more_than_the_cap_per_member():
    generous = broken(lambda content: content["nodes"][3]["content"]["expressions"][1].update(value="1e12"))
    answer = Table(generous).ask(FACTS)
    assert (answer.outcome, answer.amount) == (Outcome.FIT, Decimal(500_000))


def test_every_reason_of_the_shipped_table_has_words_in_both_languages():
    rules = SHIPPED["nodes"][2]["content"]["rules"]
    codes = [rule["out_code"].strip("'") for rule in rules]
    told = [{"code": code, "value": 0.5} for code in codes]
    with translation.override("en"):
        english = reason_words(told)
    with translation.override("zh-hans"):
        chinese = reason_words(told)
    assert len(set(english)) == len(codes)
    assert all(any("\u4e00" <= sign <= "\u9fff" for sign in word) for word in chinese)


# --- runs


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


@pytest.fixture
def cluster(actor):
    return active_cluster(actor)


def small_chunks(size: int) -> None:
    ParameterValue.objects.create(code="prescreen.chunk_members", value=size, effective_date="2020-01-01")


def run_whole(actor, cluster) -> PrescreenRun:
    started = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    prescreens.run_prescreen(started.pk)
    return PrescreenRun.objects.get(pk=started.pk)


def test_all_present_members_are_prescreened_and_counted(actor, cluster):
    rows = [
        member_row(1),
        member_row(2, 年交易额="500000"),
        member_row(3, 是否逾期="是"),
        member_row(4, 合作年限="1"),
        member_row(5, 企业名称="成员0004 五金店"),
    ]
    taken_in(actor, cluster, rows)
    ClusterMember.objects.filter(line=2).update(left_on="2026-01-01")

    run = run_whole(actor, cluster)

    assert (run.state, run.members_done, run.percent_done) == ("done", 4, 100)
    assert run.counts == {"fit": 1, "refer": 2, "unfit": 1}
    assert run.amount_total == 100_000
    found: dict[int, Any] = {
        result.member.line: (result.outcome, result.amount, [reason["code"] for reason in result.reasons])
        for result in PrescreenResult.objects.all()
    }
    assert found == {
        3: ("fit", 100_000, []),
        4: ("unfit", 0, ["overdue"]),
        5: ("refer", 0, ["duplicate", "years_few"]),
        6: ("refer", 0, ["duplicate"]),
    }
    assert PrescreenResult.objects.get(member__line=3).facts["trade_share"] == 0.125


def test_a_worker_killed_between_chunks_is_taken_over_and_nobody_is_asked_twice(actor, cluster):
    small_chunks(10)
    taken_in(actor, cluster, [member_row(n) for n in range(25)])
    run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    assert prescreens.prescreen_chunk(prescreen_run_id=run.pk, chunk=0)
    # The first worker is gone; somebody who still holds its chunk does nothing.
    assert not prescreens.prescreen_chunk(prescreen_run_id=run.pk, chunk=0)
    half = PrescreenRun.objects.get()
    assert (half.members_done, half.percent_done, half.counts) == (10, 40, {"fit": 10})
    assert prescreens.waiting_prescreens() == [run.pk]

    assert prescreens.run_prescreen(run.pk)
    done = PrescreenRun.objects.get()
    assert (done.state, done.members_done, done.counts) == ("done", 25, {"fit": 25})
    assert PrescreenResult.objects.count() == 25
    assert not prescreens.run_prescreen(run.pk)


def test_what_breaks_inside_a_chunk_leaves_nothing_of_it_and_is_tried_again(actor, cluster, monkeypatch):
    small_chunks(10)
    taken_in(actor, cluster, [member_row(n) for n in range(15)])
    run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    whole = facts_of
    calls = []

    def once_broken(members, run):
        calls.append(len(members))
        if len(calls) == 2:
            raise ConnectionError("gone")
        return whole(members, run)

    monkeypatch.setattr(prescreens, "facts_of", once_broken)
    with pytest.raises(ConnectionError):
        prescreens.run_prescreen(run.pk)
    noted = PrescreenRun.objects.get()
    assert (noted.state, noted.members_done, noted.attempts, noted.last_error) == (
        "running", 10, 1, "ConnectionError: gone",
    )  # fmt: skip
    prescreens.run_prescreen(run.pk)
    assert PrescreenRun.objects.get().counts == {"fit": 15}


def test_a_run_that_breaks_again_and_again_has_failed_and_another_may_start(actor, cluster, monkeypatch):
    taken_in(actor, cluster, [member_row(1)])
    run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)

    def broken_always(members, run):
        raise ConnectionError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(prescreens, "facts_of", broken_always)
        for _attempt in range(prescreens.MOST_ATTEMPTS):
            with pytest.raises(ConnectionError):
                prescreens.run_prescreen(run.pk)
    assert PrescreenRun.objects.get().state == "failed"
    assert run_whole(actor, cluster).state == "done"


def test_one_runs_at_a_time_and_only_in_an_active_cluster_with_members(actor, cluster):
    with pytest.raises(Unmet):
        prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    taken_in(actor, cluster, [member_row(1)])
    with pytest.raises(PermissionRefused):
        prescreens.start_prescreen(actor=actor("sun"), cluster_id=cluster.pk)
    prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    with pytest.raises(WrongState):
        prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    clusters.suspend_cluster(actor=actor("sun"), cluster_id=cluster.pk, reason="停产")
    with pytest.raises(WrongState):
        prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)


def test_earlier_results_are_kept_as_they_were(actor, cluster):
    taken_in(actor, cluster, [member_row(1)])
    first = run_whole(actor, cluster)
    clusters.evaluate_cluster(
        actor=actor("lin"), cluster_id=cluster.pk, **(EVALUATION | {"proposed_member_cap": Decimal(50_000)})
    )
    clusters.approve_cluster_cap(actor=actor("sun"), cluster_id=cluster.pk)
    second = run_whole(actor, cluster)
    amounts = dict(PrescreenResult.objects.values_list("run_id", "amount"))
    assert amounts == {first.pk: 200_000, second.pk: 50_000}


def test_chunks_ask_as_often_for_many_members_as_for_one(actor, cluster):
    taken_in(actor, cluster, [member_row(n) for n in range(30)])
    make_customer(actor("lin"), 1)
    run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)

    def asked(size: int, chunk: int) -> int:
        ParameterValue.objects.filter(code="prescreen.chunk_members").delete()
        small_chunks(size)
        with CaptureQueriesContext(connection) as queries:
            prescreens.prescreen_chunk(prescreen_run_id=run.pk, chunk=chunk)
        return len(queries)

    assert asked(1, 0) == asked(20, 1)


# --- the table in versions


def test_a_table_is_drafted_by_one_and_activated_by_another(actor, cluster):
    strict = broken(lambda content: content["nodes"][3]["content"]["expressions"][1].update(value="1000"))
    row = prescreen_models.draft_prescreen_model(actor=actor("zhou"), values=strict)
    prescreen_models.submit_prescreen_model(actor=actor("zhou"), prescreen_model_id=row.pk)
    with pytest.raises(DutiesConflict):
        prescreen_models.activate_prescreen_model(actor=actor("zhou"), prescreen_model_id=row.pk)
    taken_in(actor, cluster, [member_row(1)])
    shipped = run_whole(actor, cluster)
    prescreen_models.activate_prescreen_model(actor=actor("qian"), prescreen_model_id=row.pk)
    own = run_whole(actor, cluster)

    assert [shipped.prescreen_model, shipped.amount_total] == [None, 200_000]
    assert [own.prescreen_model, own.amount_total] == [PrescreenModel.objects.get(), 1_000]


def test_what_is_no_table_is_not_drafted(actor):
    with pytest.raises(InvalidInput) as refused:
        prescreen_models.draft_prescreen_model(actor=actor("zhou"), values={"nodes": []})
    assert list(refused.value.fields) == ["table"]
    with pytest.raises(PermissionRefused):
        prescreen_models.draft_prescreen_model(actor=actor("lin"), values=SHIPPED)


# --- leads


def made(rows):
    return [(row.name, row.outcome) for row in rows]


def test_leads_are_made_row_by_row_and_only_once(actor, cluster):
    make_customer(actor("lin"), 1)
    rows = [
        member_row(1, 手机="13800000001"),
        member_row(2, 手机="13800000002", 联系人=""),
        member_row(3, 手机="13800000003", 统一社会信用代码=uscc_of(1)),
    ]
    taken_in(actor, cluster, rows)
    run_whole(actor, cluster)
    ids = list(ClusterMember.objects.values_list("pk", flat=True))

    first = prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=ids)
    assert made(first) == [("成员0001五金店", "made"), ("成员0002五金店", "refused"), ("成员0003五金店", "refused")]
    assert first[1].reason == "The contact person is not known."
    assert "customer already" in first[2].reason
    lead = Lead.objects.get()
    assert [lead.source, lead.wanted_amount, lead.uscc, lead.phone, lead.cluster_member.line] == [
        "cluster", 200_000, uscc_of(10_001), "13800000001", 2,
    ]  # fmt: skip
    again = prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=ids)
    assert made(again)[0] == ("成员0001五金店", "open")
    assert Lead.objects.count() == 1
    # Once it is lost, another may be made.
    leads.lose_lead(actor=actor("lin"), lead_id=lead.pk, code="no_need")
    third = prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=ids[:1])
    assert made(third) == [("成员0001五金店", "made")]


def test_one_that_looks_like_a_lead_on_file_is_made_when_a_person_says_so(actor, cluster):
    taken_in(actor, cluster, [member_row(1), member_row(2)])
    ids = list(ClusterMember.objects.order_by("pk").values_list("pk", flat=True))
    first = prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=ids)
    assert [row.outcome for row in first] == ["made", "refused"]
    second = prescreens.make_cluster_leads(
        actor=actor("lin"), cluster_id=cluster.pk, member_ids=ids[1:], capture_anyway=True, anyway_reason="另一家店"
    )
    assert [row.outcome for row in second] == ["made"]


def test_all_that_are_fit_in_a_run_become_leads_at_once(actor, cluster):
    rows = [member_row(n, 手机=f"1380000{n:04d}", 是否逾期="是" if n % 3 == 0 else "否") for n in range(9)]
    taken_in(actor, cluster, rows)
    run = run_whole(actor, cluster)
    told = prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, prescreen_run_id=run.pk)
    assert {row.outcome for row in told} == {"made"}
    assert Lead.objects.count() == 6
    assert not prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, prescreen_run_id=run.pk)


def test_members_of_another_cluster_make_no_leads(actor, cluster):
    other = active_cluster(actor, code="other")
    taken_in(actor, other, [member_row(1)])
    ids = list(ClusterMember.objects.values_list("pk", flat=True))
    for chosen in (ids, []):
        with pytest.raises(InvalidInput):
            prescreens.make_cluster_leads(actor=actor("lin"), cluster_id=cluster.pk, member_ids=chosen)
    with pytest.raises(PermissionRefused):
        prescreens.make_cluster_leads(actor=actor("zhou"), cluster_id=other.pk, member_ids=ids)
    assert not Lead.objects.exists()


# --- pages


@pytest.fixture
def visit(cast):
    def visit(username):
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(username=username))
        return client

    return visit


def test_the_list_of_results_is_filtered_by_outcome_and_reason_and_says_why(actor, cluster, visit):
    taken_in(actor, cluster, [member_row(1), member_row(2, 是否逾期="是"), member_row(3, 合作年限="1.5")])
    run = run_whole(actor, cluster)
    client = visit("lin")
    where = f"/prescreen-results/?run={run.pk}"
    page = client.get(where).content.decode()
    assert page.count('name="member_ids"') == 2
    assert all(text in page for text in ("200,000.00", "Overdue with the anchor", "Only 1.5 years with the anchor"))
    assert "成员0003" not in client.get(f"{where}&outcome=fit").content.decode()
    assert "成员0001" not in client.get(f"{where}&reason=years_few").content.decode()
    exported = client.get(f"/prescreen-results/export.csv?run={run.pk}&sort=-amount").getvalue().decode()
    assert "Only 1.5 years with the anchor" in exported
    assert "member_ids" not in exported
    # Who may not make leads has no boxes to tick for them.
    assert 'id="make-leads"' not in visit("sun").get(where).content.decode()


def test_the_list_asks_as_often_with_many_results_as_with_few(actor, cluster, visit):
    taken_in(actor, cluster, [member_row(1)])
    few = run_whole(actor, cluster)
    taken_in(actor, cluster, [member_row(n) for n in range(2, 22)])
    many = run_whole(actor, cluster)
    client = visit("lin")

    def asked(run) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/prescreen-results/?run={run.pk}").status_code == 200
        return len(queries)

    asked(few)
    assert asked(many) == asked(few)


def test_the_report_of_leads_is_a_page(actor, cluster, visit):
    taken_in(actor, cluster, [member_row(1), member_row(2, 联系人="")])
    ids = list(ClusterMember.objects.order_by("pk").values_list("pk", flat=True))
    page = visit("lin").post(f"/clusters/{cluster.pk}/make-leads/", {"member_ids": ids}).content.decode()
    assert "成员0001五金店" in page
    assert "The contact person is not known." in page
    nothing = visit("lin").post(f"/clusters/{cluster.pk}/make-leads/", {})
    assert nothing.status_code == 400 or nothing.status_code == 422
