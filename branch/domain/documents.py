"""How long a document holds: it holds on its last day too, and one without a last day holds for good."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

#: Days a document may be said to end on; "long-term" on a paper is the last of them, or no day at all.
EARLIEST, LATEST = date(1990, 1, 1), date(2099, 12, 31)


class Standing(StrEnum):
    VALID = "valid"
    SOON = "soon"
    EXPIRED = "expired"
    UNDATED = "undated"


def standing_of(expires_on: date | None, today: date, notice_days: int) -> Standing:
    """Where a document stands today; `soon` from so many days before its last one on."""
    if expires_on is None:
        return Standing.UNDATED
    if expires_on < today:
        return Standing.EXPIRED
    return Standing.SOON if expires_on <= today + timedelta(days=notice_days) else Standing.VALID
