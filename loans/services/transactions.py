"""Booking what happened to a loan: one row, and everything stored of the loan brought to what follows from it.

    book(LoanTransaction(kind=…, …), event="prepay", actor=actor, roles=BOOKERS)

replays the loan under its lock, whatever the value date: what came after a backdated or reversed booking is worked out
anew. What moved is kept with the transaction (`Movement`) and shown to whoever booked it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.money import ZERO
from branch.domain.refusals import InvalidInput, KeyReused
from branch.domain.roles import Role
from branch.services.events import record
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import authorise, change, fire, transition
from loans.domain import ledger
from loans.domain.ledger import MoneyEvent
from loans.domain.terms import TermsError
from loans.domain.transactions import PAYMENTS, TransactionKind
from loans.models import JournalEntry, Loan, LoanEntry, LoanTransaction, Movement
from loans.queries.loans import OWING, what_is_owed
from loans.queries.servicing import account_of, live_transactions, picture_of, stands_on
from loans.services.facilities import take_from_limit
from loans.services.ledger import post, post_totals, reverse
from loans.services.projection import Written, bring_up, correct_accruals

#: Called with a loan whose past was worked out anew, so that its days past due and class follow (postloan registers).
RESTATE: list[Callable[[Loan], None]] = []
#: The entry in the books that a transaction of this kind makes of its own amounts; others only adjust.
MONEY_EVENTS = dict.fromkeys(PAYMENTS, MoneyEvent.REPAYMENT) | {TransactionKind.WAIVER: MoneyEvent.WAIVER}


def book(
    new: LoanTransaction,
    *,
    event: str,
    actor: Actor,
    roles: frozenset[Role],
    states: tuple[str, ...] = (),
    reason: str = "",
    expected_version: int | None = None,
    prepare: Callable[[Loan], None] | None = None,
    fires: str = "",
    day: date | None = None,
) -> LoanTransaction:
    """Insert `new` and bring its loan up to it; `prepare` looks at the locked loan first.

    `fires` is the event of the loan's machine that goes with it; `day` the business date of a night. Raises KeyReused
    for a reference booked before, InvalidInput for what can't have happened to this loan.
    """
    today = day or open_business_date()
    with change(
        Loan,
        new.loan_id,
        event,
        actor=actor,
        roles=roles,
        states=states,
        owner_only=False,
        reason=reason,
        expected_version=expected_version,
    ) as loan:
        if prepare is not None:
            prepare(loan)
        before, outstanding = picture_of(loan), loan.outstanding_principal
        insert(new, today)
        written, corrections = _bring_up(loan, new, today)
        state = loan.state
        if state == "settled" and (loan.outstanding_principal or loan.penalty_due):
            fires, loan.settled_date = "reactivate", None
        if fires:
            _fire(actor, loan, fires)
    if fires:
        record(f"loan.{fires}", loan, actor=actor, before={"state": state}, after={"state": loan.state})
        publish(f"loan.{loan.state}", loan_id=loan.pk)
    _post(loan, new, written, corrections)
    give_back(actor, loan, outstanding - loan.outstanding_principal, roles)
    loan = settle_if_paid(actor, loan.pk, today)
    if new.value_date < today or new.kind not in PAYMENTS:
        for restate in RESTATE:
            restate(loan)
    Movement.objects.create(transaction=new, before=before, after=picture_of(Loan.objects.get(pk=loan.pk)))
    publish("loan.booked", transaction_id=new.pk)
    return new


def _fire(actor: Actor, loan: Loan, event: str) -> None:
    # The system rehearses what a person asks for, and somebody else will be asked when it is booked.
    if not actor.is_system:
        authorise(actor, loan, event)
    fire(loan, event)


def insert(new: LoanTransaction, today: date) -> None:
    """Raises KeyReused when the reference was used, or the transaction reversed before."""
    new.booked_date = today
    try:
        with transaction.atomic():
            new.save(force_insert=True)
    except IntegrityError as error:
        raise KeyReused(_("This reference was used for something else."), reference=new.reference) from error


def _bring_up(loan: Loan, new: LoanTransaction, today: date) -> tuple[Written, dict[ledger.Kind, Decimal]]:
    rows = live_transactions(loan)
    try:
        account, keys = account_of(loan, rows)
    except TermsError as error:
        raise _refusal(error) from error
    account.advance(stands_on(rows, today))
    written = bring_up(loan, account, keys, rows, new)
    return written, correct_accruals(loan, account, rows, new)


def _refusal(error: TermsError) -> InvalidInput:
    reasons = {
        "payoff": _("A pay-off booked since would no longer pay the loan off. Reverse that first."),
        "too_late": _("The loan has no instalment left on that day."),
        "waiver": _("Less than this is due of it on that day."),
    }
    message = reasons.get(error.code, _("This can't have happened to this loan on that day."))
    return InvalidInput(
        f"{message} ({error})", fields={"amount" if error.code == "waiver" else "value_date": [message]}
    )


# --- the books


def _post(loan: Loan, new: LoanTransaction, written: Written, corrections: dict[ledger.Kind, Decimal]) -> None:
    day, own, moved = new.value_date, written.own, written.moved
    if new.reverses is not None:
        moved = _without(moved, _take_back(new.reverses, day))
    event = MONEY_EVENTS.get(TransactionKind(new.kind))
    if new.kind == TransactionKind.RENEWAL:
        _post_renewal(loan, new, own)
    elif event is not None:
        post(event, loan, own, value_date=day, reference=journal_reference(new))
    post(MoneyEvent.FEE_CHARGED, loan, {ledger.Kind.FEE: written.charged}, value_date=day)
    post(MoneyEvent.ADJUSTMENT, loan, moved, value_date=day)
    # Like the nights' own: interest earned is on the books by office and family, not by loan.
    totals = {(loan.office_id, loan.product_family): corrections}
    post_totals(MoneyEvent.ACCRUAL, totals, day=new.booked_date, source=f"correction/{new.pk}")


def _post_renewal(loan: Loan, new: LoanTransaction, own: dict[ledger.Kind, Decimal]) -> None:
    """Principal goes to the new loan; the rest was paid in before, and held."""
    principal = {ledger.Kind.PRINCIPAL: own.get(ledger.Kind.PRINCIPAL, ZERO)}
    rest = _without(own, principal | {ledger.Kind.SUSPENSE_USED: own.get(ledger.Kind.SUSPENSE_USED, ZERO)})
    post(MoneyEvent.RENEWED, loan, principal, value_date=new.value_date, reference=journal_reference(new))
    post(MoneyEvent.HELD_MONEY_USED, loan, rest, value_date=new.value_date)


def journal_reference(row: LoanTransaction) -> str:
    return f"repayment:{row.repayment_id}" if row.repayment_id else f"transaction:{row.pk}"


def _take_back(reversed_row: LoanTransaction, value_date: date) -> dict[ledger.Kind, Decimal]:
    """Turn its entry in the books round; what that took back, by kind (below zero)."""
    entry = JournalEntry.objects.filter(reference=journal_reference(reversed_row)).first()
    if entry is None:
        return {}
    reverse(entry, value_date=value_date)
    taken: dict[ledger.Kind, Decimal] = {}
    for row in LoanEntry.objects.filter(transaction=reversed_row, moved_by=None):
        kind = ledger.Kind(row.kind.removesuffix("_waived"))
        taken[kind] = taken.get(kind, ZERO) - row.amount
    return taken


def _without(amounts: dict[ledger.Kind, Decimal], done: dict[ledger.Kind, Decimal]) -> dict[ledger.Kind, Decimal]:
    return {kind: amounts.get(kind, ZERO) - done.get(kind, ZERO) for kind in amounts.keys() | done.keys()}


# --- what follows


def give_back(actor: Actor, loan: Loan, repaid: Decimal, roles: frozenset[Role]) -> None:
    """A revolving line gets back what was repaid, and gives it again where a repayment was reversed."""
    facility = loan.drawdown.facility
    if repaid and facility.is_revolving:
        event = "give_back" if repaid > 0 else "reserve"
        take_from_limit(facility.pk, -repaid, event=event, actor=actor, roles=roles)


def settle_if_paid(actor: Actor, loan_id: int, day: date) -> Loan:
    """End a loan that owes nothing any more; the loan as it then is."""
    loan = Loan.objects.select_related("drawdown__facility").get(pk=loan_id)
    if loan.state in OWING and not what_is_owed(loan, day).payoff_amount:
        # It follows from the booking, whoever confirmed that.
        books = actor.holds(frozenset({Role.LOAN_ACCOUNTANT}), loan.office.path)
        with transition(Loan, loan.pk, "settle", actor=actor if books else system_actor()) as loan:
            end(loan, day)
        publish("loan.settled", loan_id=loan.pk)
    return loan


def end(loan: Loan, day: date) -> None:
    """What goes with the end of a loan, whoever ends it: it is late no more."""
    loan.settled_date, loan.days_past_due = day, 0
