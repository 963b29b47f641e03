"""Debits of the repayment account through the core bank: sent once, booked once with what the bank took."""

from __future__ import annotations

import structlog

from branch.domain.actor import system_actor
from branch.domain.refusals import Unmet
from branch.models import PaymentInstruction
from branch.rail import PaymentAnswer
from branch.services import payments
from branch.services.events import record
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.use_case import use_case
from loans.models import Loan
from loans.services.repayments import book_collected

logger = structlog.get_logger(__name__)


def send_collection(*, instruction_id: int) -> bool:
    """Order a debit that was not sent yet. False when the bank gave no answer."""
    instruction = payments.claim(instruction_id=instruction_id)
    return instruction is None or _note(instruction, payments.order(instruction))


def ask_about_collection(*, instruction_id: int) -> bool:
    """Ask what became of a debit without an answer; one the bank never saw is ordered again, same reference.

    False when the bank gave no answer.
    """
    instruction = payments.take_up(instruction_id=instruction_id)
    return instruction is None or _note(instruction, payments.ask(instruction))


def _note(instruction: PaymentInstruction, answer: PaymentAnswer | None) -> bool:
    if answer is None:
        lose_collection_answer(instruction_id=instruction.pk)
        return False
    try:
        record_collection_answer(instruction_id=instruction.pk, answer=answer)
    except Unmet as refusal:
        # The day is being closed: the answer is asked for again when the next one is open.
        logger.info("collection answer put off", reference=instruction.reference, reason=refusal.detail)
    return True


@use_case("lose_collection_answer")
def lose_collection_answer(*, instruction_id: int) -> None:
    """Nobody knows what the bank took."""
    payments.lose(instruction_id)


@use_case("record_collection_answer")
def record_collection_answer(*, instruction_id: int, answer: PaymentAnswer) -> bool:
    """Book what the bank took, which may be less than was asked; or note that it took nothing, and why.

    False when it was booked before or is not final. Raises Unmet while the business day is being closed.
    """
    open_business_date()
    if not payments.settle(instruction_id, answer):
        return False
    instruction = PaymentInstruction.objects.get(pk=instruction_id)
    system = system_actor()
    if answer.status == "succeeded":
        book_collected(
            actor=system,
            loan_id=int(instruction.subject_id),
            amount=answer.collected_amount or instruction.amount,
            reference=instruction.reference,
        )
        return True
    record(
        "loan.collect_failed",
        Loan.objects.get(pk=instruction.subject_id),
        actor=system,
        before={},
        after={"reference": instruction.reference},
        reason=answer.failure_reason or answer.failure_code,
    )
    publish("collection.failed", loan_id=int(instruction.subject_id), instruction_id=instruction.pk)
    return True
