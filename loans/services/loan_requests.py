"""What two people do to a loan: one asks, another books it. Corrections, waivers, changes of terms, and its end.

Asking works out what it would move, by booking it and taking that back; whoever confirms sees it anew. Which role may
confirm, and up to which amount, is a matter of what is asked for.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.money import ZERO, format_money
from branch.domain.refusals import (
    AuthorityExceeded,
    DutiesConflict,
    InvalidInput,
    PermissionRefused,
)
from branch.domain.roles import Duty, Role
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from branch.services.inputs import clean_reason
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.rehearsal import rehearse
from branch.services.transition import create, lock, take_duty, transition, wrong_state
from branch.services.use_case import use_case
from customers.services.screening import Moment, refuse_if_listed
from loans.domain.allocation import DueKind
from loans.domain.transactions import REVERSIBLE, TransactionKind
from loans.models import Loan, LoanRequest, LoanTransaction, Repayment
from loans.models.loan import AssetClass
from loans.queries.loans import OWING
from loans.queries.terms import terms_of
from loans.services.inputs import clean_amount, clean_reference
from loans.services.judgements import judge
from loans.services.numbers import next_number
from loans.services.repayments import receive
from loans.services.transactions import book
from loans.services.write_offs import require_class, write_down

Kind = TransactionKind
ASKERS = frozenset({Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER})
CONFIRMERS = frozenset({Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, Role.SYSTEM})
#: What another accountant may confirm; the rest is for whoever runs the branch.
AMONG_ACCOUNTANTS = frozenset({Kind.REPAYMENT, Kind.REVERSAL, Kind.WAIVER, Kind.FEE})
#: Other terms than were signed. A borrower with a screening hit nobody cleared gets none; money goes on being booked.
TERMS = frozenset({Kind.RATE_CHANGE, Kind.INTEREST_PAUSE, Kind.EXTENSION, Kind.PRINCIPAL_GRACE, Kind.RESTRUCTURING})
#: The event on the loan's record, and of its machine where one goes with it.
EVENTS = {
    Kind.REPAYMENT: "book_repayment",
    Kind.REVERSAL: "reverse",
    Kind.WAIVER: "waive",
    Kind.FEE: "charge_fee",
    Kind.RATE_CHANGE: "change_rate",
    Kind.INTEREST_PAUSE: "pause_interest",
    Kind.EXTENSION: "extend",
    Kind.PRINCIPAL_GRACE: "grant_grace",
    Kind.RESTRUCTURING: "restructure",
    Kind.MISUSE: "note_misuse",
    Kind.JUDGEMENT: "judge",
    Kind.CALL_IN: "book_call_in",
    Kind.WRITE_OFF: "book_write_off",
}
FIRES = {Kind.CALL_IN: "call_in", Kind.WRITE_OFF: "write_off"}
#: What looks at the locked loan before the booking, or refuses it.
PREPARE = {Kind.WRITE_OFF: require_class, Kind.JUDGEMENT: judge}


# --- asking


@use_case("request_backdated_repayment")
def request_backdated_repayment(
    *, actor: Actor, loan_id: int, amount: Decimal, reference: str, value_date: date, reason: str
) -> LoanRequest:
    """Ask to book money as of the earlier day it came in on. Raises InvalidInput for a day too far back or not past."""
    amount, reference = clean_amount(amount), clean_reference(reference)
    if Repayment.objects.filter(reference=reference).exists():
        raise InvalidInput(fields={"reference": [_("This reference was used for another repayment.")]})
    return _ask(actor, loan_id, Kind.REPAYMENT, reason, value_date, amount=amount, parameters={"reference": reference})


@use_case("request_reversal")
def request_reversal(*, actor: Actor, loan_id: int, transaction_id: int, reason: str) -> LoanRequest:
    """Ask to take a transaction of the loan back. Raises InvalidInput for one that can't be, or was."""
    row = LoanTransaction.objects.filter(pk=transaction_id, loan_id=loan_id).first()
    if row is None:
        raise InvalidInput(fields={"transaction_id": [_("The loan has no such transaction.")]})
    if row.kind not in REVERSIBLE:
        raise InvalidInput(fields={"transaction_id": [_("This is not taken back by a reversal.")]})
    if hasattr(row, "reversed_by"):
        raise InvalidInput(fields={"transaction_id": [_("This was taken back already.")]})
    states = (*OWING, "settled")
    return _ask(actor, loan_id, Kind.REVERSAL, reason, row.value_date, reverses=row, states=states, amount=row.amount)


@use_case("request_waiver")
def request_waiver(
    *, actor: Actor, loan_id: int, kind: str, amount: Decimal, reason: str, value_date: date | None = None
) -> LoanRequest:
    """Ask to do without so much of the interest, penalty interest or fee that is due. Raises InvalidInput by field."""
    if kind not in (DueKind.PENALTY, DueKind.INTEREST, DueKind.FEE):
        raise InvalidInput(fields={"kind": [_("Choose penalty interest, interest or a fee.")]})
    return _ask(
        actor, loan_id, Kind.WAIVER, reason, value_date, amount=clean_amount(amount), parameters={"kind": str(kind)}
    )


@use_case("request_fee")
def request_fee(*, actor: Actor, loan_id: int, amount: Decimal, reason: str) -> LoanRequest:
    """Ask to charge a fee, due with the running instalment."""
    return _ask(actor, loan_id, Kind.FEE, reason, None, amount=clean_amount(amount))


@use_case("request_rate_change")
def request_rate_change(
    *, actor: Actor, loan_id: int, annual_rate: Decimal, reason: str, value_date: date | None = None
) -> LoanRequest:
    """Ask for another rate from a day on, with the penalty rate that goes with it. The instalment is found anew."""
    return _ask(actor, loan_id, Kind.RATE_CHANGE, reason, value_date, parameters=_rates(loan_id, annual_rate))


@use_case("request_interest_pause")
def request_interest_pause(
    *, actor: Actor, loan_id: int, until: date, reason: str, value_date: date | None = None
) -> LoanRequest:
    """Ask that no interest runs from a day (in) until another (out)."""
    parameters = {"until": until.isoformat()}
    return _ask(actor, loan_id, Kind.INTEREST_PAUSE, reason, value_date, parameters=parameters)


@use_case("request_extension")
def request_extension(*, actor: Actor, loan_id: int, extra_instalments: int, reason: str) -> LoanRequest:
    """Ask for more instalments; what is left is spread over them too."""
    parameters = _counts(extra_instalments=extra_instalments)
    return _ask(actor, loan_id, Kind.EXTENSION, reason, None, parameters=parameters)


@use_case("request_principal_grace")
def request_principal_grace(*, actor: Actor, loan_id: int, principal_grace: int, reason: str) -> LoanRequest:
    """Ask that the next so many instalments pay interest alone."""
    parameters = _counts(principal_grace=principal_grace)
    return _ask(actor, loan_id, Kind.PRINCIPAL_GRACE, reason, None, parameters=parameters)


@use_case("request_restructuring")
def request_restructuring(
    *,
    actor: Actor,
    loan_id: int,
    reason: str,
    annual_rate: Decimal | None = None,
    extra_instalments: int | None = None,
    principal_grace: int | None = None,
) -> LoanRequest:
    """Ask for other terms for a borrower in difficulty: the loan is observed from then on.

    Raises InvalidInput when nothing would change.
    """
    parameters = _counts(extra_instalments=extra_instalments, principal_grace=principal_grace)
    if annual_rate is not None:
        parameters |= _rates(loan_id, annual_rate)
    if not parameters:
        raise InvalidInput(_("Say what changes: the rate, the instalments or a grace."))
    return _ask(actor, loan_id, Kind.RESTRUCTURING, reason, None, parameters=parameters)


@use_case("request_misuse")
def request_misuse(*, actor: Actor, loan_id: int, reason: str, value_date: date | None = None) -> LoanRequest:
    """Ask to charge for funds used against the contract from a day on: the heavier of the two penalties, never both."""
    loan = Loan.objects.filter(pk=loan_id).first()
    rate = (loan.annual_rate * (1 + terms_of(loan).misuse_uplift)).quantize(Decimal("0.000001")) if loan else ZERO
    return _ask(actor, loan_id, Kind.MISUSE, reason, value_date, parameters={"misuse_rate": str(rate)})


@use_case("request_judgement")
def request_judgement(*, actor: Actor, loan_id: int, asset_class: str, reason: str) -> LoanRequest:
    """Ask that the class be at least this one, whatever the rules say; `normal` lifts that again.

    Out of non-performing it is the approval the rules wait for: raises Unmet before the proving time is over.
    """
    if asset_class not in AssetClass.values:
        raise InvalidInput(fields={"asset_class": [_("Choose one of the classes.")]})
    return _ask(actor, loan_id, Kind.JUDGEMENT, reason, None, parameters={"asset_class": str(asset_class)})


@use_case("request_call_in")
def request_call_in(*, actor: Actor, loan_id: int, reason: str) -> LoanRequest:
    """Ask to call the loan in: everything falls due on the day it is confirmed."""
    return _ask(actor, loan_id, Kind.CALL_IN, reason, None, states=("active",))


@use_case("request_write_off")
def request_write_off(*, actor: Actor, loan_id: int, reason: str) -> LoanRequest:
    """Ask to write the claim off the books; the borrower goes on owing it. Raises Unmet for a class too good."""
    return _ask(actor, loan_id, Kind.WRITE_OFF, reason, None)


def _counts(**counts: int | None) -> dict[str, Any]:
    given = {name: count for name, count in counts.items() if count is not None}
    if wrong := [name for name, count in given.items() if not 0 < count <= 600]:
        raise InvalidInput(fields={name: [_("Enter a number from 1 to 600.")] for name in wrong})
    return given


def _rates(loan_id: int, annual_rate: Decimal) -> dict[str, str]:
    if not annual_rate.is_finite() or not 0 <= annual_rate <= 1:
        raise InvalidInput(fields={"annual_rate": [_("Enter a rate from 0 to 1 a year.")]})
    loan = Loan.objects.filter(pk=loan_id).first()
    uplift = terms_of(loan).overdue_uplift if loan is not None else ZERO
    penalty = (annual_rate * (1 + uplift)).quantize(Decimal("0.000001"))
    return {"annual_rate": str(annual_rate), "penalty_rate": str(penalty)}


def _ask(
    actor: Actor,
    loan_id: int,
    kind: TransactionKind,
    reason: str,
    value_date: date | None,
    *,
    states: tuple[str, ...] = OWING,
    **facts: Any,
) -> LoanRequest:
    reason = clean_reason(reason)
    if kind in TERMS:
        _refuse_if_listed(actor, loan_id)
    loan = lock(Loan, loan_id, actor)
    if not actor.holds(ASKERS, loan.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event=f"request_{kind}")
    take_duty(actor, loan.file_key, Duty.BOOK)
    today = open_business_date()
    if loan.state not in states:
        raise wrong_state(loan, f"request_{kind}", states)
    day = today if value_date is None else value_date
    _require_day(loan, day, today, is_past=kind is Kind.REPAYMENT)
    request = LoanRequest(
        office=loan.office,
        number=next_number("LR", today.year),
        loan=loan,
        application_id=loan.application_id,
        customer_id=loan.customer_id,
        owner_id=loan.owner_id,
        kind=kind,
        value_date=day,
        reason=reason,
        requested_by_id=actor.person_id,
        **facts,
    )
    request.expected = rehearse(lambda: _moved(_carry_out(system_actor(), request)))
    create(request, actor=actor, roles=ASKERS, event="request", reason=reason)
    publish("loan_request.requested", loan_request_id=request.pk)
    return request


def _refuse_if_listed(actor: Actor, loan_id: int) -> None:
    """Raises Unmet while a screening hit is not cleared. A customer is locked before its loans, as by a renewal."""
    loan = visible(Loan, actor).select_related("customer", "office").filter(pk=loan_id).first()
    if loan is not None and actor.holds(ASKERS, loan.office.path):
        refuse_if_listed(loan.customer, Moment.LOAN)


def _moved(booked: LoanTransaction) -> dict[str, Any]:
    return {"before": booked.movement.before, "after": booked.movement.after}


def _require_day(loan: Loan, day: date, today: date, is_past: bool) -> None:
    earliest = max(loan.start_date, today - timedelta(days=parameter("servicing.backdating_days")))
    latest = today - timedelta(days=1) if is_past else today
    if not earliest <= day <= latest:
        message = _("Choose a day from %(earliest)s to %(latest)s.") % {"earliest": earliest, "latest": latest}
        raise InvalidInput(fields={"value_date": [message]})


# --- deciding


@use_case("confirm_loan_request")
def confirm_loan_request(*, actor: Actor, loan_request_id: int, expected_version: int | None = None) -> LoanRequest:
    """Book what somebody else asked for, as the loan stands now.

    Raises DutiesConflict for who asked, AuthorityExceeded for what is not theirs to confirm, Unmet for other terms
    while a screening hit of the customer is not cleared.
    """
    with transition(LoanRequest, loan_request_id, "confirm", actor=actor, expected_version=expected_version) as request:
        require_second_person(actor, request)
        require_authority(actor, request)
        if request.kind in TERMS:
            refuse_if_listed(request.customer, Moment.LOAN)
        request.transaction = _carry_out(actor, request)
        request.decided_by_id = actor.user_id
    publish("loan_request.confirmed", loan_request_id=request.pk)
    return request


@use_case("refuse_loan_request")
def refuse_loan_request(
    *, actor: Actor, loan_request_id: int, reason: str, expected_version: int | None = None
) -> LoanRequest:
    """Not to be booked, with the reason. Raises DutiesConflict for who asked."""
    reason = clean_reason(reason)
    with transition(
        LoanRequest, loan_request_id, "refuse", actor=actor, reason=reason, expected_version=expected_version
    ) as request:
        require_second_person(actor, request)
        request.decided_by_id, request.decision_reason = actor.user_id, reason
    publish("loan_request.refused", loan_request_id=request.pk)
    return request


@use_case("withdraw_loan_request")
def withdraw_loan_request(*, actor: Actor, loan_request_id: int, expected_version: int | None = None) -> LoanRequest:
    """Take back what one asked for oneself. Raises PermissionRefused for anybody else."""
    with transition(
        LoanRequest, loan_request_id, "withdraw", actor=actor, expected_version=expected_version
    ) as request:
        if request.requested_by_id != actor.user_id:
            raise PermissionRefused(_("Only who asked for it takes it back."), event="withdraw")
        request.decided_by_id = actor.user_id
    return request


def require_second_person(actor: Actor, request: LoanRequest) -> None:
    if actor.user_id == request.requested_by_id:
        raise DutiesConflict(_("You asked for this, so somebody else must decide it."), held=Duty.BOOK.value)


def require_authority(actor: Actor, request: LoanRequest) -> None:
    """An accountant confirms corrections and small waivers; the rest is the manager's, up to the bank's limit."""
    manages = actor.holds(frozenset({Role.BRANCH_MANAGER}), request.office.path)
    if request.kind not in AMONG_ACCOUNTANTS and not manages:
        raise AuthorityExceeded(_("This is for the branch manager to confirm."), kind=request.kind)
    if request.kind == Kind.WAIVER:
        limit = parameter("waiver.branch_limit" if manages else "waiver.accountant_limit")
        if (request.amount or ZERO) > limit:
            raise AuthorityExceeded(
                _("You may waive up to %(limit)s.") % {"limit": format_money(limit)}, limit=str(limit)
            )


def _carry_out(actor: Actor, request: LoanRequest) -> LoanTransaction:
    kind = TransactionKind(request.kind)
    facts: dict[str, Any] = {"reason": request.reason, "requested_by_id": request.requested_by_id}
    if kind is Kind.REPAYMENT:
        return _receive(actor, request, facts)
    new = LoanTransaction(
        loan_id=request.loan_id,
        customer_id=request.customer_id,
        kind=kind,
        reference=request.number,
        value_date=open_business_date() if kind in FIRES else request.value_date,
        amount=request.amount,
        parameters=request.parameters,
        reverses=request.reverses,
        booked_by_id=actor.user_id,
        **facts,
    )
    book(
        new,
        event=EVENTS[kind],
        actor=actor,
        roles=CONFIRMERS,
        states=(*OWING, "settled") if kind is Kind.REVERSAL else OWING,
        reason=request.reason,
        prepare=PREPARE[kind](new) if kind in PREPARE else None,
        fires=FIRES.get(kind, ""),
    )
    if kind is Kind.WRITE_OFF:
        write_down(new)
    return new


def _receive(actor: Actor, request: LoanRequest, facts: dict[str, Any]) -> LoanTransaction:
    loan = Loan.objects.get(pk=request.loan_id)
    receipt = Repayment(
        loan=loan,
        customer_id=loan.customer_id,
        reference=request.parameters["reference"],
        amount=request.amount or ZERO,
        value_date=request.value_date,
        channel=Repayment.Channel.COUNTER,
        booked_by_id=actor.user_id,
    )
    return receive(actor, receipt, roles=CONFIRMERS, states=OWING, **facts).transaction
