"""Asking for erasure, holding data back, and erasing it: one person asks, another one erases."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, Unmet, WrongState
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.inputs import clean_reason
from branch.services.transition import create, lock, may, require_in_use, require_open, save, transition
from branch.services.use_case import use_case
from customers.models import Customer, ErasureRequest, Lead
from customers.queries.offices import person_id
from customers.queries.retention import Standing, standing_of, told
from customers.services.erasing import erase_customer_rows, erase_lead_rows
from customers.services.relations import hold_links

ASKERS = frozenset({Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER})
ERASERS = frozenset({Role.BRANCH_MANAGER})
HOLDERS = frozenset({Role.BRANCH_MANAGER, Role.POST_LOAN_OFFICER})
LEAD_HOLDERS = frozenset({Role.BRANCH_MANAGER})
Subject = Customer | Lead


@use_case("ask_customer_erasure")
def ask_customer_erasure(
    *, actor: Actor, customer_id: int, channel: str, asked_on: date | None = None, note: str = ""
) -> ErasureRequest:
    """Note that the person, or the bank, wants the customer's data erased, with what forbids it today.

    Where the person asked and nothing but a period of the law forbids it, the data is kept and not used from now on.
    Raises InvalidInput by field, Unmet where one is open already.
    """
    return _ask(_locked(Customer, customer_id, actor, "ask_erasure", ASKERS), actor, channel, asked_on, note)


@use_case("ask_lead_erasure")
def ask_lead_erasure(
    *, actor: Actor, lead_id: int, channel: str, asked_on: date | None = None, note: str = ""
) -> ErasureRequest:
    """The same for a lead."""
    return _ask(_locked(Lead, lead_id, actor, "ask_erasure", ASKERS), actor, channel, asked_on, note)


def _ask(subject: Subject, actor: Actor, channel: str, asked_on: date | None, note: str) -> ErasureRequest:
    asked_on = asked_on or business_date()
    if channel not in ErasureRequest.Channel.values:
        raise InvalidInput(fields={"channel": [_("Choose how it was asked.")]})
    if asked_on > business_date():
        raise InvalidInput(fields={"asked_on": [_("This date lies in the future.")]})
    standing = standing_of(subject)
    if standing.request is not None:
        raise Unmet(_("A request for erasure is open already."), request=standing.request.pk)
    of = {"customer": subject} if isinstance(subject, Customer) else {"lead": subject}
    request = ErasureRequest(
        office=subject.office,
        asked_on=asked_on,
        channel=channel,
        note=note.strip(),
        recorded_by_id=person_id(actor),
        **of,
    )
    found = standing.obstacles_where(is_asked=request.is_of_person)
    request.obstacles = [one.as_json() for one in found]
    request.erasable_from = standing.day_free(is_asked=request.is_of_person)
    create(request, actor=actor, roles=ASKERS)
    restrict_if_due(subject, actor)
    return request


def restrict_if_due(subject: Subject, actor: Actor) -> bool:
    """Keep the data and not use it, where a person asked and only time forbids erasing. Whether that is new."""
    if subject.restricted_on is not None or not standing_of(subject).is_kept_only:
        return False
    subject.restricted_on = business_date()
    save(subject)
    kind = str(subject._meta.model_name)
    record(f"{kind}.restrict", subject, actor=actor, after={"restricted_on": subject.restricted_on.isoformat()})
    return True


@use_case("withdraw_erasure_request")
def withdraw_erasure_request(
    *, actor: Actor, erasure_request_id: int, reason: str, expected_version: int | None = None
) -> ErasureRequest:
    """The person no longer wants it, or it was noted by mistake: the data can be used again."""
    reason = clean_reason(reason)
    found = visible(ErasureRequest, actor).filter(pk=erasure_request_id).first()
    if found is None:
        raise NotFound(_("There is no such record."))
    # The customer or lead before the request, as who erases does.
    subject = lock(type(found.subject), found.subject.pk, actor, even_retired=True)
    with transition(
        ErasureRequest, erasure_request_id, "withdraw", actor=actor, reason=reason, expected_version=expected_version
    ) as request:
        request.settled_on = business_date()
    if subject.restricted_on is not None:
        subject.restricted_on = None
        save(subject)
        record(f"{subject._meta.model_name}.unrestrict", subject, actor=actor, after={}, reason=reason)
    return request


@use_case("hold_customer")
def hold_customer(*, actor: Actor, customer_id: int, reason: str, expected_version: int | None = None) -> Customer:
    """Have the data kept whatever its time, until the hold is lifted: a lawsuit, an inquiry."""
    return _hold(_locked(Customer, customer_id, actor, "hold", HOLDERS, expected_version), actor, reason)


@use_case("lift_customer_hold")
def lift_customer_hold(*, actor: Actor, customer_id: int, reason: str, expected_version: int | None = None) -> Customer:
    """What it was held for is over."""
    return _lift(_locked(Customer, customer_id, actor, "lift_hold", HOLDERS, expected_version), actor, reason)


@use_case("hold_lead")
def hold_lead(*, actor: Actor, lead_id: int, reason: str, expected_version: int | None = None) -> Lead:
    """The same for a lead."""
    return _hold(_locked(Lead, lead_id, actor, "hold", LEAD_HOLDERS, expected_version), actor, reason)


@use_case("lift_lead_hold")
def lift_lead_hold(*, actor: Actor, lead_id: int, reason: str, expected_version: int | None = None) -> Lead:
    """The same for a lead."""
    return _lift(_locked(Lead, lead_id, actor, "lift_hold", LEAD_HOLDERS, expected_version), actor, reason)


def _hold(subject: Any, actor: Actor, reason: str) -> Any:
    reason = clean_reason(reason)
    if subject.held_on is not None:
        raise WrongState(_("It is held already."), id=subject.pk)
    subject.held_on, subject.hold_reason = business_date(), reason[:200]
    return _saved(subject, "hold", actor, reason)


def _lift(subject: Any, actor: Actor, reason: str) -> Any:
    reason = clean_reason(reason)
    if subject.held_on is None:
        raise WrongState(_("Nobody holds it."), id=subject.pk)
    subject.held_on, subject.hold_reason = None, ""
    return _saved(subject, "lift_hold", actor, reason)


def _saved(subject: Any, event: str, actor: Actor, reason: str) -> Any:
    save(subject)
    held = subject.held_on.isoformat() if subject.held_on else None
    record(f"{subject._meta.model_name}.{event}", subject, actor=actor, after={"held_on": held}, reason=reason)
    return subject


@use_case("erase_customer")
def erase_customer(*, actor: Actor, customer_id: int, reason: str, expected_version: int | None = None) -> Customer:
    """Overwrite the customer's personal data for good, at a request somebody else recorded.

    Raises Unmet naming each obstacle, DutiesConflict for who recorded the request.
    """
    reason = clean_reason(reason)
    hold_links()
    customer = _locked(Customer, customer_id, actor, "erase", ERASERS, expected_version)
    standing = _require_erasable(customer, actor)
    erase_customer_rows([customer], {customer.pk: standing.rule}, actor=actor, reason=reason)
    customer.refresh_from_db()
    return customer


@use_case("erase_lead")
def erase_lead(*, actor: Actor, lead_id: int, reason: str, expected_version: int | None = None) -> Lead:
    """The same for a lead that did not become a customer."""
    reason = clean_reason(reason)
    lead = _locked(Lead, lead_id, actor, "erase", ERASERS, expected_version)
    standing = _require_erasable(lead, actor)
    erase_lead_rows([lead], {lead.pk: standing.rule}, actor=actor, reason=reason)
    lead.refresh_from_db()
    return lead


def hold_open(customer: Customer) -> None:
    """Keep a customer from being erased until this transaction ends. Raises WrongState where it is not in use.

    Taken before anything is put on the customer's file that would forbid it: an application, say.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM customers_customer WHERE id = %s FOR KEY SHARE", [customer.pk])
    customer.refresh_from_db(fields=["erased_on", "restricted_on"])
    require_in_use(customer)


def _locked(
    model: Any, pk: int, actor: Actor, event: str, roles: frozenset[Role], expected_version: int | None = None
) -> Any:
    """The row under its lock, not erased yet. Raises PermissionRefused, WrongState."""
    subject = lock(model, pk, actor, expected_version, even_retired=True)
    if not may(actor, Transition(event, (), "", roles), subject):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    if subject.erased_on is not None:
        require_open(subject)
    return subject


def _require_erasable(subject: Subject, actor: Actor) -> Standing:
    """How it stands, where nothing forbids erasing it and somebody else asked for it."""
    standing = standing_of(subject)
    if standing.obstacles:
        raise forbidden(standing)
    if standing.request is None:
        raise Unmet(_("Somebody else must record the request for erasure first: two people erase."))
    if standing.request.recorded_by_id == actor.person_id:
        raise DutiesConflict(_("You recorded the request, so somebody else must erase."))
    return standing


def forbidden(standing: Standing) -> Unmet:
    """The refusal that names each obstacle, as sentence and as facts."""
    sentences = [told(one) for one in standing.obstacles]
    return Unmet(
        _("This can't be erased now. %(why)s") % {"why": " ".join(sentences)},
        obstacles=[
            one.as_json() | {"text": sentence} for one, sentence in zip(standing.obstacles, sentences, strict=True)
        ],
    )
