"""Early-warning indicators: small functions in one table keyed by code, each returning its evidence.

Thresholds are data, passed in: which value turns an indicator blue, yellow, orange or red. A missing level
is simply not used. Nothing here knows where the figures come from.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from branch.domain.calendar import add_months
from branch.domain.money import round_money

RATE_PLACES = 4


class Level(StrEnum):
    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The value from which on (inclusive) each level holds; higher values are worse.

    Raises ValueError when the limits do not rise with the level.
    """

    limits: Mapping[Level, Decimal]

    def __post_init__(self) -> None:
        rising = [self.limits[level] for level in Level if level in self.limits]
        if not rising or any(later <= earlier for earlier, later in pairwise(rising)):
            raise ValueError("thresholds must name at least one level and rise with it")

    def level(self, value: Decimal) -> tuple[Level | None, Decimal | None]:
        """The worst level reached and its limit; (None, None) below the first."""
        reached = [level for level in Level if level in self.limits and value >= self.limits[level]]
        return (reached[-1], self.limits[reached[-1]]) if reached else (None, None)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an indicator found. `value` is None when the data don't allow a finding, and `note` says why;
    `threshold` is the limit that was reached."""

    code: str
    level: Level | None
    value: Decimal | None
    threshold: Decimal | None
    inputs: Mapping[str, str]
    formula: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """Standing of one loan."""

    days_past_due: int
    overdue_amount: Decimal
    oldest_unpaid_due_date: date | None = None


@dataclass(frozen=True, slots=True)
class MonthlySeries:
    """Usage by month (first day of the month → kWh); `latest_month` is the one under question and `months`
    how many months before it make up the average."""

    usage: Mapping[date, Decimal]
    latest_month: date
    months: int


def overdue(facts: OverdueFacts, thresholds: Thresholds) -> Evidence:
    """Days past due against the levels."""
    value = Decimal(facts.days_past_due)
    level, threshold = thresholds.level(value)
    inputs = {
        "days_past_due": str(facts.days_past_due),
        "overdue_amount": str(facts.overdue_amount),
        "oldest_unpaid_due_date": (facts.oldest_unpaid_due_date.isoformat() if facts.oldest_unpaid_due_date else ""),
    }
    return Evidence("overdue", level, value, threshold, inputs, "days_past_due")


def electricity_down(series: MonthlySeries, thresholds: Thresholds) -> Evidence:
    """Drop of the latest month against the firm's own average of the months before: 0.30 is 30 % less.

    Needs every one of those months (a gap would be read as a drop) and an average above zero.
    """
    formula = "(average − latest) ÷ average"
    months = [add_months(series.latest_month, -back) for back in range(series.months, 0, -1)]
    missing = [month for month in [*months, series.latest_month] if month not in series.usage]
    inputs = {
        month.strftime("%Y-%m"): str(series.usage[month])
        for month in [*months, series.latest_month]
        if month in series.usage
    }
    if missing or not months:
        return Evidence("electricity_down", None, None, None, inputs, formula, note="months_missing")
    total = sum((series.usage[month] for month in months), Decimal(0))
    if total <= 0:
        return Evidence("electricity_down", None, None, None, inputs, formula, note="no_usage_before")
    average = total / len(months)
    drop = round_money((average - series.usage[series.latest_month]) / average, places=RATE_PLACES)
    inputs["average"] = str(round_money(average))
    level, threshold = thresholds.level(drop)
    return Evidence("electricity_down", level, drop, threshold, inputs, formula)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One entry of the table: the facts it takes and the function that judges them."""

    code: str
    facts_type: type
    judge: Callable[..., Evidence]


INDICATORS: Mapping[str, Indicator] = {
    indicator.code: indicator
    for indicator in (
        Indicator("overdue", OverdueFacts, overdue),
        Indicator("electricity_down", MonthlySeries, electricity_down),
    )
}


def evaluate(code: str, facts: object, thresholds: Thresholds) -> Evidence:
    """Evidence of one indicator. Raises KeyError for an unknown code, TypeError for facts of another kind."""
    indicator = INDICATORS[code]
    if not isinstance(facts, indicator.facts_type):
        raise TypeError(f"{code} takes {indicator.facts_type.__name__}")
    return indicator.judge(facts, thresholds)
