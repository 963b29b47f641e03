"""Orders and receivables of a cluster: taken in, replaced, and what they carry as a loan."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import translation

from branch.models import Event, ParameterValue
from customers.domain.financeable import Document, Terms, financeable
from customers.models import ChainDocument, ClusterMember, ImportFinding, PrescreenResult, RecordImport
from customers.services import clusters, imports, prescreens
from customers.services.financeable import terms_in_force, work_out
from tests.customers.cluster_making import EVALUATION, Sent, active_cluster, member_row, new_cluster, taken_in
from tests.customers.making import uscc_of

TODAY = date(2026, 3, 2)
TERMS = Terms(Decimal("0.80"), Decimal("0.30"), 30)


@pytest.fixture(autouse=True)
def in_english():
    with translation.override("en"):
        yield


# --- the formula, worked out by hand


@pytest.mark.parametrize(
    ("documents", "cap", "expected"),
    [
        ([], None, (0, 0, 0, 0)),
        # 100,000 × 80 % + 50,000 × 30 %
        ([(True, "100000", None), (False, "50000", None)], None, (100_000, 0, 50_000, 95_000)),
        ([(True, "100000", None), (False, "50000", None)], 60_000, (100_000, 0, 50_000, 60_000)),
        # Due 31 January is 30 days overdue on 2 March and counts; a day earlier is late.
        ([(True, "100", "2026-01-31")], None, (100, 0, 0, 80)),
        ([(True, "100", "2026-01-30")], None, (0, 100, 0, 0)),
        # An order is never late, and a cent is rounded half up: 0.05 × 30 % = 0.015.
        ([(False, "0.05", "2020-01-01")], None, (0, 0, "0.05", "0.02")),
    ],
)
def test_what_documents_carry_is_as_worked_out_by_hand(documents, cap, expected):
    given = [Document(kind, Decimal(open_), date.fromisoformat(due) if due else None) for kind, open_, due in documents]
    found = financeable(given, TODAY, TERMS, Decimal(cap) if cap else None)
    assert (found.receivables, found.late_receivables, found.orders, found.amount) == tuple(map(Decimal, expected))


def test_the_database_works_out_what_the_formula_says(actor):
    """Two hundred members with random documents, under the cap and over it."""
    cluster = active_cluster(actor)
    done = taken_in(actor, cluster, [member_row(number) for number in range(200)])
    chance = random.Random(7)
    rows = []
    for member in ClusterMember.objects.all():
        for number in range(chance.randrange(6)):
            amount = Decimal(chance.randrange(1, 50_000_000)) / 100
            rows.append(
                ChainDocument(
                    cluster=cluster, member=member, kind=chance.choice(["order", "receivable"]), number=str(number),
                    amount=amount, open_amount=(amount * chance.randrange(101) / 100).quantize(Decimal("0.01")),
                    issued_on=TODAY, record_import=done, line=1,
                    due_on=chance.choice([None, TODAY - timedelta(days=chance.randrange(-5, 60))]),
                )
            )  # fmt: skip
    ChainDocument.objects.bulk_create(rows)

    with_documents = {row.member_id for row in rows}
    assert work_out(cluster, TODAY) == len(with_documents)
    capped = 0
    for member in ClusterMember.objects.prefetch_related("documents"):
        if member.pk not in with_documents:
            assert member.financeable_amount is None
            continue
        documents = [Document(row.kind == "receivable", row.open_amount, row.due_on) for row in member.documents.all()]
        expected = financeable(documents, TODAY, terms_in_force(TODAY), cluster.member_cap)
        assert member.financeable_amount == expected.amount
        assert (member.receivables_open, member.receivables_late, member.orders_open) == (
            expected.receivables, expected.late_receivables, expected.orders,
        )  # fmt: skip
        capped += expected.amount == cluster.member_cap
    assert 0 < capped < len(with_documents)


# --- files


HEAD = "成员,单据类型,单据编号,金额,未付金额,单据日期,到期日"


@pytest.fixture
def cluster(actor):
    cluster = active_cluster(actor)
    taken_in(actor, cluster, [member_row(1), member_row(2) | {"统一社会信用代码": ""}])
    return cluster


@pytest.fixture
def send(actor, cluster):
    def send(*lines: str) -> RecordImport:
        content = "\n".join((HEAD, *lines, "")).encode("gb18030")
        sent = clusters.take_in_documents(actor=actor("lin"), cluster_id=cluster.pk, file=Sent(content))
        imports.start_import(actor=actor("lin"), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
        imports.run_import(sent.pk)
        return RecordImport.objects.get(pk=sent.pk)

    return send


def member(number: int) -> ClusterMember:
    return ClusterMember.objects.get(name=f"成员{number:04d}五金店")


def test_documents_come_in_and_members_have_their_amount(send, cluster):
    done = send(
        f'{uscc_of(10_001)},应收,R1,"100,000.00",80000,2026-01-05,2026-04-05',
        "成员0001 五金店,订单,P1,50000,,2026-02-05,",
        "成员0002五金店,应收账款,R1,100,100,2026-01-05,2026-01-01",
    )
    assert done.counts == {"rows": 3, "accepted": 3}
    # 80,000 × 80 % + 50,000 × 30 %
    assert member(1).financeable_amount == 79_000
    late = member(2)
    assert [late.financeable_amount, late.receivables_late, late.financeable_on] == [0, 100, TODAY]
    assert ChainDocument.objects.get(kind="order").open_amount == 50_000


def test_a_document_sent_again_replaces_and_the_former_is_kept(send):
    send(f"{uscc_of(10_001)},应收,R1,100000,100000,2026-01-05,2026-04-05", "成员0002五金店,订单,P,10,,2026-02-05,")
    done = send(f"{uscc_of(10_001)},应收,R1,100000,0,2026-01-05,2026-04-05", "成员0002五金店,订单,P,10,,2026-02-05,")
    assert done.counts == {"rows": 2, "replaced": 1, "unchanged": 1}
    former, present = ChainDocument.objects.filter(number="R1").order_by("pk")
    assert former.superseded_at is not None
    assert [former.open_amount, present.open_amount, member(1).financeable_amount] == [100_000, 0, 0]
    assert Event.objects.filter(name="cluster.take_in_documents").count() == 2


def test_each_bad_document_says_why_and_the_good_ones_stay(send):
    done = send(
        "谁也不是,应收,R1,1,1,2026-01-05,",
        f"{uscc_of(10_001)},收据,R1,1,1,2026-01-05,",
        f"{uscc_of(10_001)},应收,,1,1,2026-01-05,",
        f"{uscc_of(10_001)},应收,R1,一,1,2026-01-05,",
        f"{uscc_of(10_001)},应收,R1,1,2,2026-01-05,",
        f"{uscc_of(10_001)},应收,R1,1,1,2026-13-05,",
        f"{uscc_of(10_001)},应收,R1,1,1,2026-03-05,",
        f"{uscc_of(10_001)},应收,R1,1,1,2026-01-05,以后",
        f"{uscc_of(10_001)},应收,R9,5,1,2026-01-05,",
        f"{uscc_of(10_001)},应收,R9,5,2,2026-01-05,",
    )
    rows = ImportFinding.objects.filter(record_import=done).order_by("line").values_list("line", "field", "code")
    assert list(rows) == [
        (2, "member", "unknown_member"),
        (3, "document_kind", "unknown_kind"),
        (4, "document_number", "missing"),
        (5, "document_amount", "not_an_amount"),
        (6, "open_amount", "open_above_amount"),
        (7, "issued_on", "not_a_date"),
        (8, "issued_on", "future"),
        (9, "due_on", "not_a_date"),
        (10, "document_number", "document_twice"),
    ]
    assert done.counts == {"rows": 10, "rejected": 8, "accepted": 1, "overtaken": 1}
    assert ChainDocument.objects.get().open_amount == 2


def test_prescreening_goes_by_documents_where_there_are_any_as_of_its_own_day(send, actor, cluster):
    send(f"{uscc_of(10_001)},应收,R1,100000,100000,2026-01-05,2026-04-05")
    ParameterValue.objects.create(code="chain.advance_share", value="0.50", effective_date="2020-01-01")
    run = prescreens.start_prescreen(actor=actor("lin"), cluster_id=cluster.pk)
    prescreens.run_prescreen(run.pk)
    amounts = dict(PrescreenResult.objects.values_list("member__name", "amount"))
    assert amounts == {"成员0001五金店": 50_000, "成员0002五金店": 200_000}
    assert PrescreenResult.objects.get(amount=50_000).facts["has_documents"] is True


def test_a_new_cap_per_member_caps_what_documents_carry(send, actor, cluster):
    send(f"{uscc_of(10_001)},应收,R1,600000,600000,2026-01-05,2026-04-05")
    assert member(1).financeable_amount == 480_000
    lower = EVALUATION | {"proposed_member_cap": Decimal(300_000)}
    clusters.evaluate_cluster(actor=actor("lin"), cluster_id=cluster.pk, **lower)
    clusters.approve_cluster_cap(actor=actor("sun"), cluster_id=cluster.pk)
    assert member(1).financeable_amount == 300_000


def test_documents_of_another_cluster_name_no_members_of_this_one(send, actor):
    other = new_cluster(actor, code="other")
    sent = clusters.take_in_documents(
        actor=actor("lin"), cluster_id=other.pk,
        file=Sent(f"{HEAD}\n{uscc_of(10_001)},应收,R1,1,1,2026-01-05,\n".encode()),
    )  # fmt: skip
    imports.start_import(actor=actor("lin"), record_import_id=sent.pk, mapping=imports.suggested_for(sent))
    imports.run_import(sent.pk)
    assert RecordImport.objects.get(pk=sent.pk).counts == {"rows": 1, "rejected": 1}
