"""Reading one outside figure of a customer: a metric of a source for a month."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

LARGEST_VALUE = Decimal(10) ** 15
PLACES = 3
LONGEST_SOURCE = 60
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?", re.ASCII)


class Outcome(StrEnum):
    """What became of a row that was sent."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Figure:
    """`period_month` is the first of its month; `value` has at most three places."""

    metric: str
    source: str
    period_month: date
    value: Decimal

    @property
    def key(self) -> tuple[str, str, date]:
        """Two figures with one key are the same fact sent twice."""
        return self.metric, self.source, self.period_month


class FigureError(ValueError):
    """A row that is not a figure; `code` names why: row, metric, source, month, future or value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_figure(row: Any, *, metrics: frozenset[str], this_month: date) -> Figure:
    """The figure in `{"metric", "source", "period_month": "2026-03" or a date in it, "value"}`.

    Raises FigureError for anything else, also for a month after `this_month`.
    """
    if not isinstance(row, Mapping):
        raise FigureError("row")
    if row.get("metric") not in metrics:
        raise FigureError("metric")
    source = row.get("source")
    if not isinstance(source, str) or not 0 < len(source.strip()) <= LONGEST_SOURCE:
        raise FigureError("source")
    month = _month(row.get("period_month"))
    if month > this_month:
        raise FigureError("future")
    return Figure(str(row["metric"]), source.strip(), month, _value(row.get("value")))


def _month(value: Any) -> date:
    if isinstance(value, date):
        return date(value.year, value.month, 1)
    match = _MONTH.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise FigureError("month")
    try:
        return date(int(match[1]), int(match[2]), int(match[3] or 1)).replace(day=1)
    except ValueError as error:
        raise FigureError("month") from error


def _value(raw: Any) -> Decimal:
    # A float has already lost what was sent; through its text at least the shortest figure that means it is taken.
    if isinstance(raw, bool) or not isinstance(raw, Decimal | int | float | str):
        raise FigureError("value")
    try:
        value = Decimal(str(raw))
    except InvalidOperation as error:
        raise FigureError("value") from error
    if not value.is_finite() or not 0 <= value < LARGEST_VALUE:
        raise FigureError("value")
    if value != round(value, PLACES):
        raise FigureError("value")
    return round(value, PLACES)
