"""Inspections: made by the account manager, accepted or sent back by a post-loan officer."""

from __future__ import annotations

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput
from branch.domain.roles import Role
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, transition
from branch.services.use_case import use_case
from postloan.models import Inspection

INSPECTORS = frozenset({Role.ACCOUNT_MANAGER})


@use_case("start_inspection")
def start_inspection(*, actor: Actor, inspection_id: int, expected_version: int | None = None) -> Inspection:
    """Begin the look at the borrower."""
    with transition(Inspection, inspection_id, "start", actor=actor, expected_version=expected_version) as inspection:
        inspection.inspected_by_id = actor.user_id
    return inspection


@use_case("save_inspection")
def save_inspection(
    *,
    actor: Actor,
    inspection_id: int,
    funds_used_as_agreed: bool | None = None,
    business_running: bool | None = None,
    findings: str | None = None,
    expected_version: int | None = None,
) -> Inspection:
    """Keep what was seen so far; what is not given stays as it is."""
    with change(
        Inspection,
        inspection_id,
        "save",
        actor=actor,
        roles=INSPECTORS,
        states=("in_progress",),
        expected_version=expected_version,
    ) as inspection:
        _set_facts(inspection, funds_used_as_agreed, business_running, findings)
    return inspection


@use_case("submit_inspection")
def submit_inspection(
    *,
    actor: Actor,
    inspection_id: int,
    funds_used_as_agreed: bool | None = None,
    business_running: bool | None = None,
    findings: str | None = None,
    expected_version: int | None = None,
) -> Inspection:
    """Hand it in with its facts, given now or saved before. Raises InvalidInput naming what is missing."""
    with transition(Inspection, inspection_id, "submit", actor=actor, expected_version=expected_version) as inspection:
        _set_facts(inspection, funds_used_as_agreed, business_running, findings)
        _require_facts(inspection)
        inspection.inspected_by_id = actor.user_id
    publish("inspection.submitted", inspection_id=inspection.pk)
    return inspection


@use_case("accept_inspection")
def accept_inspection(*, actor: Actor, inspection_id: int, expected_version: int | None = None) -> Inspection:
    """It will do. Raises DutiesConflict for who made it."""
    with transition(Inspection, inspection_id, "accept", actor=actor, expected_version=expected_version) as inspection:
        _require_other(actor, inspection)
        inspection.accepted_by_id = actor.user_id
        inspection.return_reason = ""
    return inspection


@use_case("send_back_inspection")
def send_back_inspection(
    *, actor: Actor, inspection_id: int, reason: str, expected_version: int | None = None
) -> Inspection:
    """Something is missing: back to the account manager with the reason."""
    reason = clean_reason(reason)
    with transition(
        Inspection, inspection_id, "send_back", actor=actor, reason=reason, expected_version=expected_version
    ) as inspection:
        _require_other(actor, inspection)
        inspection.return_reason = reason
    publish("inspection.returned", inspection_id=inspection.pk)
    return inspection


@use_case("resume_inspection")
def resume_inspection(*, actor: Actor, inspection_id: int, expected_version: int | None = None) -> Inspection:
    """Take a returned inspection up again."""
    with transition(Inspection, inspection_id, "resume", actor=actor, expected_version=expected_version) as inspection:
        pass
    return inspection


def _set_facts(inspection: Inspection, funds: bool | None, running: bool | None, findings: str | None) -> None:
    if funds is not None:
        inspection.funds_used_as_agreed = funds
    if running is not None:
        inspection.business_running = running
    if findings is not None:
        inspection.findings = findings.strip()[:4000]


def _require_facts(inspection: Inspection) -> None:
    facts = {
        "funds_used_as_agreed": inspection.funds_used_as_agreed is not None,
        "business_running": inspection.business_running is not None,
        "findings": bool(inspection.findings),
    }
    missing = {name: [_("This field is required.")] for name, is_there in facts.items() if not is_there}
    if missing:
        raise InvalidInput(fields=missing)


def _require_other(actor: Actor, inspection: Inspection) -> None:
    if actor.user_id in (inspection.inspected_by_id, inspection.owner_id):
        raise DutiesConflict(_("You made this inspection, so somebody else must judge it."))
