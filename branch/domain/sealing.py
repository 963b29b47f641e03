"""How the record is sealed: a digest per event, a digest per day over them, and a chain over the days.

All digests are SHA-256. An event's is taken over its columns as canonical JSON; a day's over the pairs of id and
event digest in order of id; a head over the day and the head before it. Whoever keeps a head can tell whether
anything before it was changed, and the pairs tell which event it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

#: The columns under seal, in this order. A new column would need a new scheme beside this one: old seals stay as
#: they are.
SEALED_COLUMNS = (
    "id", "business_date", "at", "name", "subject_type", "subject_id", "subject_label", "actor_id", "actor_name",
    "office_id", "office_path", "customer_id", "file_key", "before", "after", "reason", "request_id",
)  # fmt: skip
SCHEME = "xiaowei-record-1"
#: The head before the first sealed day.
GENESIS = "0" * 64
_ID_BYTES, _DIGEST_BYTES = 8, 32
_PAIR_BYTES = _ID_BYTES + _DIGEST_BYTES


def row_digest(row: Mapping[str, Any]) -> bytes:
    """SHA-256 over one event's sealed columns."""
    values = [SCHEME, *(_plain(row[name]) for name in SEALED_COLUMNS)]
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).digest()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value


def pairs_of(rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Id and digest of each row, one after the other; rows come in order of id."""
    pairs = bytearray()
    for row in rows:
        pairs += row["id"].to_bytes(_ID_BYTES, "big", signed=True) + row_digest(row)
    return bytes(pairs)


def count_of(pairs: bytes) -> int:
    return len(pairs) // _PAIR_BYTES


def digest_of(pairs: bytes) -> str:
    return hashlib.sha256(pairs).hexdigest()


def head_after(previous_head: str, business_date: date, event_count: int, digest: str) -> str:
    """The chain's head once this day is on it."""
    text = "\n".join((SCHEME, previous_head, business_date.isoformat(), str(event_count), digest))
    return hashlib.sha256(text.encode()).hexdigest()


def _split(pairs: bytes) -> Iterator[tuple[int, bytes]]:
    for start in range(0, len(pairs), _PAIR_BYTES):
        pair = pairs[start : start + _PAIR_BYTES]
        yield int.from_bytes(pair[:_ID_BYTES], "big", signed=True), pair[_ID_BYTES:]


@dataclass(frozen=True)
class Difference:
    """Ids of events that were touched since they were sealed."""

    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    inserted: tuple[int, ...] = ()


def compare(sealed: bytes, present: bytes) -> Difference:
    """What differs between the pairs as sealed and as they are now."""
    before, now = dict(_split(sealed)), dict(_split(present))
    return Difference(
        changed=tuple(sorted(pk for pk in before.keys() & now.keys() if before[pk] != now[pk])),
        removed=tuple(sorted(before.keys() - now.keys())),
        inserted=tuple(sorted(now.keys() - before.keys())),
    )
