"""Due-day debits: one file a day to the core bank, its result booked row by row.

Made once a day, sent once under its reference, asked about until the bank has the result. A short balance is booked in
part; what stays due stands in the next day's file again. A row that can't be booked is set aside with its reason, and
the others go on.
"""

from __future__ import annotations

from datetime import date

import structlog
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from branch import rail
from branch.domain.actor import Actor, system_actor
from branch.domain.money import ZERO
from branch.domain.refusals import PermissionRefused, Refusal, Unmet
from branch.domain.roles import Role
from branch.models import PaymentInstruction
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.rail import PaymentAnswer
from branch.services import payments
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.use_case import use_case
from loans.models import DebitFile, DebitRow, Instalment, Loan
from loans.queries.loans import OWING, due_today
from loans.services.debits import record_collection_answer

logger = structlog.get_logger(__name__)
MAKERS = frozenset({Role.LOAN_ACCOUNTANT, Role.SYSTEM})
State, Outcome = DebitFile.State, DebitRow.Outcome


@use_case("make_debit_file")
def make_debit_file(*, actor: Actor) -> DebitFile:
    """The file of the business day: everything due on loans whose borrower has a repayment account.

    Asked for again it is the same file. Raises Unmet while the day is being closed.
    """
    if not actor.roles & MAKERS and not actor.is_system:
        raise PermissionRefused(_("Your role does not allow this here."), event="make_debit_file")
    day = open_business_date()
    file, is_new = DebitFile.objects.select_for_update().get_or_create(
        business_date=day, defaults={"reference": f"DF-{day:%Y%m%d}"}
    )
    if is_new:
        for loan in loans_to_debit(day):
            _add(file, loan)
        file.save()
        record("debit_file.make", file, actor=actor, before={})
        after_commit("loans.tasks.send_debit_file", file.pk)
    return file


def make_when_due() -> DebitFile | None:
    """Make the day's file by itself, from the bank's hour on; None before it, on a closed day, where there is one
    already or nothing is due."""
    if timezone.localtime().hour < parameter("debit.from_hour"):
        return None
    today = business_date()
    if DebitFile.objects.filter(business_date=today).exists() or not loans_to_debit(today):
        return None
    try:
        return make_debit_file(actor=system_actor())
    except Unmet:
        return None  # the day is being closed: tomorrow's file has it


def loans_to_debit(day: date) -> list[Loan]:
    """Loans with an instalment due by `day` or penalty to pay, an account to debit, and no debit under way."""
    unpaid = Q(principal_paid__lt=F("principal")) | Q(interest_paid__lt=F("interest")) | Q(fee_paid__lt=F("fee"))
    due = Instalment.objects.filter(unpaid, loan=OuterRef("pk"), due_date__lte=day)
    waiting = PaymentInstruction.objects.filter(subject_type="loan").exclude(state__in=("succeeded", "failed"))
    busy = {int(pk) for pk in waiting.values_list("subject_id", flat=True)}
    rows = Loan.objects.filter(Q(penalty_due__gt=0) | Exists(due), state__in=OWING)
    return [loan for loan in rows.select_related("customer", "office").order_by("pk") if loan.pk not in busy]


def _add(file: DebitFile, loan: Loan) -> None:
    account, amount = loan.customer.repayment_account, due_today(loan)
    if not account or amount <= ZERO:
        return
    earlier = PaymentInstruction.objects.filter(subject_type="loan", subject_id=str(loan.pk)).count()
    instruction = payments.create_instruction(
        reference=f"{loan.number}-C{earlier + 1}",
        kind=PaymentInstruction.Kind.COLLECTION,
        amount=amount,
        account=account,
        account_name=loan.customer.name,
        memo=loan.number,
        subject=loan,
        batch=file.reference,
    )
    DebitRow.objects.create(file=file, loan=loan, instruction=instruction)
    file.count += 1
    file.amount += amount


def send_debit_file(*, file_id: int) -> bool:
    """Hand the file to the bank; sent again it is taken once. False when the bank gave no answer."""
    file = DebitFile.objects.filter(pk=file_id, state=State.MADE).first()
    if file is None:
        return True
    rows = file.rows.select_related("instruction").order_by("pk")
    orders = [_order(row.instruction, file.business_date) for row in rows]
    try:
        if orders:
            rail.from_settings().submit_collection_file(file.reference, orders)
    except rail.RailError as error:
        logger.warning("debit file not taken", reference=file.reference, reason=error.reason)
        return False
    note_file_sent(file_id=file.pk)
    return True


def _order(instruction: PaymentInstruction, day: date) -> rail.CollectionOrder:
    return rail.CollectionOrder(
        reference=instruction.reference,
        amount=instruction.amount,
        memo=instruction.memo,
        business_date=day,
        payer_account=instruction.account,
        payer_name=instruction.account_name,
        allow_partial=True,
    )


@use_case("note_debit_file_sent")
def note_file_sent(*, file_id: int) -> None:
    """The bank has it. A file without debits is done with that."""
    file = DebitFile.objects.select_for_update().get(pk=file_id)
    if file.state != State.MADE:
        return
    file.state, file.sent_at = (State.SENT if file.count else State.BOOKED), timezone.now()
    file.save()
    payments.mark_sent(file.reference)
    record("debit_file.send", file, actor=system_actor(), before={"state": State.MADE})


def fetch_debit_result(*, file_id: int) -> bool:
    """Ask for the file's result and book it. False while there is none."""
    file = DebitFile.objects.filter(pk=file_id, state=State.SENT).first()
    if file is None:
        return True
    try:
        result = rail.from_settings().collection_file_result(file.reference)
    except rail.NoAnswer as silence:
        logger.warning("no result of the debit file", reference=file.reference, reason=silence.reason)
        return False
    if result is None:
        # The bank lost it: it is handed over again, under the same reference.
        DebitFile.objects.filter(pk=file.pk, state=State.SENT).update(state=State.MADE)
        return False
    if result.status != "done":
        return False
    return book_result(file_id=file.pk, answers=list(result.answers))


def book_result(*, file_id: int, answers: list[PaymentAnswer]) -> bool:
    """Book the rows of a result, each by itself; False while some still have to wait for an open day."""
    by_reference = {answer.reference: answer for answer in answers}
    waits = False
    for row in DebitRow.objects.filter(file_id=file_id, outcome=Outcome.OPEN).select_related("instruction"):
        answer = by_reference.get(row.instruction.reference)
        try:
            book_debit_row(row_id=row.pk, answer=answer)
        except Unmet as refusal:
            logger.info("debit result put off", reference=row.instruction.reference, reason=refusal.detail)
            waits = True
        except Exception as error:
            logger.exception("debit row set aside", reference=row.instruction.reference)
            set_row_aside(row_id=row.pk, reason=error.detail if isinstance(error, Refusal) else str(error))
    if not waits:
        finish_debit_file(file_id=file_id)
    return not waits


@use_case("book_debit_row")
def book_debit_row(*, row_id: int, answer: PaymentAnswer | None) -> DebitRow:
    """Book what the bank took of one row. Raises Unmet while the day is being closed."""
    row = DebitRow.objects.select_for_update().select_related("instruction").get(pk=row_id)
    if row.outcome != Outcome.OPEN:
        return row
    fault = _fault(row, answer)
    if fault or answer is None:
        row.outcome, row.reason = Outcome.SET_ASIDE, fault[:200]
    else:
        record_collection_answer(instruction_id=row.instruction_id, answer=answer)
        taken = (answer.collected_amount or row.instruction.amount) if answer.status == "succeeded" else ZERO
        row.collected_amount = taken
        row.reason = (answer.failure_reason or answer.failure_code)[:200]
        whole = taken == row.instruction.amount
        row.outcome = Outcome.BOOKED if whole else Outcome.IN_PART if taken else Outcome.FAILED
    row.save()
    return row


def _fault(row: DebitRow, answer: PaymentAnswer | None) -> str:
    """What is wrong with the answer itself."""
    if answer is None:
        return str(_("The result has no row for it."))
    if answer.status not in ("succeeded", "failed"):
        return str(_("The result does not say what became of it."))
    if answer.amount is not None and answer.amount != row.instruction.amount:
        return str(_("The result names another amount."))
    if (answer.collected_amount or ZERO) > row.instruction.amount:
        return str(_("More was debited than was asked for."))
    return ""


@use_case("set_debit_row_aside")
def set_row_aside(*, row_id: int, reason: str) -> None:
    """A person must look at it; its order stays without an answer."""
    rows = DebitRow.objects.filter(pk=row_id, outcome=Outcome.OPEN)
    rows.update(outcome=Outcome.SET_ASIDE, reason=reason[:200])


@use_case("finish_debit_file")
def finish_debit_file(*, file_id: int) -> None:
    """Every row has an outcome; the record says how many of each."""
    file = DebitFile.objects.select_for_update().get(pk=file_id)
    if file.state != State.SENT or file.rows.filter(outcome=Outcome.OPEN).exists():
        return
    file.state, file.booked_at = State.BOOKED, timezone.now()
    file.save()
    counts: dict[str, int] = {}
    for outcome in file.rows.values_list("outcome", flat=True):
        counts[outcome] = counts.get(outcome, 0) + 1
    record("debit_file.book", file, actor=system_actor(), before={}, after={"rows": counts})
    publish("debit_file.booked", debit_file_id=file.pk)


def debit_round() -> int:
    """Send what is made and fetch what is sent; how many files were taken up."""
    files = list(DebitFile.objects.exclude(state=State.BOOKED).order_by("business_date"))
    for file in files:
        if file.state == State.MADE:
            send_debit_file(file_id=file.pk)
        fetch_debit_result(file_id=file.pk)
    return len(files)
