"""Outside figures as series over months. The caller has established that the actor may see the customer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import QuerySet

from branch.domain.calendar import add_months
from customers.models import Customer, ExternalRecord
from customers.queries.merges import files_of, once


@dataclass(frozen=True)
class Point:
    month: date
    value: Decimal
    source: str


@dataclass(frozen=True)
class Series:
    """One metric of one source, oldest month first; `received_at` is when its newest figure came."""

    metric: str
    source: str
    source_name: str
    received_at: datetime
    points: tuple[Point, ...]


def record_series(customer: Customer, *, until: date, months: int = 24) -> list[Series]:
    """The current figures of the `months` months up to the month of `until`, by metric and source."""
    first = add_months(until.replace(day=1), 1 - months)
    rows = _current(customer).filter(period_month__range=(first, until)).select_related("source")
    grouped: dict[tuple[str, str], list[ExternalRecord]] = defaultdict(list)
    for row in once(rows.order_by("metric_id", "source_id", "period_month"), customer, _what):
        grouped[row.metric_id, row.source_id].append(row)
    return [
        Series(
            metric,
            source,
            found[0].source.name,
            max(row.received_at for row in found),
            tuple(Point(row.period_month, row.value, source) for row in found),
        )
        for (metric, source), found in grouped.items()
    ]


def year_total(customer: Customer, metric: str, *, until: date) -> Decimal | None:
    """Sum of the twelve months before the month of `until`; None unless a source has all twelve.

    Where several sources have them, the one received last counts.
    """
    end = until.replace(day=1)
    year = figures_of(customer, metric, add_months(end, -12), end)
    by_source: dict[str, list[Decimal]] = defaultdict(list)
    latest = ""
    for row in sorted(year, key=lambda row: row.received_at):
        by_source[row.source_id].append(row.value)
        if len(by_source[row.source_id]) == 12:
            latest = row.source_id
    return sum(by_source[latest], Decimal(0)) if latest else None


def figures_of(customer: Customer, metric: str, start: date, end: date) -> list[ExternalRecord]:
    """The current figures of a metric from the month `start` (in) to `end` (out), of every source."""
    rows = _current(customer).filter(metric_id=metric, period_month__gte=start, period_month__lt=end)
    return once(rows, customer, _what)


def _current(customer: Customer) -> QuerySet[ExternalRecord]:
    return ExternalRecord.objects.filter(customer__in=files_of(customer), superseded_at=None)


def _what(row: ExternalRecord) -> tuple[str, str, date]:
    return row.metric_id, row.source_id, row.period_month
