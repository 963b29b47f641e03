"""Renewal without repaying principal: a new contract, signed before the old loan matures, takes its principal over.

The file goes the way of every file. On the day of the renewal no money moves for the principal: the old loan ends as
renewed, with its interest paid, and the new one begins with what it owed.
"""

from __future__ import annotations

from typing import TypedDict

from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.money import format_money
from branch.domain.refusals import NotFound, PermissionRefused, Unmet
from branch.domain.roles import Duty
from branch.queries.business_date import business_date
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import create, lock, take_duty, transition, wrong_state
from branch.services.use_case import use_case
from customers.services.screening import Moment, refuse_if_listed
from loans.domain.transactions import TransactionKind
from loans.models import Application, Drawdown, Facility, Loan, LoanTransaction
from loans.queries.facilities import MAY_BE_ASKED
from loans.queries.renewals import interest_to_pay, require_conditions
from loans.services.applications import MANAGER, draft_file
from loans.services.inputs import clean_text
from loans.services.lending import SYSTEM, create_loan_from_drawdown, schedule_of
from loans.services.transactions import book, end

#: A file in one of these states takes nothing over any more.
ENDED = ("declined", "withdrawn", "expired")


class Statement(TypedDict):
    """What the account manager found of the two conditions only a person can see."""

    lawful_business: str
    going_concern: str


@use_case("apply_for_renewal")
def apply_for_renewal(
    *, actor: Actor, loan_id: int, product_id: int, instalments: int, lawful_business: str, going_concern: str
) -> Application:
    """A file for what the loan still owes, drafted by its account manager.

    Raises PermissionRefused for anybody else, WrongState for a loan that has ended, Unmet while another file renews it.
    """
    statement = Statement(
        lawful_business=clean_text(lawful_business, "lawful_business", 500),
        going_concern=clean_text(going_concern, "going_concern", 500),
    )
    loan = lock(Loan, loan_id, actor)
    if loan.owner_id != actor.user_id or not actor.holds(MANAGER, loan.office.path):
        raise PermissionRefused(_("Only the customer's account manager files an application."), event="renew")
    if loan.state != "active":
        raise wrong_state(loan, "renew", ("active",))
    if other := Application.objects.filter(renews=loan).exclude(state__in=ENDED).first():
        raise Unmet(_("%(number)s renews this loan already.") % {"number": other.number}, application=other.number)
    return draft_file(
        actor,
        loan.customer_id,
        {
            "product_id": product_id,
            "amount": loan.outstanding_principal,
            "instalments": instalments,
            "guarantee_mode": loan.application.guarantee_mode,
            "purpose": loan.application.purpose,
        },
        renews=loan,
        renewal_statement=dict(statement),
    )


@use_case("request_renewal")
def request_renewal(*, actor: Actor, facility_id: int) -> Drawdown:
    """Ask that the line of a renewal take over what the old loan owes today.

    Raises Unmet by condition, and while a screening hit of the customer is not cleared.
    """
    facility = lock(Facility, facility_id, actor)
    if facility.owner_id != actor.user_id or not actor.holds(MANAGER, facility.office.path):
        raise PermissionRefused(_("Only the account manager of this file asks for money."), event="request")
    take_duty(actor, facility.file_key, Duty.OWN)
    loan = facility.application.renews
    if loan is None:
        raise Unmet(_("This file renews no loan."))
    if facility.state not in MAY_BE_ASKED:
        raise wrong_state(facility, "request_renewal", MAY_BE_ASKED)
    if facility.drawdowns.exclude(state__in=("refused", "cancelled")).exists():
        raise Unmet(_("The renewal was asked for already."))
    require_conditions(facility.application)
    refuse_if_listed(facility.customer, Moment.DRAWDOWN)
    schedule_of(facility.contract, loan.outstanding_principal, business_date())
    drawdown = Drawdown(
        office=facility.office,
        number=f"{facility.contract.number}-D{facility.drawdowns.count() + 1}",
        facility=facility,
        application_id=facility.application_id,
        customer_id=facility.customer_id,
        owner_id=facility.owner_id,
        amount=loan.outstanding_principal,
        payee_name=facility.customer.name,
        payee_account=loan.number,
        purpose=_("Takes over %(loan)s") % {"loan": loan.number},
    )
    create(drawdown, actor=actor, roles=MANAGER, event="request")
    publish("drawdown.requested", drawdown_id=drawdown.pk)
    return drawdown


def carry_over(drawdown_id: int) -> Loan:
    """End the old loan as renewed and begin the new one, in the transaction that releases the drawdown.

    Raises Unmet where a condition does not hold any more, the old loan's interest is not paid in, or its principal
    is another one by now.
    """
    day, system = open_business_date(), system_actor()
    with transition(Drawdown, drawdown_id, "confirm", actor=system) as drawdown:
        application = drawdown.application
        if application.renews_id is None:
            raise NotFound(_("There is no such record."))
        # Locked before it is looked at: what is confirmed meanwhile waits, and finds the loan renewed.
        old = application.renews = lock(Loan, application.renews_id, system)
        require_conditions(application)
        renewed = LoanTransaction(
            loan_id=old.pk,
            customer_id=old.customer_id,
            kind=TransactionKind.RENEWAL,
            reference=f"{drawdown.number}-R",
            value_date=day,
            amount=drawdown.amount,
            reason=drawdown.facility.contract.number,
            requested_by_id=drawdown.owner_id,
            booked_by_id=drawdown.released_by_id,
        )

        def look(loan: Loan) -> None:
            if loan.outstanding_principal != drawdown.amount:
                message = _("The old loan owes %(owed)s by now: ask for the renewal again.")
                raise Unmet(message % {"owed": format_money(loan.outstanding_principal)})
            if missing := interest_to_pay(loan, day):
                message = _("The old loan's interest must be paid in first: %(missing)s.")
                raise Unmet(message % {"missing": format_money(missing)}, missing=str(missing))
            end(loan, day)

        book(
            renewed,
            event="book_renewal",
            actor=system,
            roles=SYSTEM,
            states=("active",),
            reason=renewed.reason,
            prepare=look,
            fires="renew",
        )
        loan = create_loan_from_drawdown(actor=system, drawdown=drawdown, start_date=day)
    publish("drawdown.disbursed", drawdown_id=drawdown.pk)
    return loan
