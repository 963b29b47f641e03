"""Drawdowns: asked for by the owner of the file, checked and released once by somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused, Unmet, WrongState
from branch.domain.roles import Duty, Role
from branch.models import PaymentInstruction
from branch.queries.business_date import business_date
from branch.services.enqueue import after_commit
from branch.services.inputs import clean_reason
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import create, lock, take_duty, transition, wrong_state
from branch.services.use_case import use_case
from customers.services.relations import hold_links
from customers.services.screening import Moment, refuse_if_listed
from loans.models import Drawdown, Facility, Payee
from loans.queries.facilities import MAY_BE_ASKED, payout_amount, undrawn_amount
from loans.services.exposure import hold_group, require_room_to_pay
from loans.services.facilities import require_settled_conditions, take_from_limit
from loans.services.inputs import clean_account, clean_amount, clean_text
from loans.services.lending import schedule_of
from loans.services.payees import PayeeFacts, anybody_paid, clean_payees, order_payments, require_entrusted
from loans.services.renewals import carry_over

MANAGER = frozenset({Role.ACCOUNT_MANAGER})
RELEASERS = frozenset({Role.DISBURSEMENT_OFFICER})


@use_case("request_drawdown")
def request_drawdown(
    *,
    actor: Actor,
    facility_id: int,
    amount: Decimal,
    purpose: str,
    payee_name: str = "",
    payee_account: str = "",
    payees: Sequence[PayeeFacts] = (),
) -> Drawdown:
    """Ask for money from a line of the own file, within what is left of it; it goes to one payee, or to a list of them.

    Raises InvalidInput by field, WrongState for a line that is frozen or ended, Unmet after its term.
    """
    facility = lock(Facility, facility_id, actor)
    if facility.owner_id != actor.user_id or not actor.holds(MANAGER, facility.office.path):
        raise PermissionRefused(_("Only the account manager of this file asks for money."), event="request")
    take_duty(actor, facility.file_key, Duty.OWN)
    if facility.application.renews_id:
        raise Unmet(_("This line takes over an old loan; no money is paid out of it."))
    if facility.state not in MAY_BE_ASKED:
        raise wrong_state(facility, "request_drawdown", MAY_BE_ASKED)
    amount = clean_amount(amount)
    left = undrawn_amount(facility)
    if amount > left:
        raise InvalidInput(fields={"amount": [_("The line has %(left)s left.") % {"left": format_money(left)}]})
    _require_within_term(facility)
    refuse_if_listed(facility.customer, Moment.DRAWDOWN)
    schedule_of(facility.contract, amount, business_date())
    drawdown = Drawdown(
        office=facility.office,
        number=f"{facility.contract.number}-D{facility.drawdowns.count() + 1}",
        facility=facility,
        application_id=facility.application_id,
        customer_id=facility.customer_id,
        owner_id=facility.owner_id,
        amount=amount,
        purpose=clean_text(purpose, "purpose", 200),
    )
    rows = clean_payees(payees, drawdown)
    if rows:
        drawdown.payee_name, drawdown.payee_account = rows[0].name, rows[0].account
    else:
        drawdown.payee_name = clean_text(payee_name, "payee_name", 120)
        drawdown.payee_account = clean_account(payee_account, "payee_account")
    create(drawdown, actor=actor, roles=MANAGER, event="request")
    for row in rows:
        row.drawdown = drawdown
    Payee.objects.bulk_create(rows)
    publish("drawdown.requested", drawdown_id=drawdown.pk)
    return drawdown


@use_case("check_drawdown")
def check_drawdown(*, actor: Actor, drawdown_id: int, expected_version: int | None = None) -> Drawdown:
    """It is in order: the line effective, every condition settled, the amount within the limit.

    Raises Unmet with what is missing; a failed one is checked again before its next attempt.
    """
    with transition(Drawdown, drawdown_id, "check", actor=actor, expected_version=expected_version) as drawdown:
        _refuse_owner(actor, drawdown)
        facility = lock(Facility, drawdown.facility_id, actor)
        _require_ready(facility, "check_drawdown")
        if not drawdown.application.renews_id:
            require_entrusted(drawdown)
        left = undrawn_amount(facility, except_drawdown=drawdown.pk)
        if drawdown.amount > left:
            raise Unmet(_("The line has %(left)s left.") % {"left": format_money(left)}, left=str(left))
        refuse_if_listed(drawdown.customer, Moment.DRAWDOWN)
    return drawdown


@use_case("release_drawdown")
def release_drawdown(*, actor: Actor, drawdown_id: int, expected_version: int | None = None) -> Drawdown:
    """Pay it out: reserve the limit and order the payment, which goes to the core bank after the commit.

    Raises DutiesConflict for the owner, WrongState for a second release, Unmet with every open condition, or with
    the figures where the borrower or its group would owe more than a limit.
    """
    hold_links()
    try:
        with transition(Drawdown, drawdown_id, "release", actor=actor, expected_version=expected_version) as drawdown:
            _refuse_owner(actor, drawdown)
            _take_up(actor, drawdown)
            ordered = [] if drawdown.application.renews_id else _order(drawdown)
    except WrongState:
        # An open condition is what keeps it from being checked, and says more than the state does.
        require_settled_conditions(Drawdown.objects.get(pk=drawdown_id).application_id)
        raise
    if drawdown.application.renews_id:
        carry_over(drawdown.pk)
        return Drawdown.objects.get(pk=drawdown.pk)
    for instruction in ordered:
        after_commit("loans.tasks.send_payout", instruction.pk)
    return drawdown


def _order(drawdown: Drawdown) -> list[PaymentInstruction]:
    if payout_amount(drawdown) <= 0:
        raise Unmet(_("The fees leave nothing of this amount to be paid out."))
    return order_payments(drawdown)


def _take_up(actor: Actor, drawdown: Drawdown) -> None:
    """Everything is looked at again under the locks, then the limit is taken."""
    # A loan may not begin on a day whose interest is being worked out.
    day = open_business_date()
    facility = lock(Facility, drawdown.facility_id, actor)
    _require_ready(facility, "release_drawdown")
    hold_group(facility.customer)
    refuse_if_listed(facility.customer, Moment.DRAWDOWN)
    if not drawdown.application.renews_id:
        require_entrusted(drawdown)
    schedule_of(facility.contract, drawdown.amount, day)
    require_room_to_pay(drawdown)
    take_from_limit(facility.pk, drawdown.amount, event="reserve", actor=actor, roles=RELEASERS)
    drawdown.attempt += 1
    drawdown.failure_reason = ""
    drawdown.released_by_id = actor.user_id
    drawdown.released_at = timezone.now()


@use_case("refuse_drawdown")
def refuse_drawdown(*, actor: Actor, drawdown_id: int, reason: str, expected_version: int | None = None) -> Drawdown:
    """Not to be paid out, with the reason."""
    reason = clean_reason(reason)
    with transition(
        Drawdown, drawdown_id, "refuse", actor=actor, reason=reason, expected_version=expected_version
    ) as drawdown:
        _refuse_owner(actor, drawdown)
        _require_nobody_paid(drawdown)
    publish("drawdown.refused", drawdown_id=drawdown.pk)
    return drawdown


@use_case("cancel_drawdown")
def cancel_drawdown(*, actor: Actor, drawdown_id: int, reason: str, expected_version: int | None = None) -> Drawdown:
    """The owner takes it back before it is released."""
    reason = clean_reason(reason)
    with transition(
        Drawdown, drawdown_id, "cancel", actor=actor, reason=reason, expected_version=expected_version
    ) as drawdown:
        _require_nobody_paid(drawdown)
    return drawdown


def _require_nobody_paid(drawdown: Drawdown) -> None:
    if anybody_paid(drawdown):
        raise Unmet(_("Some of the payees were paid: correct the others and pay them."))


def _refuse_owner(actor: Actor, drawdown: Drawdown) -> None:
    """The duties of the file say so too; a file handed over has an owner who did nothing on it yet."""
    if actor.user_id in (drawdown.owner_id, drawdown.application.owner_id):
        raise DutiesConflict(_("You own this file, so somebody else must do this."), held=Duty.OWN.value)


def _require_ready(facility: Facility, event: str) -> None:
    if facility.state != "effective":
        # Before the line is effective it is mostly a condition that is missing; that says more than a state.
        require_settled_conditions(facility.application_id)
        raise wrong_state(facility, event, ("effective",))
    require_settled_conditions(facility.application_id)
    _require_within_term(facility)


def _require_within_term(facility: Facility) -> None:
    if business_date() > facility.maturity_date:
        raise Unmet(_("The line has matured."), maturity_date=str(facility.maturity_date))
