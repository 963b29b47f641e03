"""Orders to the core bank: noted, sent once, asked about while nobody knows. The only writer of their state.

created → sent → succeeded or failed, by conditional updates: of two workers one wins. Without an answer an order
is unknown; it is asked about and, where the bank never saw it, ordered again under the same reference.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import structlog
from django.db import connection
from django.db.models import F, Model, Q, QuerySet
from django.utils import timezone

from branch import rail
from branch.failpoints import declare, failpoint
from branch.models import PaymentInstruction
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.services.use_case import use_case

logger = structlog.get_logger(__name__)
Kind, State = PaymentInstruction.Kind, PaymentInstruction.State
UNANSWERED = (State.SENT, State.UNKNOWN)
#: The bank found fault with the order itself. Any other refusal (a wrong token, a wrong address) is about the
#: caller: the order may still be carried out once that is put right.
FAULTY_ORDER = (400, 422)
CONFLICT = "reference_conflict"
#: A person must look, and everybody knows that nobody knows.
SET_ASIDE = Q(state=State.UNKNOWN, failure_code=CONFLICT)

declare("order_payment.before_call", "order_payment.after_call")
declare("query_payment.before_call", "query_payment.after_call")


def create_instruction(
    *,
    reference: str,
    kind: str,
    amount: Decimal,
    account: str,
    account_name: str,
    memo: str,
    subject: Model,
    batch: str = "",
) -> PaymentInstruction:
    """Note an order in the transaction that decided on it. Raises IntegrityError for a reference already used."""
    return PaymentInstruction.objects.create(
        reference=reference,
        kind=kind,
        amount=amount,
        account=account,
        account_name=account_name,
        memo=memo,
        batch=batch,
        customer_id=getattr(subject, "customer_id"),  # noqa: B009 - every subject of a payment has a customer
        subject_type=str(subject._meta.model_name),
        subject_id=str(subject.pk),
    )


@use_case("claim_payment")
def claim(*, instruction_id: int) -> PaymentInstruction | None:
    """Take a created order to send it. None when somebody else did."""
    return _take(instruction_id, Q(state=State.CREATED), state=State.SENT)


@use_case("take_up_payment")
def take_up(*, instruction_id: int) -> PaymentInstruction | None:
    """Take an unanswered order to ask about it; the others leave it alone for a while. None when it is answered."""
    return _take(instruction_id, Q(state__in=UNANSWERED) & ~SET_ASIDE)


def mark_sent(batch: str) -> int:
    """The file they went out with was taken by the bank; how many they are."""
    rows = PaymentInstruction.objects.filter(batch=batch, state=State.CREATED)
    return rows.update(state=State.SENT, sent_at=timezone.now())


def _take(instruction_id: int, condition: Q, **fields: str) -> PaymentInstruction | None:
    rows = PaymentInstruction.objects.filter(condition, pk=instruction_id)
    if not rows.update(sent_at=timezone.now(), **fields):
        return None
    return PaymentInstruction.objects.get(pk=instruction_id)


def lose(instruction_id: int) -> bool:
    """Nobody knows what became of it. False when it is answered, or known to be unknown."""
    rows = PaymentInstruction.objects.filter(pk=instruction_id, state=State.SENT)
    return bool(rows.update(state=State.UNKNOWN))


def settle(instruction_id: int, answer: rail.PaymentAnswer) -> bool:
    """Note the bank's final word, once. False when it was noted before, or when it is not final."""
    if answer.status not in (State.SUCCEEDED, State.FAILED):
        return False
    rows = PaymentInstruction.objects.filter(pk=instruction_id, state__in=UNANSWERED)
    return bool(
        rows.update(
            state=answer.status,
            failure_code=answer.failure_code,
            failure_reason=answer.failure_reason,
            answered_at=timezone.now(),
        )
    )


@use_case("set_payment_aside")
def set_aside(*, instruction_id: int, reason: str) -> None:
    """The bank holds something else under this reference: a person must look, nothing is sent or asked any more."""
    PaymentInstruction.objects.filter(pk=instruction_id, state__in=UNANSWERED).update(
        failure_code=CONFLICT, failure_reason=reason[:200]
    )


def unanswered() -> QuerySet[PaymentInstruction]:
    """Orders whose task was lost, and sent ones without a final answer, longest waiting first."""
    since = timezone.now() - timedelta(seconds=parameter("payout.ask_after_seconds"))
    lost = Q(state=State.CREATED, created_at__lte=since)
    silent = Q(state__in=UNANSWERED, sent_at__lte=since) & ~SET_ASIDE
    return PaymentInstruction.objects.filter(lost | silent, batch="").order_by(F("sent_at").asc(nulls_first=True), "pk")


# --- speaking with the bank ------------------------------------------------------------------------------
def order(instruction: PaymentInstruction, *, again: bool = False) -> rail.PaymentAnswer | None:
    """Order it from the bank. None when nobody knows what became of it.

    `again`: it was sent before, so a refusal of this attempt says nothing about the earlier one.
    """
    _refuse_open_transaction()
    failpoint("order_payment.before_call")
    try:
        answer = _order(instruction)
    except rail.ReferenceConflict as conflict:
        set_aside(instruction_id=instruction.pk, reason=conflict.reason)
        answer = None
    except rail.NoAnswer as silence:
        logger.warning("core bank gave no answer", reference=instruction.reference, reason=silence.reason)
        answer = None
    except rail.Refused as refused:
        answer = _refused(instruction, refused, again)
    failpoint("order_payment.after_call")
    return answer


def ask(instruction: PaymentInstruction) -> rail.PaymentAnswer | None:
    """What the bank says of it, after ordering it again if the bank never saw it. None when nobody knows."""
    _refuse_open_transaction()
    if instruction.failure_code == CONFLICT:
        # Its worker died between setting it aside and saying that nobody knows.
        return None
    failpoint("query_payment.before_call")
    answer, seen = _query(instruction)
    failpoint("query_payment.after_call")
    return answer if seen else order(instruction, again=True)


def _refuse_open_transaction() -> None:
    # A test's own transaction round everything is none of ours.
    if any(not getattr(block, "_from_testcase", False) for block in connection.atomic_blocks):
        raise RuntimeError("the core bank is never called inside a transaction")


def _order(instruction: PaymentInstruction) -> rail.PaymentAnswer:
    bank = rail.from_settings()
    facts: dict[str, Any] = {
        "reference": instruction.reference,
        "amount": instruction.amount,
        "memo": instruction.memo,
        "business_date": business_date(),
    }
    account, name = instruction.account, instruction.account_name
    if instruction.kind == Kind.PAYOUT:
        return bank.pay_out(rail.PayoutOrder(payee_account=account, payee_name=name, **facts))
    return bank.collect(rail.CollectionOrder(payer_account=account, payer_name=name, allow_partial=True, **facts))


def _refused(instruction: PaymentInstruction, refused: rail.Refused, again: bool) -> rail.PaymentAnswer | None:
    logger.warning("core bank refused", reference=instruction.reference, code=refused.code, status=refused.http_status)
    if refused.http_status not in FAULTY_ORDER:
        return None
    if again:
        answer, seen = _query(instruction)
        if seen:
            return answer
    return rail.PaymentAnswer("failed", failure_code=refused.code, failure_reason=refused.reason)


def _query(instruction: PaymentInstruction) -> tuple[rail.PaymentAnswer | None, bool]:
    """The bank's answer, and whether it may have seen the order: (None, True) when nobody knows."""
    try:
        answer = rail.from_settings().query(instruction.reference)
    except rail.NoAnswer as silence:
        logger.warning("core bank gave no answer", reference=instruction.reference, reason=silence.reason)
        return None, True
    if answer is not None and answer.amount != instruction.amount:
        set_aside(instruction_id=instruction.pk, reason="The bank holds another amount under this reference.")
        return None, True
    return answer, answer is not None
