"""Going to see a lead: when, where, what came of it, and what is next."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.services.attachments import PHOTO, attach
from branch.services.transition import change, create
from branch.services.use_case import use_case
from customers.models import Lead, LeadVisit
from customers.queries.leads import OPEN_STATES
from customers.queries.offices import person_id
from customers.services.leads import contact_lead, plan_next
from customers.services.profile import Checker

MANAGER = frozenset({Role.ACCOUNT_MANAGER})


@use_case("record_visit")
def record_visit(
    *,
    actor: Actor,
    lead_id: int,
    visited_at: datetime,
    place: str,
    outcome: str,
    latitude: Decimal | None = None,
    longitude: Decimal | None = None,
    note: str = "",
    next_action: str = "",
    next_action_date: date | None = None,
    photo: Any = None,
    expected_version: int | None = None,
) -> LeadVisit:
    """A visit of the lead's own account manager, and what is next. A new lead that was met counts as contacted.

    Raises InvalidInput by field: a time to come, half a position, a file that is no picture.
    """
    visit = LeadVisit(
        lead_id=lead_id,
        visitor_id=person_id(actor),
        visited_at=visited_at,
        place=" ".join(place.split()),
        outcome=outcome,
        latitude=latitude,
        longitude=longitude,
        note=note.strip(),
    )
    _check(visit)
    with change(
        Lead, lead_id, "visit", actor=actor, roles=MANAGER, states=OPEN_STATES, expected_version=expected_version
    ) as lead:
        plan_next(lead, next_action, next_action_date)
    if lead.state == "new" and outcome != LeadVisit.Outcome.NOBODY_THERE:
        contact_lead(actor=actor, lead_id=lead_id, next_action=next_action, next_action_date=next_action_date)
    visit.lead, visit.office = lead, lead.office
    create(visit, actor=actor, roles=MANAGER)
    if photo is not None:
        _keep(photo, visit, actor)
    return visit


def _keep(photo: Any, visit: LeadVisit, actor: Actor) -> None:
    """Refused beside the field it came in, whatever the file store calls it."""
    try:
        attach(actor=actor, subject=visit, kind=PHOTO, title=visit.place, upload=photo)
    except InvalidInput as refusal:
        raise InvalidInput(fields={"photo": refusal.fields.get("upload", [refusal.detail])}) from refusal


def _check(visit: LeadVisit) -> None:
    checker = Checker()
    if visit.visited_at > timezone.now():
        checker.refuse("visited_at", _("This time lies in the future."))
    if not visit.place or len(visit.place) > 200:
        checker.refuse("place", _("Say where it was, in at most 200 characters."))
    if visit.outcome not in LeadVisit.Outcome.values:
        checker.refuse("outcome", _("Choose what came of it."))
    if (visit.latitude is None) != (visit.longitude is None):
        checker.refuse("latitude", _("A position has both numbers or none."))
    for field, most in (("latitude", 90), ("longitude", 180)):
        value = getattr(visit, field)
        if value is not None and abs(value) > most:
            checker.refuse(field, _("No such place."))
    checker.done()
