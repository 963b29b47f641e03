"""What a decision does to the application, and the offer that follows from it.

Approve, decline and return are called by approvals inside the transaction of the decision.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.domain.refusals import InvalidInput, Unmet
from branch.queries.business_date import business_date
from branch.services.events import record
from branch.services.outbox import publish
from branch.services.transition import transition
from branch.services.use_case import use_case
from customers.services.relations import hold_links
from customers.services.screening import Moment, refuse_if_listed
from loans.models import Application, Condition
from loans.queries.offer_fit import eligibility, refusal_of
from loans.services.cluster_room import require_cluster_room
from loans.services.exposure import hold_group, require_room_to_promise


@use_case("approve_application")
def approve_application(
    *, actor: Actor, application_id: int, amount: Decimal, conditions: list[str], reason: str
) -> Application:
    """Make the offer: amount, rate of the quote, validity, and the conditions to be met before release."""
    hold_links()
    with transition(Application, application_id, "approve", actor=actor, reason=reason) as application:
        if not 0 < amount <= application.amount:
            raise InvalidInput(fields={"amount": [_("More than was asked for.")]})
        _require_fit(application, amount)
        hold_group(application.customer)
        require_cluster_room(application.customer, amount, file=application)
        require_room_to_promise(application, amount)
        refuse_if_listed(application.customer, Moment.REVIEW)
        application.approved_amount = amount
        application.approved_rate = Decimal(application.quote["annual_rate"])
        application.offer_expires_date = business_date() + timedelta(
            days=application.product_version.offer_validity_days
        )
        application.outcome_reason = reason
    titles = [*application.product_version.required_documents, *conditions]
    for title in dict.fromkeys(titles):
        condition = Condition.objects.create(
            application=application, customer_id=application.customer_id, office=application.office, title=title
        )
        record("condition.create", condition, actor=actor)
    publish("application.approved", application_id=application.pk)
    return application


def _require_fit(application: Application, amount: Decimal) -> None:
    """Raises Unmet with the criteria that fail now that the risk grade is known, InvalidInput below the band."""
    failed = [criterion for criterion in eligibility(application) if criterion.holds is False]
    if failed:
        raise Unmet(
            " ".join(refusal_of(criterion) for criterion in failed),
            criteria=[criterion.code.value for criterion in failed],
        )
    if amount < application.product_version.min_amount:
        least = format_money(application.product_version.min_amount)
        raise InvalidInput(fields={"amount": [_("This product lends %(least)s at least.") % {"least": least}]})


@use_case("decline_application")
def decline_application(*, actor: Actor, application_id: int, reason: str) -> Application:
    """The file is declined, with reasons."""
    with transition(Application, application_id, "decline", actor=actor, reason=reason) as application:
        application.outcome_reason = reason
    publish("application.declined", application_id=application.pk)
    return application


@use_case("return_application")
def return_application(*, actor: Actor, application_id: int, reason: str) -> Application:
    """The file goes back to its owner for more facts."""
    with transition(Application, application_id, "return_file", actor=actor, reason=reason) as application:
        application.outcome_reason = reason
    publish("application.returned", application_id=application.pk)
    return application


@use_case("accept_offer")
def accept_offer(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Application:
    """The customer takes the offer. Raises Unmet after its last day, and while a screening hit is not cleared."""
    with transition(
        Application, application_id, "accept_offer", actor=actor, expected_version=expected_version
    ) as application:
        if application.offer_expires_date and business_date() > application.offer_expires_date:
            raise Unmet(_("The offer stood until %(date)s.") % {"date": application.offer_expires_date})
        refuse_if_listed(application.customer, Moment.CONTRACT)
    publish("application.offer_accepted", application_id=application.pk)
    return application
