"""Writing the record: one event in the transaction of the change it tells of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

from branch.domain.actor import Actor
from branch.fields import EncryptedText
from branch.models import Event, Office
from branch.queries.business_date import business_date

#: Writers share this advisory lock; closing a day takes it alone, so no event of a day comes after its end.
DAY_LOCK = 0x0DA7
HIDDEN = "•••"
M = TypeVar("M", bound=Model)


def snapshot(subject: Model) -> dict[str, Any]:
    """The subject's own columns as JSON values; personal ones only as a mark."""
    personal: frozenset[str] = getattr(subject, "hidden_fields", getattr(subject, "PERSONAL", frozenset()))
    values = {}
    for field in subject._meta.concrete_fields:
        value = field.value_from_object(subject)
        if field.name in personal or isinstance(field, EncryptedText):
            # The digest tells whether it changed; the value itself must not stand in the record.
            value = HIDDEN if value else ""
        values[field.attname] = _json(value)
    return values


def _json(value: Any) -> Any:
    if isinstance(value, Decimal | date | datetime):
        return str(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def hold_day_open() -> None:
    """Keep the business day from ending until this transaction does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [DAY_LOCK])


def record(
    name: str,
    subject: Model,
    *,
    actor: Actor,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
) -> Event:
    """Append one event about `subject`. Of `before` and the subject's present values only what differs is kept."""
    hold_day_open()
    if after is None:
        now = snapshot(subject)
        old = before or {}
        changed = [key for key in now if key not in old or old[key] != now[key]]
        before = {key: old[key] for key in changed if key in old}
        after = {key: now[key] for key in changed if key != "version"}
        before.pop("version", None)
    event = _event(name, subject, actor, before or {}, after, reason)
    event.save(force_insert=True)
    return event


def record_all(
    name: str,
    subjects: Iterable[M],
    *,
    actor: Actor,
    before: dict[str, Any] | Callable[[M], dict[str, Any]] | None = None,
    after: Callable[[M], dict[str, Any]] = snapshot,
    reason: str = "",
) -> int:
    """The same for many subjects that moved at once, in a statement per thousand; returns how many.

    `before` is the same for all, or told by subject.
    """
    hold_day_open()
    today = business_date()
    former = before if callable(before) else lambda _subject: before or {}
    events = [_event(name, subject, actor, former(subject), after(subject), reason, today) for subject in subjects]
    Event.objects.bulk_create(events, batch_size=1000)
    return len(events)


def _event(
    name: str,
    subject: Model,
    actor: Actor,
    before: dict[str, Any],
    after: dict[str, Any],
    reason: str,
    today: date | None = None,
) -> Event:
    office: Office | None = getattr(subject, "office", None)
    return Event(
        business_date=today or business_date(),
        name=name,
        subject_type=subject._meta.model_name or "",
        subject_id=str(subject.pk),
        subject_label=getattr(subject, "subject_label", str(subject))[:120],
        actor_id=actor.user_id,
        actor_name=actor.username,
        office_id=office.pk if office else actor.office_id,
        office_path=office.path if office else "",
        customer_id=getattr(subject, "subject_customer_id", getattr(subject, "customer_id", None)),
        file_key=getattr(subject, "file_key", ""),
        before=before,
        after=after,
        reason=reason,
        request_id=actor.request_id,
    )
