"""Leads: from the first word with a shop owner to a customer on file, or to a reason why not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Unpack, cast

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.services.outbox import publish
from branch.services.transition import change, create, transition
from branch.services.use_case import use_case
from customers.models import Customer, Lead
from customers.queries.leads import OPEN_STATES
from customers.queries.offices import account_manager, person_id, working_office
from customers.services.customers import MANAGER, create_customer
from customers.services.profile import Checker, Profile, clean_phone

EDITABLE = {"name", "contact_name", "phone", "source", "wanted_amount", "note", "next_action_date"}


@use_case("capture_lead")
def capture_lead(
    *,
    actor: Actor,
    name: str,
    contact_name: str,
    phone: str = "",
    source: str,
    wanted_amount: Decimal | None = None,
    note: str = "",
    next_action_date: date | None = None,
) -> Lead:
    """A new lead of the acting account manager. Raises InvalidInput by field."""
    lead = Lead(owner_id=person_id(actor), office=working_office(actor, Role.ACCOUNT_MANAGER))
    lead.name, lead.contact_name, lead.phone, lead.source = name, contact_name, phone, source
    lead.wanted_amount, lead.note, lead.next_action_date = wanted_amount, note.strip(), next_action_date
    _check(lead)
    return create(lead, actor=actor, roles=MANAGER, event="capture")


@use_case("update_lead")
def update_lead(
    *,
    actor: Actor,
    lead_id: int,
    expected_version: int | None = None,
    **values: str | Decimal | date | None,
) -> Lead:
    """Change the given facts of an open lead and leave the others. Raises InvalidInput by field."""
    if unknown := set(values) - EDITABLE:
        raise TypeError(f"a lead has no {', '.join(sorted(unknown))}")
    with change(
        Lead,
        lead_id,
        "update",
        actor=actor,
        roles=MANAGER,
        states=OPEN_STATES,
        expected_version=expected_version,
    ) as lead:
        for field, value in values.items():
            setattr(lead, field, value)
        _check(lead)
    return lead


@use_case("contact_lead")
def contact_lead(
    *,
    actor: Actor,
    lead_id: int,
    note: str = "",
    next_action_date: date | None = None,
    expected_version: int | None = None,
) -> Lead:
    """They were spoken to; `note` stands on the timeline."""
    with transition(
        Lead, lead_id, "contact", actor=actor, reason=note.strip(), expected_version=expected_version
    ) as lead:
        lead.next_action_date = next_action_date
    return lead


@use_case("qualify_lead")
def qualify_lead(
    *,
    actor: Actor,
    lead_id: int,
    wanted_amount: Decimal | None = None,
    note: str = "",
    expected_version: int | None = None,
) -> Lead:
    """They want credit and look able to carry it."""
    with transition(
        Lead, lead_id, "qualify", actor=actor, reason=note.strip(), expected_version=expected_version
    ) as lead:
        lead.wanted_amount = wanted_amount or lead.wanted_amount
        _check(lead)
    return lead


@use_case("convert_lead")
def convert_lead(
    *,
    actor: Actor,
    lead_id: int,
    customer_id: int | None = None,
    expected_version: int | None = None,
    **values: Unpack[Profile],
) -> Lead:
    """Make the lead a customer, or link it to `customer_id`, one the actor already sees.

    What the lead knows (name, contact, phone) is taken where `values` are silent. Raises InvalidInput by field.
    """
    with transition(Lead, lead_id, "convert", actor=actor, expected_version=expected_version) as lead:
        lead.customer = _linked(actor, customer_id) if customer_id else _converted(actor, lead, values)
        lead.next_action_date = None
    publish("lead.converted", lead_id=lead.pk, customer_id=lead.customer_id)
    return lead


def _linked(actor: Actor, customer_id: int) -> Customer:
    customer = visible(Customer, actor).filter(pk=customer_id).first()
    if customer is None:
        raise InvalidInput(fields={"customer_id": [_("Choose one of your customers.")]})
    return customer


def _converted(actor: Actor, lead: Lead, values: Profile) -> Customer:
    known: Profile = {"name": lead.name, "contact_name": lead.contact_name, "phone": lead.phone}
    typed = cast(Profile, {field: value for field, value in values.items() if value not in (None, "")})
    return create_customer(actor=actor, **(known | typed))


@use_case("lose_lead")
def lose_lead(*, actor: Actor, lead_id: int, reason: str, expected_version: int | None = None) -> Lead:
    """They will not borrow here; the reason is kept."""
    reason = reason.strip()
    if not reason:
        raise InvalidInput(fields={"reason": [_("Say why the lead was lost.")]})
    with transition(Lead, lead_id, "lose", actor=actor, reason=reason, expected_version=expected_version) as lead:
        lead.lost_reason = reason[:200]
        lead.next_action_date = None
    return lead


@use_case("reopen_lead")
def reopen_lead(
    *,
    actor: Actor,
    lead_id: int,
    reason: str = "",
    next_action_date: date | None = None,
    expected_version: int | None = None,
) -> Lead:
    """A lost lead is talking again."""
    with transition(
        Lead, lead_id, "reopen", actor=actor, reason=reason.strip(), expected_version=expected_version
    ) as lead:
        lead.lost_reason = ""
        lead.next_action_date = next_action_date
    return lead


@use_case("reassign_lead")
def reassign_lead(
    *, actor: Actor, lead_id: int, owner_id: int, reason: str = "", expected_version: int | None = None
) -> Lead:
    """Hand an open or lost lead to another account manager of its office."""
    with change(
        Lead,
        lead_id,
        "reassign",
        actor=actor,
        roles=frozenset({Role.BRANCH_MANAGER}),
        states=(*OPEN_STATES, "lost"),
        reason=reason.strip(),
        expected_version=expected_version,
    ) as lead:
        lead.owner = account_manager(owner_id, lead.office)
    publish("lead.reassigned", lead_id=lead.pk, owner_id=owner_id)
    return lead


def _check(lead: Lead) -> None:
    checker = Checker()
    lead.name, lead.contact_name = lead.name.strip(), lead.contact_name.strip()
    for field in ("name", "contact_name"):
        if not getattr(lead, field):
            checker.refuse(field, _("This field is required."))
    if len(lead.name) > 120:
        checker.refuse("name", _("At most %(count)d characters.") % {"count": 120})
    if len(lead.contact_name) > 60:
        checker.refuse("contact_name", _("At most %(count)d characters.") % {"count": 60})
    lead.phone = clean_phone(checker, "phone", lead.phone)
    if lead.source not in Lead.Source.values:
        checker.refuse("source", _("Choose where the lead came from."))
    if lead.wanted_amount is not None and not 0 < lead.wanted_amount < Decimal(10) ** 14:
        checker.refuse("wanted_amount", _("Enter an amount above zero."))
    checker.done()
