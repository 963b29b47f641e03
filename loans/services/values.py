"""Typed values in the one form they are kept in."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

PLACES = 2


def put(thing: Any, field: str, value: Any) -> None:
    """Set a field to the cleaned value; one that is equal already stays as it is written, and out of the record."""
    value = cleaned(value)
    if getattr(thing, field) != value:
        setattr(thing, field, value)


def cleaned(value: Any) -> Any:
    """Text without blanks at its ends, a number with at least two places."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Decimal) and value.is_finite() and -value.as_tuple().exponent < PLACES:  # type: ignore[operator]
        return round(value, PLACES)
    return value
