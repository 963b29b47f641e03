"""Moving many rows by one event of their table, with an event on each one's record."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.models.stateful import Stateful
from branch.services.events import record_all
from branch.services.transition import bulk_transition

S = TypeVar("S", bound=Stateful)


def move(rows: QuerySet[S], event: str, actor: Actor, **fields: Any) -> list[int]:
    """Move those that are in a source state of the event; their ids."""
    machine = rows.model.MACHINE
    row = machine.by_event[event]
    # Locked first: a person may be moving one of them at this moment.
    chosen = rows.filter(state__in=row.sources).select_related("office").order_by("pk")
    found = list(chosen.select_for_update(of=("self",)))
    ids = [subject.pk for subject in found]
    bulk_transition(rows.model._default_manager.filter(pk__in=ids), event, **fields)
    after = {"state": row.target} | {name: str(value) for name, value in fields.items()}
    for state in sorted({subject.state for subject in found}):
        same = [subject for subject in found if subject.state == state]
        record_all(f"{machine.name}.{event}", same, actor=actor, before={"state": state}, after=lambda _subject: after)
    return ids
