"""Paying out through a real core bank: every ending of the call, repeated tasks, and never a second payment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from branch import rail
from branch.domain.refusals import WrongState
from branch.models import BusinessDay, Event, OutboxMessage, PaymentInstruction
from branch.rail import PaymentAnswer
from branch.services import payments
from loans import tasks
from loans.models import Drawdown, Facility, Instalment, Loan, LoanEntry
from loans.services import drawdowns, lending, payouts, rail_round
from loans.services.balances import disagreements
from tests.loans.bank import Bank
from tests.loans.given import (
    AMOUNT,
    BOUNCED,
    PAYEE,
    SUCCEEDED,
    effective_line,
    everything,
    instruction_of,
    released_drawdown,
)


@pytest.fixture
def drawdown(cast: SimpleNamespace, bank: Bank) -> Drawdown:
    """Released by Wu, its order not yet sent."""
    return released_drawdown(cast)


def send(drawdown: Drawdown) -> None:
    payouts.send_payout(instruction_id=instruction_of(drawdown).pk)


def ask(drawdown: Drawdown) -> None:
    payouts.ask_about_payout(instruction_id=instruction_of(drawdown).pk)


def state_of(drawdown: Drawdown) -> tuple[str, str]:
    return Drawdown.objects.get(pk=drawdown.pk).state, instruction_of(drawdown).state


def long_ago() -> None:
    PaymentInstruction.objects.update(
        created_at=timezone.now() - timedelta(minutes=1), sent_at=timezone.now() - timedelta(minutes=1)
    )


# --- succeeded


def test_the_bank_pays_and_a_loan_stands(drawdown: Drawdown, bank: Bank) -> None:
    send(drawdown)

    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert bank.received(PAYEE["payee_account"]) == [(instruction_of(drawdown).reference, "300000.00")]
    loan = Loan.objects.get(drawdown=drawdown)
    assert (loan.number, loan.state, loan.principal, loan.outstanding_principal) == (
        "HT-2026-000001-L1",
        "active",
        AMOUNT,
        AMOUNT,
    )
    day = BusinessDay.objects.get().date
    assert (loan.start_date, loan.shard_key, loan.owner_id) == (day, loan.customer_id, drawdown.owner_id)
    rows = list(Instalment.objects.order_by("number"))
    assert len(rows) == 12
    assert sum(row.principal for row in rows) == AMOUNT
    assert (rows[-1].due_date, rows[-1].balance_after) == (loan.maturity_date, Decimal(0))
    assert [(e.kind, e.amount, e.value_date) for e in LoanEntry.objects.all()] == [("disbursement", AMOUNT, day)]
    assert Event.objects.filter(name="drawdown.confirm", actor_name="system").count() == 1
    assert OutboxMessage.objects.filter(topic="drawdown.disbursed").count() == 1
    assert list(disagreements()) == []


def test_repeated_tasks_pay_and_book_once(drawdown: Drawdown, bank: Bank) -> None:
    order = instruction_of(drawdown)
    for _ in range(3):
        tasks.send_payout(order.pk)
        ask(drawdown)
        payouts.record_payout_answer(instruction_id=order.pk, answer=SUCCEEDED)
        payouts.record_payout_answer(instruction_id=order.pk, answer=BOUNCED)
        payouts.lose_payout_answer(instruction_id=order.pk)

    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1
    assert Loan.objects.count() == 1
    assert Facility.objects.get().drawn_amount == AMOUNT


# --- failed


def test_a_bounced_payment_frees_the_limit_and_goes_again_with_a_new_reference(
    cast: SimpleNamespace, drawdown: Drawdown, bank: Bank
) -> None:
    bank.misbehave("bounce", times=1)
    send(drawdown)

    assert state_of(drawdown) == ("failed", "failed")
    failed = Drawdown.objects.get(pk=drawdown.pk)
    assert failed.failure_reason == "The payment was sent back by the receiving bank."
    assert Facility.objects.get().drawn_amount == 0
    assert not Loan.objects.exists()

    drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert instruction_of(drawdown).reference == "HT-2026-000001-D1-2"
    send(drawdown)

    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1
    assert Facility.objects.get().drawn_amount == AMOUNT
    assert Drawdown.objects.get(pk=drawdown.pk).failure_reason == ""


def test_an_order_the_bank_finds_fault_with_fails(drawdown: Drawdown, bank: Bank) -> None:
    PaymentInstruction.objects.update(account="not an account")
    send(drawdown)
    assert state_of(drawdown) == ("failed", "failed")
    assert instruction_of(drawdown).failure_code == "invalid"


def test_a_wrong_token_fails_nothing(drawdown: Drawdown, bank: Bank, settings: Any) -> None:
    right = settings.CORE_BANK_TOKEN
    settings.CORE_BANK_TOKEN = "wrong"
    send(drawdown)
    ask(drawdown)
    assert state_of(drawdown) == ("unknown", "unknown")

    settings.CORE_BANK_TOKEN = right
    ask(drawdown)
    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1


# --- no answer


@pytest.mark.parametrize("behaviour", ["timeout", "error_500"])
def test_an_order_the_bank_never_saw_goes_again_under_the_same_reference(
    drawdown: Drawdown, bank: Bank, behaviour: str
) -> None:
    bank.misbehave(behaviour, times=1, match={"kind": "payout"})
    send(drawdown)
    assert state_of(drawdown) == ("unknown", "unknown")
    assert bank.received(PAYEE["payee_account"]) == []

    ask(drawdown)

    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert PaymentInstruction.objects.count() == 1
    assert bank.received(PAYEE["payee_account"]) == [(instruction_of(drawdown).reference, "300000.00")]


def test_an_answer_lost_after_booking_is_asked_for_and_not_paid_again(drawdown: Drawdown, bank: Bank) -> None:
    bank.misbehave("drop_after_booking", times=1)
    send(drawdown)
    assert state_of(drawdown) == ("unknown", "unknown")
    assert len(bank.received(PAYEE["payee_account"])) == 1
    assert not Loan.objects.exists()

    ask(drawdown)

    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1


def test_a_slow_answer_is_processing_until_the_bank_says_so(drawdown: Drawdown, bank: Bank) -> None:
    bank.misbehave("processing", seconds=3600, times=1)
    send(drawdown)
    ask(drawdown)
    assert state_of(drawdown) == ("disbursing", "sent")

    bank.behave()  # settles what was held back
    ask(drawdown)
    assert state_of(drawdown) == ("disbursed", "succeeded")


def test_a_delay_longer_than_the_patience_is_asked_about(drawdown: Drawdown, bank: Bank) -> None:
    bank.misbehave("delay", seconds=3600, times=1)
    send(drawdown)
    assert state_of(drawdown) == ("unknown", "unknown")
    ask(drawdown)
    assert state_of(drawdown) == ("unknown", "unknown")  # the bank has it, and is not done

    bank.behave()
    ask(drawdown)
    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1


def test_while_the_bank_is_silent_nothing_is_decided(drawdown: Drawdown, bank: Bank) -> None:
    bank.misbehave("timeout")
    bank.misbehave("timeout", match={"kind": "query"})
    send(drawdown)
    before = everything()
    ask(drawdown)
    ask(drawdown)
    assert everything() == before
    assert state_of(drawdown) == ("unknown", "unknown")


def test_an_unknown_payout_that_failed_can_be_released_again(
    cast: SimpleNamespace, drawdown: Drawdown, bank: Bank
) -> None:
    bank.misbehave("drop_after_booking", times=1)
    bank.misbehave("bounce", times=1)
    send(drawdown)
    assert state_of(drawdown)[0] == "unknown"
    ask(drawdown)
    assert state_of(drawdown) == ("failed", "failed")
    assert drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk).state == "checked"


def test_an_unknown_drawdown_is_not_released_or_refused(cast: SimpleNamespace, drawdown: Drawdown, bank: Bank) -> None:
    bank.misbehave("drop_after_booking", times=1)
    send(drawdown)
    before = everything()
    wu = cast.actor("wu")
    with pytest.raises(WrongState):
        drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk)
    with pytest.raises(WrongState):
        drawdowns.refuse_drawdown(actor=wu, drawdown_id=drawdown.pk, reason="x")
    assert everything() == before


# --- something else under our reference


def test_another_order_under_the_reference_is_left_to_a_person(drawdown: Drawdown, bank: Bank) -> None:
    order = instruction_of(drawdown)
    rail.from_settings().pay_out(rail.PayoutOrder(order.reference, Decimal("1.00"), "6228999", "somebody"))

    send(drawdown)
    long_ago()
    assert rail_round.resume_payments() == 0
    ask(drawdown)

    assert state_of(drawdown) == ("unknown", "unknown")
    assert instruction_of(drawdown).failure_code == payments.CONFLICT
    assert not Loan.objects.exists()
    assert bank.received(PAYEE["payee_account"]) == []


def test_another_amount_under_the_reference_is_never_taken_for_ours(
    drawdown: Drawdown, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = instruction_of(drawdown)
    payments.claim(instruction_id=order.pk)
    other = PaymentAnswer("succeeded", reference=order.reference, amount=Decimal("1.00"))
    monkeypatch.setattr(rail.PaymentRail, "query", lambda self, reference: other)
    ask(drawdown)
    assert not Loan.objects.exists()
    assert instruction_of(drawdown).failure_code == payments.CONFLICT


# --- the round


def test_the_round_takes_up_what_was_lost(drawdown: Drawdown, bank: Bank) -> None:
    assert tasks.resume_payouts() == 0  # too early: its own task is on the way
    long_ago()
    assert tasks.resume_payouts() == 1
    assert state_of(drawdown) == ("disbursed", "succeeded")
    long_ago()
    assert tasks.resume_payouts() == 0


def test_the_round_asks_about_what_was_sent_by_a_worker_that_died(drawdown: Drawdown, bank: Bank) -> None:
    payments.claim(instruction_id=instruction_of(drawdown).pk)  # … and then the process was killed
    assert tasks.resume_payouts() == 0
    long_ago()
    assert tasks.resume_payouts() == 1
    assert state_of(drawdown) == ("disbursed", "succeeded")
    assert len(bank.received(PAYEE["payee_account"])) == 1


def test_the_round_ends_at_a_silent_bank_and_goes_on_past_a_bad_row(
    cast: SimpleNamespace, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    for serial in (1, 2, 3):
        line = effective_line(cast, serial=serial)
        released_drawdown(cast, line)
    long_ago()
    bank.misbehave("timeout", times=1)
    assert rail_round.resume_payments() == 1
    assert Drawdown.objects.filter(state="unknown").count() == 1

    bad = Drawdown.objects.filter(state="disbursing").earliest("pk")
    real = lending.create_loan_from_drawdown

    def refuse_one(*, drawdown: Drawdown, **facts: Any) -> Loan:
        if drawdown.pk == bad.pk:
            raise ValueError("cannot be booked")
        return real(drawdown=drawdown, **facts)

    monkeypatch.setattr(payouts, "create_loan_from_drawdown", refuse_one)
    long_ago()
    assert rail_round.resume_payments() == 3
    assert Drawdown.objects.filter(state="disbursed").count() == 2
    assert PaymentInstruction.objects.get(subject_id=str(bad.pk)).state == "sent"

    monkeypatch.setattr(payouts, "create_loan_from_drawdown", real)
    long_ago()
    rail_round.resume_payments()
    assert Drawdown.objects.filter(state="disbursed").count() == 3
    assert Loan.objects.count() == 3


# --- the day, and transactions


def test_an_answer_that_comes_while_the_day_is_closed_waits_for_the_next(drawdown: Drawdown, bank: Bank) -> None:
    BusinessDay.objects.update(state="closing")
    send(drawdown)
    assert state_of(drawdown) == ("disbursing", "sent")
    assert not Loan.objects.exists()

    day = BusinessDay.objects.get()
    BusinessDay.objects.update(state="closed")
    BusinessDay.objects.create(date=day.date + timedelta(days=1))
    ask(drawdown)
    assert Loan.objects.get().start_date == day.date + timedelta(days=1)
    assert len(bank.received(PAYEE["payee_account"])) == 1


@pytest.mark.django_db(transaction=True)
def test_the_bank_is_never_called_inside_a_transaction(drawdown: Drawdown, bank: Bank) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        send(drawdown)
    assert bank.received(PAYEE["payee_account"]) == []
    send(drawdown)
    assert state_of(drawdown) == ("disbursed", "succeeded")
