"""Checking the record against its seals: was an event removed, changed or inserted since its day was sealed?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from branch.domain.sealing import (
    GENESIS,
    SEALED_COLUMNS,
    compare,
    count_of,
    digest_of,
    head_after,
    pairs_of,
)
from branch.models import BusinessDay, Event, Seal


@dataclass(frozen=True)
class Finding:
    """Something that is not as it was sealed. `event_ids` names the events where that can be told."""

    kind: str
    business_date: date | None
    text: str
    event_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class ExportedHead:
    """What was written down outside: the chain's head, and a digest over the events not sealed at that time."""

    head: str
    date: date | None = None
    last_id: int | None = None
    count: int = 0
    digest: str = ""


def pairs_between(after: date | None, up_to: date | None, last_id: int | None = None) -> bytes:
    """Id and digest of every event whose day lies in (after, up_to], up to the id `last_id`, in order of id."""
    rows: QuerySet[Event] = Event.objects.order_by("id")
    if after is not None:
        rows = rows.filter(business_date__gt=after)
    if up_to is not None:
        rows = rows.filter(business_date__lte=up_to)
    if last_id is not None:
        rows = rows.filter(id__lte=last_id)
    # One pass with a cursor on the server: a day may hold more events than memory should.
    return pairs_of(rows.values(*SEALED_COLUMNS).iterator(chunk_size=2000))


def day_before(day: date) -> date | None:
    """The closed business day before this one: where its seal begins."""
    closed = BusinessDay.objects.filter(state=BusinessDay.State.CLOSED, date__lt=day)
    return closed.order_by("-date").values_list("date", flat=True).first()


def verify(exported: ExportedHead | None = None) -> list[Finding]:
    """Everything that differs from the seals and, where one is given, from an exported head."""
    with transaction.atomic():
        _take_one_picture()
        findings = list(_sealed_days())
        findings += _days_without_seal()
        if exported is not None:
            findings += _against(exported)
    return findings


def _take_one_picture() -> None:
    """All of the check sees the database at one moment, however long it takes."""
    if not connection.savepoint_ids:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")


def _sealed_days() -> Iterator[Finding]:
    head = GENESIS
    for seal in Seal.objects.order_by("business_date"):
        day = seal.business_date
        if seal.previous_head != head:
            yield Finding(
                "chain-broken", day, "does not follow the seal before it: a sealed day was removed or changed"
            )
        if not _is_sound(seal):
            yield Finding("seal-changed", day, "the seal itself was changed")
        yield from _events_of(seal)
        head = seal.head


def _is_sound(seal: Seal) -> bool:
    pairs = bytes(seal.row_digests)
    expected = head_after(seal.previous_head, seal.business_date, seal.event_count, seal.digest)
    return (digest_of(pairs), count_of(pairs), expected) == (seal.digest, seal.event_count, seal.head)


def _events_of(seal: Seal) -> Iterator[Finding]:
    day = seal.business_date
    present = pairs_between(day_before(day), day)
    if digest_of(present) == seal.digest:
        return
    found = compare(bytes(seal.row_digests), present)
    for kind, ids in (("changed", found.changed), ("removed", found.removed), ("inserted", found.inserted)):
        for pk in ids:
            yield Finding(f"event-{kind}", day, f"event {pk} was {kind} after the day was sealed", (pk,))
    if found == type(found)():
        yield Finding("events-changed", day, "the day's events are not those that were sealed")


def _days_without_seal() -> Iterator[Finding]:
    sealed = Seal.objects.values("business_date")
    for day in BusinessDay.objects.filter(state=BusinessDay.State.CLOSED).exclude(date__in=sealed).order_by("date"):
        yield Finding("seal-missing", day.date, "the day is closed but has no seal")


def _against(exported: ExportedHead) -> Iterator[Finding]:
    seal = Seal.objects.filter(head=exported.head).first()
    if seal is None and exported.head != GENESIS:
        text = "the exported head is not on the chain: a sealed day was removed or the chain was rewritten"
        yield Finding("head-unknown", exported.date, text)
    if exported.last_id is None:
        return
    pairs = pairs_between(exported.date, None, exported.last_id)
    if (count_of(pairs), digest_of(pairs)) != (exported.count, exported.digest):
        text = (
            f"of the events not sealed when the head was exported (up to id {exported.last_id}) there were "
            f"{exported.count} and are {count_of(pairs)}, or one of them was changed"
        )
        yield Finding("unsealed-changed", None, text)


def head_as_data(exported: ExportedHead) -> dict[str, Any]:
    """What is written down, as JSON values."""
    unsealed = {"last_id": exported.last_id, "count": exported.count, "digest": exported.digest}
    return {
        "date": exported.date.isoformat() if exported.date else None,
        "head": exported.head,
        "unsealed": unsealed,
    }


def head_from_data(data: dict[str, Any]) -> ExportedHead:
    """The same read back. Raises KeyError, TypeError or ValueError for anything else."""
    unsealed = data["unsealed"]
    return ExportedHead(
        head=str(data["head"]),
        date=date.fromisoformat(data["date"]) if data["date"] else None,
        last_id=int(unsealed["last_id"]),
        count=int(unsealed["count"]),
        digest=str(unsealed["digest"]),
    )
