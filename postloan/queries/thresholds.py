"""Which thresholds are in force on a date."""

from __future__ import annotations

from datetime import date

from postloan.domain.thresholds import Rule, parse_rule, shipped_rule
from postloan.models import ThresholdSet


def threshold_set_in_force(indicator: str, on_date: date) -> ThresholdSet | None:
    """The set activated last for a date not after `on_date`; one retired since counts for its time."""
    return (
        ThresholdSet.objects.filter(indicator=indicator, state__in=("active", "retired"), active_from_date__lte=on_date)
        .order_by("-active_from_date", "-number")
        .first()
    )


def active_thresholds(indicator: str, on_date: date) -> Rule:
    """The rule in force: the bank's own, or the one shipped. Raises KeyError for an unknown indicator."""
    row = threshold_set_in_force(indicator, on_date)
    return parse_rule(indicator, str(row), row.values) if row else shipped_rule(indicator)
