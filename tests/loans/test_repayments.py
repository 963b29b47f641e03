"""Repayments: what they go to, once per reference, the exact pay-off, debits, and who may book."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import (
    DutiesConflict,
    InvalidInput,
    KeyReused,
    NotFound,
    PermissionRefused,
    StaleVersion,
    Unmet,
    WrongState,
)
from branch.models import BusinessDay, Event, OutboxMessage, PaymentInstruction
from loans.models import Facility, Instalment, Loan, LoanEntry, Repayment
from loans.queries.loans import arrears_of, due_today, held_money_due, payoff_figure, what_is_owed
from loans.services import debits, repayments
from loans.services.balances import disagreements
from tests.loans.bank import Bank
from tests.loans.given import everything, instruction_of, move_to, paid_out_loan

FIRST_DUE = date(2026, 4, 2)


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """300,000.00 at 4.5 % over twelve months, paid out on 2026-03-02."""
    return paid_out_loan(cast)


def book(cast: SimpleNamespace, loan: Loan, amount: str | Decimal, reference: str = "R-1", **facts: Any) -> Repayment:
    who = facts.pop("who", "he")
    return repayments.book_repayment(
        actor=cast.actor(who), loan_id=loan.pk, amount=Decimal(amount), reference=reference, **facts
    )


def fresh(loan: Loan) -> Loan:
    return Loan.objects.get(pk=loan.pk)


def row(loan: Loan, number: int) -> Instalment:
    return Instalment.objects.get(loan=loan, number=number)


def entries(repayment: Repayment | None) -> list[tuple[str, Decimal, int | None]]:
    rows = LoanEntry.objects.filter(repayment=repayment).order_by("id")
    return [(e.kind, e.amount, e.instalment_number) for e in rows]


# --- what it goes to


def test_the_amount_due_pays_interest_then_principal(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE)
    first = row(loan, 1)
    # Equal instalments over actual days: 31 days of 4.5 % on 300,000.00 is 1,162.50.
    assert first.interest == Decimal("1162.50")
    booked = book(cast, loan, first.principal + first.interest)

    assert entries(booked) == [("interest", first.interest, 1), ("principal", first.principal, 1)]
    assert fresh(loan).outstanding_principal == Decimal("300000.00") - first.principal
    assert (row(loan, 1).principal_paid, row(loan, 1).interest_paid) == (first.principal, first.interest)
    assert due_today(fresh(loan)) == 0
    event = Event.objects.get(name="loan.book_repayment")
    assert (event.actor_id, event.reason) == (cast.he.pk, "R-1")
    assert OutboxMessage.objects.filter(topic="repayment.booked").count() == 1
    assert list(disagreements()) == []


def test_a_part_goes_to_penalty_then_overdue_interest_then_overdue_principal(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(date(2026, 5, 2))  # the second falls due, the first is a month late
    # 25,624.93 for thirty days at 6.75 %
    assert fresh(loan).penalty_due == Decimal("144.14")
    booked = book(cast, loan, "2000.00")
    assert entries(booked) == [
        ("penalty", Decimal("144.14"), None),
        ("interest", Decimal("1162.50"), 1),
        ("principal", Decimal("693.36"), 1),
    ]
    assert fresh(loan).penalty_due == 0
    assert list(disagreements()) == []


def test_what_is_over_is_held_and_used_on_the_next_due_day(cast: SimpleNamespace, loan: Loan) -> None:
    first, second = row(loan, 1), row(loan, 2)
    early = first.principal + first.interest + Decimal("100.00")
    booked = book(cast, loan, early)
    assert entries(booked) == [("suspense", early, None)]
    assert fresh(loan).suspense_amount == early
    assert held_money_due(BusinessDay.objects.get().date) == []

    move_to(FIRST_DUE)
    assert due_today(fresh(loan)) == 0
    assert held_money_due(FIRST_DUE) == [loan.pk]
    assert repayments.use_held_money(loan_id=loan.pk, on_date=FIRST_DUE) == first.principal + first.interest
    assert fresh(loan).suspense_amount == Decimal("100.00")
    assert entries(None)[1:] == [
        ("interest", first.interest, 1),
        ("principal", first.principal, 1),
        ("suspense_used", first.principal + first.interest, None),
    ]
    assert held_money_due(FIRST_DUE) == []

    move_to(date(2026, 5, 2))
    assert due_today(fresh(loan)) == second.principal + second.interest - 100
    booked = book(cast, loan, due_today(fresh(loan)), "R-2")
    assert entries(booked)[-1] == ("suspense_used", Decimal("100.00"), None)
    assert fresh(loan).suspense_amount == 0
    assert list(disagreements()) == []


def test_days_past_due_follow_the_entries(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE + timedelta(days=5))
    assert arrears_of(loan, FIRST_DUE).past_due_days == 0
    assert arrears_of(loan, FIRST_DUE + timedelta(days=5)).past_due_days == 5
    book(cast, loan, due_today(fresh(loan)))
    assert arrears_of(loan, FIRST_DUE + timedelta(days=4)).past_due_days == 4
    assert arrears_of(loan, FIRST_DUE + timedelta(days=5)).past_due_days == 0


def test_the_last_instalment_settles_the_loan(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast, instalments=2, frequency_unit="week")
    for number in (1, 2):
        move_to(row(loan, number).due_date)
        book(cast, loan, due_today(fresh(loan)), f"R-{number}")

    settled = fresh(loan)
    assert (settled.state, settled.outstanding_principal) == ("settled", Decimal(0))
    assert settled.settled_date == row(loan, 2).due_date
    assert Event.objects.filter(name="loan.settle").count() == 1
    assert OutboxMessage.objects.filter(topic="loan.settled").count() == 1
    assert list(disagreements()) == []


# --- pay-off


def test_paying_off_takes_exactly_the_figure_and_ends_the_schedule(cast: SimpleNamespace, loan: Loan) -> None:
    day = date(2026, 3, 18)  # sixteen days after it was paid out
    move_to(day)
    figure = payoff_figure(loan, day)
    # 300,000.00 × 4.5 % × 16 ÷ 360 = 600.00
    assert figure == Decimal("300600.00")
    booked = book(cast, loan, figure, pay_off=True)

    assert booked.is_payoff
    assert sum(amount for _kind, amount, _n in entries(booked)) == figure
    settled = fresh(loan)
    assert (settled.state, settled.outstanding_principal, settled.settled_date) == ("settled", Decimal(0), day)
    assert sum(r.interest for r in loan.instalments.all()) == Decimal("600.00")
    assert all(r.principal == r.principal_paid for r in loan.instalments.all())
    assert payoff_figure(settled, day) == 0
    assert list(disagreements()) == []


@pytest.mark.parametrize("difference", ["-0.01", "0.01"])
def test_another_amount_does_not_pay_off(cast: SimpleNamespace, loan: Loan, difference: str) -> None:
    move_to(date(2026, 3, 18))
    before = everything()
    with pytest.raises(InvalidInput, match=r"300,600\.00") as refusal:
        book(cast, loan, Decimal("300600.00") + Decimal(difference), pay_off=True)
    assert list(refusal.value.fields) == ["amount"]
    assert everything() == before


def test_the_pay_off_figure_counts_what_is_held_and_what_is_late(cast: SimpleNamespace, loan: Loan) -> None:
    book(cast, loan, "500.00")
    move_to(date(2026, 4, 12))
    first = row(loan, 1)
    # Ten days late, but for the 500.00 held since before the due day.
    late = first.principal + first.interest - 500
    penalty = (late * Decimal("0.0675") * 10 / 360).quantize(Decimal("0.01"))
    assert fresh(loan).penalty_due == penalty == Decimal("47.11")
    scheduled = Decimal("300000.00") - first.principal
    running = (scheduled * Decimal("0.045") * 10 / 360).quantize(Decimal("0.01"))
    figure = payoff_figure(fresh(loan), date(2026, 4, 12))
    assert figure == Decimal("300000.00") + first.interest + running + penalty - 500

    book(cast, loan, figure, "R-2", pay_off=True)
    assert (fresh(loan).state, fresh(loan).suspense_amount) == ("settled", Decimal(0))
    assert list(disagreements()) == []


def test_a_later_day_costs_its_interest_and_penalty(loan: Loan) -> None:
    move_to(FIRST_DUE)
    first = row(loan, 1)
    late = FIRST_DUE + timedelta(days=10)
    owed = what_is_owed(fresh(loan), late)
    penalty = ((first.principal + first.interest) * Decimal("0.0675") * 10 / 360).quantize(Decimal("0.01"))
    assert owed.overdue_amount == first.principal + first.interest + penalty
    with pytest.raises(InvalidInput):
        payoff_figure(loan, FIRST_DUE - timedelta(days=1))


# --- once


def test_the_same_call_again_answers_the_same_repayment(cast: SimpleNamespace, loan: Loan) -> None:
    move_to(FIRST_DUE)
    booked = book(cast, loan, "1000.00")
    after_first = everything()
    assert book(cast, loan, "1000.00").pk == booked.pk
    assert book(cast, loan, "1000.00", value_date=FIRST_DUE).pk == booked.pk
    assert everything() == after_first


def test_a_pay_off_sent_twice_settles_once(cast: SimpleNamespace, loan: Loan) -> None:
    figure = payoff_figure(loan, BusinessDay.objects.get().date)
    booked = book(cast, loan, figure, pay_off=True)
    assert book(cast, loan, figure, pay_off=True).pk == booked.pk
    assert Repayment.objects.count() == 1


@pytest.mark.parametrize(
    "other", [{"amount": "1000.01"}, {"channel": "debit"}, {"pay_off": True}, {"value_date": date(2026, 3, 2)}]
)
def test_another_body_under_the_reference_is_refused(cast: SimpleNamespace, loan: Loan, other: dict[str, Any]) -> None:
    move_to(FIRST_DUE)
    book(cast, loan, "1000.00")
    before = everything()
    with pytest.raises(KeyReused):
        book(cast, loan, **({"amount": "1000.00"} | other))
    assert everything() == before


def test_another_loan_under_the_reference_is_refused(cast: SimpleNamespace, loan: Loan) -> None:
    other = paid_out_loan(cast, serial=2)
    book(cast, loan, "1000.00")
    before = everything()
    with pytest.raises(KeyReused):
        book(cast, other, "1000.00")
    assert everything() == before


# --- refused


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"amount": "Infinity"}, "amount"),
        ({"reference": ""}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"channel": "cash"}, "channel"),
        ({"value_date": date(2026, 3, 1)}, "value_date"),
        ({"value_date": date(2026, 3, 3)}, "value_date"),
    ],
)
def test_bad_values_are_refused_by_field(cast: SimpleNamespace, loan: Loan, facts: dict[str, Any], field: str) -> None:
    before = everything()
    with pytest.raises(InvalidInput) as refusal:
        book(cast, loan, **({"amount": "1.00"} | facts))
    assert list(refusal.value.fields) == [field]
    assert everything() == before


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("wu", DutiesConflict),  # holds the role, but released this money
        ("lin", PermissionRefused),
        ("zhou", PermissionRefused),
        ("feng", PermissionRefused),
        ("outsider", NotFound),
    ],
)
def test_who_may_not_book(cast: SimpleNamespace, loan: Loan, who: str, refusal: type[Exception]) -> None:
    before = everything()
    for step in (book, lambda *a, **k: repayments.collect_repayment(actor=cast.actor(who), loan_id=loan.pk)):
        with pytest.raises(refusal):
            step(cast, loan, "1.00", who=who)
    assert everything() == before


def test_nothing_is_booked_while_the_day_is_closed(cast: SimpleNamespace, loan: Loan) -> None:
    BusinessDay.objects.update(state="closing")
    before = everything()
    with pytest.raises(Unmet):
        book(cast, loan, "1.00")
    assert everything() == before


def test_a_settled_loan_takes_nothing(cast: SimpleNamespace, loan: Loan) -> None:
    book(cast, loan, payoff_figure(loan, BusinessDay.objects.get().date), pay_off=True)
    before = everything()
    with pytest.raises(WrongState):
        book(cast, loan, "1.00", "R-2")
    assert everything() == before


def test_a_change_since_it_was_read_is_noticed(cast: SimpleNamespace, loan: Loan) -> None:
    book(cast, loan, "1.00")
    before = everything()
    with pytest.raises(StaleVersion):
        book(cast, loan, "1.00", "R-2", expected_version=loan.version)
    assert everything() == before


def test_a_loan_that_owes_is_not_settled_by_hand(cast: SimpleNamespace, loan: Loan) -> None:
    before = everything()
    with pytest.raises(Unmet) as refusal:
        repayments.settle_loan(actor=cast.actor("he"), loan_id=loan.pk)
    assert refusal.value.facts["owed"] == "300000.00"
    assert everything() == before


# --- lines that revolve


def test_a_revolving_line_gets_its_limit_back(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast, family="revolving")
    move_to(FIRST_DUE)
    first = row(loan, 1)
    book(cast, loan, first.principal + first.interest)
    assert Facility.objects.get().drawn_amount == Decimal("300000.00") - first.principal
    book(cast, loan, payoff_figure(fresh(loan), FIRST_DUE), "R-2", pay_off=True)
    assert Facility.objects.get().drawn_amount == 0
    assert list(disagreements()) == []


def test_another_line_does_not(cast: SimpleNamespace, loan: Loan) -> None:
    book(cast, loan, payoff_figure(loan, BusinessDay.objects.get().date), pay_off=True)
    assert Facility.objects.get().drawn_amount == Decimal("300000.00")
    assert list(disagreements()) == []


# --- debits of the repayment account


def collect(cast: SimpleNamespace, loan: Loan, amount: str | None = None) -> PaymentInstruction:
    return repayments.collect_repayment(
        actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal(amount) if amount else None
    )


def test_what_is_due_is_debited_and_booked(cast: SimpleNamespace, loan: Loan, bank: Bank) -> None:
    move_to(FIRST_DUE)
    account, due = loan.customer.repayment_account, due_today(loan)
    bank.fund(account, "30000.00")
    order = collect(cast, loan)
    assert (order.reference, order.amount) == ("HT-2026-000001-L1-C1", due)
    debits.send_collection(instruction_id=order.pk)
    debits.send_collection(instruction_id=order.pk)

    assert bank.balance(account) == Decimal("30000.00") - due
    booked = Repayment.objects.get()
    assert (booked.amount, booked.channel, booked.reference, booked.booked_by) == (due, "debit", order.reference, None)
    assert due_today(fresh(loan)) == 0
    assert list(disagreements()) == []


def test_a_short_balance_is_debited_in_part_and_the_rest_later(cast: SimpleNamespace, loan: Loan, bank: Bank) -> None:
    move_to(FIRST_DUE)
    account, due = loan.customer.repayment_account, due_today(loan)
    bank.fund(account, "1000.00")
    debits.send_collection(instruction_id=collect(cast, loan).pk)
    assert Repayment.objects.get().amount == Decimal("1000.00")

    bank.fund(account, "50000.00")
    second = collect(cast, loan)
    assert second.reference.endswith("-C2")
    debits.send_collection(instruction_id=second.pk)
    assert sum(r.amount for r in Repayment.objects.all()) == due
    assert list(disagreements()) == []


def test_an_empty_account_books_nothing(cast: SimpleNamespace, loan: Loan, bank: Bank) -> None:
    move_to(FIRST_DUE)
    debits.send_collection(instruction_id=collect(cast, loan).pk)
    assert instruction_of(loan).state == "failed"
    assert not Repayment.objects.exists()
    assert Event.objects.get(name="loan.collect_failed").reason == "The account does not hold the amount."


@pytest.mark.parametrize("behaviour", ["timeout", "drop_after_booking", "error_500"])
def test_a_lost_answer_is_asked_for_and_nothing_debited_twice(
    cast: SimpleNamespace, loan: Loan, bank: Bank, behaviour: str
) -> None:
    move_to(FIRST_DUE)
    account, due = loan.customer.repayment_account, due_today(loan)
    bank.fund(account, "50000.00")
    bank.misbehave(behaviour, times=1, match={"kind": "collection"})
    order = collect(cast, loan)
    debits.send_collection(instruction_id=order.pk)
    assert instruction_of(loan).state == "unknown"
    assert not Repayment.objects.exists()
    before = everything()
    with pytest.raises(Unmet):
        collect(cast, loan)
    assert everything() == before

    debits.ask_about_collection(instruction_id=order.pk)
    debits.ask_about_collection(instruction_id=order.pk)

    assert bank.balance(account) == Decimal("50000.00") - due
    assert Repayment.objects.get().amount == due


def test_money_debited_for_a_loan_settled_meanwhile_is_held(cast: SimpleNamespace, loan: Loan, bank: Bank) -> None:
    move_to(FIRST_DUE)
    bank.fund(loan.customer.repayment_account, "50000.00")
    order = collect(cast, loan)
    book(cast, loan, payoff_figure(loan, FIRST_DUE), pay_off=True)

    debits.send_collection(instruction_id=order.pk)

    assert (fresh(loan).state, fresh(loan).suspense_amount) == ("settled", order.amount)
    assert list(disagreements()) == []


def test_only_what_is_due_is_debited(cast: SimpleNamespace, loan: Loan) -> None:
    with pytest.raises(Unmet):
        collect(cast, loan)
    move_to(FIRST_DUE)
    with pytest.raises(InvalidInput):
        collect(cast, loan, str(due_today(loan) + Decimal("0.01")))
    assert not PaymentInstruction.objects.filter(kind="collection").exists()
