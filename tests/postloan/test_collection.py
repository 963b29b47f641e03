"""Collection: contact, promises kept and broken, and ends that the loan itself must show."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet, WrongState
from branch.models import Event, Notification, OutboxMessage
from branch.services.outbox import deliver
from loans.models import Loan, Repayment
from postloan.models import CollectionCase
from postloan.services import collection
from tests.postloan.making import close_day, fresh, make_loan, open_on, pay_in_full

TODAY = date(2026, 4, 6)


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """Four days past due on 2026-04-06."""
    open_on(date(2026, 4, 5))
    made = make_loan(cast, 1)
    close_day()
    return fresh(made)


@pytest.fixture
def case(cast: SimpleNamespace, loan: Loan) -> CollectionCase:
    return collection.open_collection(actor=cast.actor("he"), loan_id=loan.pk, note="三次未接")


def promised(cast: SimpleNamespace, case: CollectionCase, amount: str = "500.00", by: date = TODAY) -> CollectionCase:
    he = cast.actor("he")
    collection.contact_borrower(actor=he, collection_case_id=case.pk, note="本人接听")
    return collection.record_promise(actor=he, collection_case_id=case.pk, amount=Decimal(amount), promised_date=by)


def test_contact_and_promise(cast: SimpleNamespace, case: CollectionCase) -> None:
    assert (case.state, case.number, case.opened_on) == ("open", "CC-2026-000001", TODAY)

    case = promised(cast, case)

    assert (case.state, case.promised_amount, case.promised_on, case.promised_date) == (
        "promised",
        Decimal("500.00"),
        TODAY,
        TODAY,
    )
    assert case.note == "本人接听"


def test_a_loan_is_in_collection_once(cast: SimpleNamespace, loan: Loan, case: CollectionCase) -> None:
    with pytest.raises(Unmet) as refused:
        collection.open_collection(actor=cast.actor("he"), loan_id=loan.pk)

    assert refused.value.facts["collection_case"] == case.number
    assert CollectionCase.objects.count() == 1


def test_a_loan_in_order_is_not_collected(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1)

    with pytest.raises(Unmet):
        collection.open_collection(actor=cast.actor("he"), loan_id=loan.pk)
    assert not CollectionCase.objects.exists()


@pytest.mark.parametrize(("who", "refusal"), [("lin", PermissionRefused), ("outsider", NotFound)])
def test_only_post_loan_officers_collect(cast: SimpleNamespace, loan: Loan, who: str, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        collection.open_collection(actor=cast.actor(who), loan_id=loan.pk)
    assert not CollectionCase.objects.exists()


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("promised_date", {"promised_date": date(2026, 4, 5)}),
        ("amount", {"amount": Decimal("0")}),
        ("amount", {"amount": Decimal("1.001")}),
    ],
)
def test_a_promise_is_money_by_a_day(
    cast: SimpleNamespace, case: CollectionCase, field: str, values: dict[str, Any]
) -> None:
    he = cast.actor("he")
    contacted = collection.contact_borrower(actor=he, collection_case_id=case.pk, note="本人接听")

    promise: dict[str, Any] = {"amount": Decimal(1), "promised_date": TODAY} | values

    with pytest.raises(InvalidInput) as refused:
        collection.record_promise(actor=he, collection_case_id=case.pk, **promise)

    assert field in refused.value.fields
    assert (fresh(case).state, fresh(case).version) == ("contacting", contacted.version)


def test_a_promise_not_kept_breaks_by_itself(cast: SimpleNamespace, case: CollectionCase) -> None:
    promised(cast, case)

    close_day()

    assert fresh(case).state == "broken_promise"
    assert Event.objects.get(name="collection_case.break_promise").actor_name == "system"
    for pk in OutboxMessage.objects.filter(topic="collection_cases.moved").values_list("pk", flat=True):
        deliver(pk)
    broken = Notification.objects.filter(kind="collection_case.broken")
    assert set(broken.values_list("user_id", flat=True)) == {cast.lin.pk, cast.he.pk}


@pytest.mark.parametrize(("paid", "state"), [("500.00", "promised"), ("499.99", "broken_promise")])
def test_money_that_came_in_keeps_a_promise(
    cast: SimpleNamespace, loan: Loan, case: CollectionCase, paid: str, state: str
) -> None:
    promised(cast, case)
    # Money from before the promise does not count.
    for day, amount, reference in ((date(2026, 4, 5), "900.00", "A1"), (TODAY, paid, "A2")):
        Repayment.objects.create(
            loan=loan, customer_id=loan.customer_id, reference=reference, amount=Decimal(amount), value_date=day,
            channel="counter",
        )  # fmt: skip

    close_day()

    assert fresh(case).state == state


def test_a_later_promise_stands(cast: SimpleNamespace, case: CollectionCase) -> None:
    promised(cast, case, by=date(2026, 4, 7))

    close_day()

    assert fresh(case).state == "promised"


def test_broken_promised_again_and_to_the_lawyers(cast: SimpleNamespace, case: CollectionCase) -> None:
    he = cast.actor("he")
    promised(cast, case)
    collection.break_promise(actor=he, collection_case_id=case.pk, reason="改口")
    collection.record_promise(actor=he, collection_case_id=case.pk, amount=Decimal(1), promised_date=TODAY)
    collection.break_promise(actor=he, collection_case_id=case.pk, reason="失联")

    legal = collection.go_legal(actor=he, collection_case_id=case.pk, reason="起诉")

    assert legal.state == "legal"
    assert Event.objects.get(name="collection_case.go_legal").reason == "起诉"


def test_paid_means_nothing_is_past_due(cast: SimpleNamespace, loan: Loan, case: CollectionCase) -> None:
    he = cast.actor("he")
    with pytest.raises(Unmet):
        collection.close_paid(actor=he, collection_case_id=case.pk, reason="已还")
    assert fresh(case).state == "open"

    pay_in_full(loan, TODAY)
    closed = collection.close_paid(actor=he, collection_case_id=case.pk, reason="已还")

    assert (closed.state, closed.outcome) == ("closed", "paid")


def test_restructured_means_the_loan_was(cast: SimpleNamespace, loan: Loan, case: CollectionCase) -> None:
    he = cast.actor("he")
    with pytest.raises(Unmet):
        collection.close_restructured(actor=he, collection_case_id=case.pk, reason="展期")

    Loan.objects.filter(pk=loan.pk).update(restructured_date=TODAY)
    assert collection.close_restructured(actor=he, collection_case_id=case.pk, reason="展期").outcome == "restructured"


def test_written_off_is_the_managers_word(cast: SimpleNamespace, loan: Loan, case: CollectionCase) -> None:
    with pytest.raises(PermissionRefused):
        collection.close_written_off(actor=cast.actor("he"), collection_case_id=case.pk, reason="无财产")
    with pytest.raises(Unmet):
        collection.close_written_off(actor=cast.actor("zhou"), collection_case_id=case.pk, reason="无财产")
    assert fresh(case).state == "open"

    Loan.objects.filter(pk=loan.pk).update(state="written_off")
    closed = collection.close_written_off(actor=cast.actor("zhou"), collection_case_id=case.pk, reason="无财产")
    assert closed.outcome == "written_off"


@pytest.mark.parametrize("close", [collection.close_paid, collection.go_legal, collection.break_promise])
def test_every_end_has_a_reason(cast: SimpleNamespace, case: CollectionCase, close: Any) -> None:
    with pytest.raises(InvalidInput):
        close(actor=cast.actor("he"), collection_case_id=case.pk, reason="  ")
    assert fresh(case).state == "open"


def test_a_note_needs_contact_first(cast: SimpleNamespace, case: CollectionCase) -> None:
    he = cast.actor("he")
    with pytest.raises(WrongState):
        collection.note_collection(actor=he, collection_case_id=case.pk, note="再次上门")

    collection.contact_borrower(actor=he, collection_case_id=case.pk, note="本人接听")
    assert collection.note_collection(actor=he, collection_case_id=case.pk, note="再次上门").note == "再次上门"
