"""What people make of a hit: one proposes, a second one decides, each with a reason; neither owns the customer."""

from __future__ import annotations

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput, Unmet
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import transition
from branch.services.use_case import use_case
from customers.models import ScreeningHit

Outcome = ScreeningHit.Outcome


@use_case("propose_hit")
def propose_hit(
    *, actor: Actor, screening_hit_id: int, outcome: str, reason: str, expected_version: int | None = None
) -> ScreeningHit:
    """Say whether the subject is the one on the list ("confirm") or somebody else ("clear"), for a second person."""
    if outcome not in Outcome.values:
        raise InvalidInput(fields={"outcome": [_("Choose one of the two.")]})
    reason = clean_reason(reason)
    with transition(
        ScreeningHit, screening_hit_id, "propose", actor=actor, reason=reason, expected_version=expected_version
    ) as hit:
        _refuse_owner(actor, hit)
        hit.proposal, hit.proposal_reason = outcome, reason
        hit.proposed_by_id, hit.proposed_at = actor.user_id, timezone.now()
    publish("screening.proposed", hit_id=hit.pk)
    return hit


@use_case("clear_hit")
def clear_hit(*, actor: Actor, screening_hit_id: int, reason: str, expected_version: int | None = None) -> ScreeningHit:
    """Agree that it is somebody else: the file may go on. Raises DutiesConflict for who proposed it."""
    return _decide(actor, screening_hit_id, "clear", reason, expected_version)


@use_case("confirm_hit")
def confirm_hit(
    *, actor: Actor, screening_hit_id: int, reason: str, expected_version: int | None = None
) -> ScreeningHit:
    """Agree that it is the one on the list: nothing goes on with the customer."""
    return _decide(actor, screening_hit_id, "confirm", reason, expected_version)


def _decide(actor: Actor, hit_id: int, event: str, reason: str, expected_version: int | None) -> ScreeningHit:
    reason = clean_reason(reason)
    with transition(ScreeningHit, hit_id, event, actor=actor, reason=reason, expected_version=expected_version) as hit:
        _refuse_owner(actor, hit)
        if hit.proposed_by_id == actor.user_id:
            raise DutiesConflict(_("You proposed this, so somebody else must decide it."))
        if hit.proposal != event:
            raise Unmet(_("Something else was proposed: agree to that, or send it back."), proposal=hit.proposal)
        hit.decision_reason, hit.decided_by_id, hit.decided_at = reason, actor.user_id, timezone.now()
    publish("screening.decided", hit_id=hit.pk)
    return hit


@use_case("send_back_hit")
def send_back_hit(
    *, actor: Actor, screening_hit_id: int, reason: str, expected_version: int | None = None
) -> ScreeningHit:
    """Not agreed, or not looked into enough: it is open again."""
    return _open(actor, screening_hit_id, "send_back", reason, expected_version)


@use_case("reopen_hit")
def reopen_hit(
    *, actor: Actor, screening_hit_id: int, reason: str, expected_version: int | None = None
) -> ScreeningHit:
    """Look at a settled hit again. It stops the customer's files until two people have settled it anew."""
    return _open(actor, screening_hit_id, "reopen", reason, expected_version)


def _open(actor: Actor, hit_id: int, event: str, reason: str, expected_version: int | None) -> ScreeningHit:
    reason = clean_reason(reason)
    with transition(ScreeningHit, hit_id, event, actor=actor, reason=reason, expected_version=expected_version) as hit:
        _refuse_owner(actor, hit)
        hit.proposal = ""
    return hit


def _refuse_owner(actor: Actor, hit: ScreeningHit) -> None:
    if actor.user_id is not None and actor.user_id == hit.subject_owner_id:
        raise DutiesConflict(_("This is your own customer, so somebody else must do this."))
