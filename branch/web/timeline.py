"""Events as a person reads them: names, field labels and values in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db.models import DateTimeField, DecimalField, ForeignKey, JSONField, Model
from django.utils.translation import gettext as _

from branch.domain.money import format_money
from branch.models import Event, User
from branch.words import event_word, state_word

#: Bookkeeping columns that say nothing to a reader.
_QUIET = frozenset(
    {
        "id",
        "version",
        "name_bigrams",
        "name_key",
        "name_spelling",
        "name_core",
        "contact_key",
        "contact_spelling",
        "screened_at",
        "compared",
        "proposal_reason",
        "decision_reason",
        "phone_digest",
        "reached",
        "shard_key",
        "identity_digest",
        "sha256",
        "media_type",
        "attempt",
    }
)
_LONGEST_VALUE = 120
#: A column with as many decimal places holds an amount.
YUAN_PLACES = 2


@dataclass(frozen=True)
class Entry:
    """One line of a timeline."""

    at: datetime
    actor_name: str
    name: str
    name_label: str
    subject_label: str
    changes: list[tuple[str, str, str]]
    reason: str
    system: bool


def entries(events: Iterable[Event]) -> list[Entry]:
    """The events with readable names; one query for all the people in them."""
    rows = list(events)
    people = {u.pk: str(u) for u in User.objects.filter(pk__in={e.actor_id for e in rows if e.actor_id})}
    return [
        Entry(
            at=event.at,
            actor_name=people.get(event.actor_id or 0, _("System")),
            name=event.name,
            name_label=event_word(event.name),
            subject_label=event.subject_label,
            changes=_changes(event),
            reason=event.reason,
            system=event.actor_id is None,
        )
        for event in rows
    ]


def _changes(event: Event) -> list[tuple[str, str, str]]:
    """What changed, for a reader: a new thing has its page, keys and moments say nothing that the entry does not."""
    if not event.before:
        return []
    model = _models().get(event.subject_type)
    return [
        (_field_label(model, key), _shown(model, key, event.before.get(key)), _shown(model, key, value))
        for key, value in event.after.items()
        if not _is_quiet(model, key) and (event.before.get(key) not in (None, "") or value not in (None, "", [], {}))
    ]


def _is_quiet(model: type[Model] | None, key: str) -> bool:
    return key in _QUIET or isinstance(_field(model, key), DateTimeField | ForeignKey | JSONField)


@lru_cache(maxsize=1)
def _models() -> dict[str, type[Model]]:
    return {str(model._meta.model_name): model for model in apps.get_models()}


def _field(model: type[Model] | None, key: str) -> Any:
    if model is None:
        return None
    try:
        return next((f for f in model._meta.concrete_fields if f.attname == key), None) or model._meta.get_field(key)
    except FieldDoesNotExist:
        return None


def _field_label(model: type[Model] | None, key: str) -> str:
    field = _field(model, key)
    return str(field.verbose_name) if field is not None else key.replace("_", " ")


def _shown(model: type[Model] | None, key: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if key == "state":
        return state_word(_machine_name(model), str(value))
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    field = _field(model, key)
    if isinstance(field, DecimalField) and field.decimal_places == YUAN_PLACES:
        return format_money(Decimal(str(value)))
    choices = dict(getattr(field, "flatchoices", None) or ())
    return str(choices.get(value, value))[:_LONGEST_VALUE]


def _machine_name(model: type[Model] | None) -> str:
    machine = getattr(model, "MACHINE", None)
    return machine.name if machine else str(model._meta.model_name) if model else ""
