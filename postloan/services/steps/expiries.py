"""What ends with its last day: offers nobody took, credit lines whose term is over, matured lines all paid back."""

from __future__ import annotations

from branch.domain.actor import Actor
from branch.services.outbox import publish
from loans.models import Application, Facility
from loans.services.facilities import due_to_close, due_to_mature
from postloan.services.steps.move import move
from postloan.services.steps.part import Part, Work, work_of


def expiries(part: Part, actor: Actor) -> Work:
    """Move each to the state its table names."""
    offers = part.of(Application.objects.filter(offer_expires_date__lte=part.date))
    expired = move(offers, "expire", actor)
    matured = move(part.of(Facility.objects.filter(pk__in=due_to_mature(part.date))), "mature", actor)
    closed = move(part.of(Facility.objects.filter(pk__in=due_to_close())), "close", actor)
    if expired:
        publish("applications.expired", application_ids=expired)
    lines = [f"expired|{pk}" for pk in expired] + [f"matured|{pk}" for pk in matured]
    return work_of(lines + [f"closed|{pk}" for pk in closed])
