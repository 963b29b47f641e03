"""The audit trail: everything that happened, by whom, and what it changed."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet

from branch.domain.actor import Actor
from branch.models import Event, User
from branch.queries.visibility_branch import TRAIL_READERS
from branch.web.api import EventSerializer
from branch.web.noun import Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable
from branch.web.timeline import entries
from branch.words import event_word


class EventTable(NounTable):
    subject_label = LinkColumn()
    name = tables.Column()
    actor_name = tables.Column()
    at = DateColumn()
    business_date = DateColumn()
    reason = tables.Column()

    class Meta(NounTable.Meta):
        model = Event
        fields = ("subject_label", "name", "actor_name", "at", "business_date", "reason")

    def render_name(self, value: str) -> str:
        return event_word(value)

    def value_name(self, value: str) -> str:
        return value

    def render_actor_name(self, value: str, record: Event) -> str:
        return gettext("System") if record.actor_id is None else self.people.get(record.actor_id) or value

    @cached_property
    def people(self) -> dict[int, str]:
        """The names of everybody, by id: the record keeps who they signed in as."""
        return dict(User.objects.values_list("pk", "display_name"))


class EventFilter(FilterSet):
    class Meta:
        model = Event
        fields = {
            "business_date": ["gte", "lte"],
            "name": ["exact"],
            "actor_name": ["exact"],
            "subject_type": ["exact"],
            "subject_id": ["exact"],
            "file_key": ["exact"],
            "customer_id": ["exact"],
        }


def _search(rows: QuerySet[Event], text: str) -> QuerySet[Event]:
    return rows.filter(Q(subject_label__icontains=text) | Q(actor_name__iexact=text) | Q(name__istartswith=text))


def _facts(event: Event, actor: Actor) -> list[tuple[Any, Any]]:
    (entry,) = entries([event])
    return [
        (_("What happened"), event_word(event.name)),
        (_("To what"), event.subject_label),
        (_("Who"), entry.actor_name),
        (_("When"), event.at),
        (_("Business date"), event.business_date),
        *((label, f"{before} → {after}" if before else after) for label, before, after in entry.changes),
        (_("Reason"), event.reason),
        (_("Request"), event.request_id),
    ]


def _same_thing(event: Event) -> QuerySet[Event]:
    return Event.objects.filter(subject_type=event.subject_type, subject_id=event.subject_id).order_by("-id")


register(
    Noun(
        name="event",
        plural="events",
        model=Event,
        readers=TRAIL_READERS,
        serializer=EventSerializer,
        table=EventTable,
        filterset=EventFilter,
        section="account_for",
        icon="history",
        search=_search,
        api_ordering=("id",),
        facts=_facts,
        events=_same_thing,
    )
)
