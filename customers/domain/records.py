"""Reading one outside figure of a customer: a metric of a source for a month."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from customers.domain.metrics import LARGEST_VALUE, PLACES

_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?", re.ASCII)


class Outcome(StrEnum):
    """What became of a row that was sent."""

    ACCEPTED = "accepted"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    #: A later row of the same call has the figure.
    OVERTAKEN = "overtaken"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Limits:
    """The values a metric takes: with at most `places` decimal places, from `least` to `most`."""

    places: int = PLACES
    least: Decimal | None = Decimal(0)
    most: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """`period_month` is the first of its month; `value` has at most three places."""

    metric: str
    source: str
    period_month: date
    value: Decimal


class FigureError(ValueError):
    """A row that is not a figure; `code` names why: row, metric, source, month, future or value."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_figure(row: Any, *, metrics: Mapping[str, Limits], sources: Mapping[str, str], this_month: date) -> Figure:
    """The figure in `{"metric", "source", "period_month": "2026-03" or a date in it, "value"}`.

    `sources` gives the code of a source by what it may be called. Raises FigureError for anything else, also for a
    month after `this_month`.
    """
    if not isinstance(row, Mapping):
        raise FigureError("row")
    limits = metrics.get(row["metric"]) if isinstance(row.get("metric"), str) else None
    if limits is None:
        raise FigureError("metric")
    source = row.get("source")
    code = sources.get(source.strip()) if isinstance(source, str) else None
    if code is None:
        raise FigureError("source")
    month = _month(row.get("period_month"))
    if month > this_month:
        raise FigureError("future")
    return Figure(str(row["metric"]), code, month, _value(row.get("value"), limits))


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


def _value(raw: Any, limits: Limits) -> Decimal:
    # A float has already lost what was sent; through its text at least the shortest figure that means it is taken.
    if isinstance(raw, bool) or not isinstance(raw, Decimal | int | float | str):
        raise FigureError("value")
    try:
        value = Decimal(str(raw))
    except InvalidOperation as error:
        raise FigureError("value") from error
    if not value.is_finite() or not -LARGEST_VALUE < value < LARGEST_VALUE:
        raise FigureError("value")
    too_small = limits.least is not None and value < limits.least
    too_large = limits.most is not None and value > limits.most
    if too_small or too_large or value != round(value, limits.places):
        raise FigureError("value")
    return round(value, PLACES)
