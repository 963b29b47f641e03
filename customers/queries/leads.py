"""Reading leads: whom to call today."""

from __future__ import annotations

from datetime import date

from django.db.models import F, QuerySet

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from customers.models import Lead

OPEN_STATES = ("new", "contacted", "qualified")


def open_leads(actor: Actor) -> QuerySet[Lead]:
    return visible(Lead, actor).filter(state__in=OPEN_STATES)


def leads_to_call(actor: Actor, on: date) -> QuerySet[Lead]:
    """The actor's own open leads whose next action is due or was never named; longest waiting first."""
    due = open_leads(actor).filter(owner=actor.user_id).exclude(next_action_date__gt=on)
    return due.order_by(F("next_action_date").asc(nulls_last=True), "pk")
