"""Reading leads: whom to call today."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from django.db.models import F, QuerySet

from branch.domain.actor import Actor
from branch.models import Attachment
from branch.queries.visibility import visible
from customers.models import Lead, LeadVisit

#: What the lead's page shows of its visits; the list has all.
MOST_VISITS = 20
OPEN_STATES = ("new", "contacted", "qualified")


def open_leads(actor: Actor) -> QuerySet[Lead]:
    return visible(Lead, actor).filter(state__in=OPEN_STATES)


def leads_to_call(actor: Actor, on: date) -> QuerySet[Lead]:
    """The actor's own open leads whose next action is due or was never named; longest waiting first."""
    due = open_leads(actor).filter(owner=actor.user_id).exclude(next_action_date__gt=on)
    return due.order_by(F("next_action_date").asc(nulls_last=True), "pk")


def visits_of(lead: Lead) -> list[tuple[LeadVisit, list[Attachment]]]:
    """The lead's visits with their photos, the latest first; two queries."""
    visits = list(lead.visits.select_related("visitor").order_by("-visited_at", "-pk")[:MOST_VISITS])
    photos: dict[str, list[Attachment]] = defaultdict(list)
    for photo in Attachment.objects.filter(subject_type="leadvisit", subject_id__in=[str(v.pk) for v in visits]):
        photos[photo.subject_id].append(photo)
    return [(visit, photos[str(visit.pk)]) for visit in visits]
