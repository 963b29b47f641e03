"""The same money at the same moment: real threads, real transactions, a real core bank."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.db import connection, transaction

from branch.domain.refusals import InvalidInput, KeyReused, Refusal, Unmet, WrongState
from branch.models import BusinessDay, PaymentInstruction, RoleAssignment, User
from branch.rail import PaymentAnswer
from branch.services.events import DAY_LOCK
from loans.models import Drawdown, Facility, Loan, LoanEntry, Repayment
from loans.queries.loans import due_today, payoff_figure
from loans.services import debit_files, debits, drawdowns, facilities, loan_requests, payouts, repayments
from loans.services.balances import disagreements
from tests.loans.bank import Bank, bank  # noqa: F401 - a fixture
from tests.loans.given import (
    AMOUNT,
    PAYEE,
    SUCCEEDED,
    checked_drawdown,
    effective_line,
    instruction_of,
    move_to,
    paid_out_loan,
    released_drawdown,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """What was handed to the broker; nothing runs unless the test runs it."""
    sent: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **kwargs: sent.append((name, args)))
    return sent


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls in threads that start together; each one's result, or the refusal it met."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            start.wait(timeout=10)
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def refusals(results: list[Any]) -> list[Any]:
    return [result for result in results if isinstance(result, Refusal)]


def book(actor: Any, loan: Loan, amount: Decimal, reference: str, **facts: Any) -> Callable[[], Repayment]:
    return lambda: repayments.book_repayment(actor=actor, loan_id=loan.pk, amount=amount, reference=reference, **facts)


# --- money out


def test_two_releases_pay_once(cast: SimpleNamespace, queue: list) -> None:
    drawdown = checked_drawdown(cast)
    wu = cast.actor("wu")
    queue.clear()

    results = at_once(*[lambda: drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk)] * 3)

    assert [type(r) for r in refusals(results)] == [WrongState, WrongState]
    assert PaymentInstruction.objects.count() == 1
    assert Facility.objects.get().drawn_amount == AMOUNT
    assert [name for name, _args in queue if name == "loans.tasks.send_payout"] == ["loans.tasks.send_payout"]


def test_two_requests_do_not_ask_for_more_than_the_limit(cast: SimpleNamespace) -> None:
    line, lin = effective_line(cast), cast.actor("lin")
    request = {"actor": lin, "facility_id": line.pk, "amount": Decimal("200000.00"), **PAYEE}

    results = at_once(*[lambda: drawdowns.request_drawdown(**request)] * 2)

    assert [type(r) for r in refusals(results)] == [InvalidInput]
    assert [d.number for d in Drawdown.objects.all()] == ["HT-2026-000001-D1"]


def test_a_release_and_a_freeze_come_one_after_the_other(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    wu, he = cast.actor("wu"), cast.actor("he")
    at_once(
        lambda: drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk),
        lambda: facilities.freeze_facility(actor=he, facility_id=drawdown.facility_id, reason="可疑"),
    )
    # Whichever came first, a limit is taken exactly where a payment is ordered.
    assert Facility.objects.get().state == "frozen"
    ordered = PaymentInstruction.objects.count()
    assert (Drawdown.objects.get().state, Facility.objects.get().drawn_amount) == (
        ("disbursing", AMOUNT) if ordered else ("checked", 0)
    )


def test_workers_that_send_and_ask_at_once_pay_once(cast: SimpleNamespace, bank: Bank) -> None:  # noqa: F811
    drawdown = released_drawdown(cast)
    order = instruction_of(drawdown).pk

    at_once(
        lambda: payouts.send_payout(instruction_id=order),
        lambda: payouts.send_payout(instruction_id=order),
        lambda: payouts.ask_about_payout(instruction_id=order),
        lambda: payouts.ask_about_payout(instruction_id=order),
    )

    assert Drawdown.objects.get().state == "disbursed"
    assert len(bank.received(PAYEE["payee_account"])) == 1
    assert Loan.objects.count() == 1
    assert LoanEntry.objects.count() == 1


def test_one_answer_recorded_by_four_workers_makes_one_loan(cast: SimpleNamespace) -> None:
    order = instruction_of(released_drawdown(cast)).pk
    PaymentInstruction.objects.update(state="sent")

    results = at_once(*[lambda: payouts.record_payout_answer(instruction_id=order, answer=SUCCEEDED)] * 4)

    assert sorted(results) == [False, False, False, True]
    assert Loan.objects.count() == 1
    assert list(disagreements()) == []


# --- money in


def test_bookings_of_two_people_and_a_debit_all_count(cast: SimpleNamespace, bank: Bank) -> None:  # noqa: F811
    loan = paid_out_loan(cast)
    he = cast.actor("he")
    move_to(loan.instalments.get(number=1).due_date)
    bank.fund(loan.customer.repayment_account, "5000.00")
    order = repayments.collect_repayment(actor=he, loan_id=loan.pk, amount=Decimal("5000.00"))

    results = at_once(
        *[book(he, loan, Decimal("1000.00"), f"R-{n}") for n in range(4)],
        lambda: debits.send_collection(instruction_id=order.pk),
    )

    assert refusals(results) == []
    assert sum(r.amount for r in Repayment.objects.all()) == Decimal("9000.00")
    first = loan.instalments.get(number=1)
    assert first.interest_paid + first.principal_paid == Decimal("9000.00")
    assert list(disagreements()) == []


def test_two_people_and_a_result_file_book_on_one_loan(cast: SimpleNamespace) -> None:
    """Each of two accountants books twice, one of the slips is known to both, a manager confirms an earlier
    repayment, and the result of the debit file comes in twice: all of it counts once."""
    loan, he, zhou = paid_out_loan(cast), cast.actor("he"), cast.actor("zhou")
    User.objects.create_user("xu", password="demo", display_name="徐", office=cast.offices.CD)
    RoleAssignment.objects.create(
        user=User.objects.get(username="xu"), role="loan_accountant", office=cast.offices.CD, start_date=loan.start_date
    )
    xu = cast.actor("xu")
    move_to(loan.instalments.get(number=1).due_date)
    file = debit_files.make_debit_file(actor=he)
    debit_files.note_file_sent(file_id=file.pk)
    order = file.rows.get().instruction
    earlier = loan_requests.request_backdated_repayment(
        actor=he, loan_id=loan.pk, amount=Decimal("700.00"), reference="SLIP", value_date=loan.start_date, reason="补记"
    )
    answer = PaymentAnswer("succeeded", collected_amount=Decimal("5000.00"), reference=order.reference)

    results = at_once(
        book(he, loan, Decimal("1000.00"), "R-1"),
        book(xu, loan, Decimal("1000.00"), "R-1"),
        book(he, loan, Decimal("200.00"), "R-2"),
        book(xu, loan, Decimal("30.00"), "R-3"),
        lambda: debit_files.book_result(file_id=file.pk, answers=[answer]),
        lambda: debit_files.book_result(file_id=file.pk, answers=[answer]),
        lambda: loan_requests.confirm_loan_request(actor=zhou, loan_request_id=earlier.pk),
    )

    assert refusals(results) == []
    assert {r.reference: r.amount for r in Repayment.objects.all()} == {
        "R-1": Decimal("1000.00"),
        "R-2": Decimal("200.00"),
        "R-3": Decimal("30.00"),
        "SLIP": Decimal("700.00"),
        order.reference: Decimal("5000.00"),
    }
    first = loan.instalments.get(number=1)
    assert first.interest_paid + first.principal_paid == Decimal("6930.00")
    assert Loan.objects.get().outstanding_principal == loan.principal - first.principal_paid
    assert list(disagreements()) == []


def test_one_reference_books_once(cast: SimpleNamespace) -> None:
    loan, he = paid_out_loan(cast), cast.actor("he")

    results = at_once(*[book(he, loan, Decimal("1000.00"), "R-1")] * 4)

    assert len({r.pk for r in results}) == 1
    assert Repayment.objects.count() == 1
    assert Loan.objects.get().suspense_amount == Decimal("1000.00")


def test_one_reference_on_two_loans_books_on_one(cast: SimpleNamespace) -> None:
    first, second = paid_out_loan(cast), paid_out_loan(cast, serial=2)
    he = cast.actor("he")

    results = at_once(book(he, first, Decimal("1.00"), "R-1"), book(he, second, Decimal("1.00"), "R-1"))

    assert [type(r) for r in refusals(results)] == [KeyReused]
    assert Repayment.objects.count() == 1
    assert list(disagreements()) == []


def test_two_pay_offs_settle_once(cast: SimpleNamespace) -> None:
    loan, he = paid_out_loan(cast), cast.actor("he")
    figure = payoff_figure(loan, loan.start_date)

    results = at_once(*[book(he, loan, figure, f"R-{n}", pay_off=True) for n in range(3)])

    assert [type(r) for r in refusals(results)] == [WrongState, WrongState]
    settled = Loan.objects.get()
    assert (settled.state, settled.suspense_amount, Repayment.objects.count()) == ("settled", Decimal(0), 1)
    assert list(disagreements()) == []


def test_two_debits_of_one_loan_are_not_ordered(cast: SimpleNamespace) -> None:
    loan, he = paid_out_loan(cast), cast.actor("he")
    move_to(loan.instalments.get(number=1).due_date)
    assert due_today(loan) > 0

    results = at_once(*[lambda: repayments.collect_repayment(actor=he, loan_id=loan.pk)] * 3)

    assert [type(r) for r in refusals(results)] == [Unmet, Unmet]
    assert PaymentInstruction.objects.filter(kind="collection").count() == 1


def test_no_booking_slips_into_a_day_that_is_closing(cast: SimpleNamespace) -> None:
    loan, he = paid_out_loan(cast), cast.actor("he")
    closing = Barrier(2)

    def close() -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DAY_LOCK])
            closing.wait(timeout=10)
            BusinessDay.objects.update(state="closing")

    def book_meanwhile() -> Repayment:
        closing.wait(timeout=10)
        return book(he, loan, Decimal("1.00"), "R-1")()

    results = at_once(close, book_meanwhile)

    assert [type(r) for r in refusals(results)] == [Unmet]
    assert not Repayment.objects.exists()
