"""Paying a released drawdown out through the core bank: sent once, recorded once, never paid blind.

Intent, commit, call, record: no transaction is open while the bank is spoken to.
"""

from __future__ import annotations

import structlog

from branch.domain.actor import system_actor
from branch.domain.refusals import Unmet
from branch.models import PaymentInstruction
from branch.rail import PaymentAnswer
from branch.services import payments
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import lock, transition
from branch.services.use_case import use_case
from loans.models import Drawdown
from loans.services.facilities import take_from_limit
from loans.services.lending import SYSTEM, create_loan_from_drawdown
from loans.services.payees import outcome_of

logger = structlog.get_logger(__name__)


def send_payout(*, instruction_id: int) -> bool:
    """Order a payout that was not sent yet. False when the bank gave no answer."""
    instruction = payments.claim(instruction_id=instruction_id)
    return instruction is None or _note(instruction, payments.order(instruction))


def ask_about_payout(*, instruction_id: int) -> bool:
    """Ask what became of a payout without an answer; one the bank never saw is ordered again, same reference.

    False when the bank gave no answer.
    """
    instruction = payments.take_up(instruction_id=instruction_id)
    return instruction is None or _note(instruction, payments.ask(instruction))


def _note(instruction: PaymentInstruction, answer: PaymentAnswer | None) -> bool:
    if answer is None:
        lose_payout_answer(instruction_id=instruction.pk)
        return False
    try:
        record_payout_answer(instruction_id=instruction.pk, answer=answer)
    except Unmet as refusal:
        # The day is being closed: the answer is asked for again when the next one is open.
        logger.info("payout answer put off", reference=instruction.reference, reason=refusal.detail)
    return True


@use_case("lose_payout_answer")
def lose_payout_answer(*, instruction_id: int) -> None:
    """Nobody knows whether the bank paid: the drawdown is unknown until it says so."""
    if not payments.lose(instruction_id):
        return
    system = system_actor()
    # Of several payees another may have been silent before.
    if lock(Drawdown, _drawdown_id(instruction_id), system).state == "disbursing":
        with transition(Drawdown, _drawdown_id(instruction_id), "lose_answer", actor=system):
            pass


@use_case("record_payout_answer")
def record_payout_answer(*, instruction_id: int, answer: PaymentAnswer) -> bool:
    """Book the bank's final word: a loan, or a failed drawdown whose limit is free again. Of several payees all must
    be paid; those who were are not paid again with the next attempt.

    False when it was booked before or is not final. Raises Unmet while the business day is being closed.
    """
    day = open_business_date()
    if not payments.settle(instruction_id, answer):
        return False
    system = system_actor()
    drawdown = lock(Drawdown, _drawdown_id(instruction_id), system)
    outcome = outcome_of(drawdown) if drawdown.payees.exists() else answer.status
    if not outcome:
        if answer.status == "failed":
            Drawdown.objects.filter(pk=drawdown.pk).update(failure_reason=_why(answer))
        return True
    if outcome == "succeeded":
        with transition(Drawdown, _drawdown_id(instruction_id), "confirm", actor=system) as drawdown:
            create_loan_from_drawdown(actor=system, drawdown=drawdown, start_date=day)
        publish("drawdown.disbursed", drawdown_id=drawdown.pk)
    else:
        with transition(Drawdown, _drawdown_id(instruction_id), "fail", actor=system) as drawdown:
            drawdown.failure_reason = _why(answer) or drawdown.failure_reason
            take_from_limit(drawdown.facility_id, -drawdown.amount, event="give_back", actor=system, roles=SYSTEM)
        publish("drawdown.failed", drawdown_id=drawdown.pk)
    return True


def _why(answer: PaymentAnswer) -> str:
    return (answer.failure_reason or answer.failure_code)[:200]


def _drawdown_id(instruction_id: int) -> str:
    return PaymentInstruction.objects.values_list("subject_id", flat=True).get(pk=instruction_id)
