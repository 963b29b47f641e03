"""Floating rates: on which days a loan is priced anew, and which rate it bears from which day.

A floating contract keeps its distance to the prime rate: on a repricing day the rate is the LPR in force on that day
plus the contract's spread, within its floor and cap. Until the first repricing day it bears the rate it was signed at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from branch.domain.calendar import add_months
from loans.domain.pricing import BASIS_POINT, LprRate, LprTerm, pick_lpr, within_bounds


class RepricingRule(StrEnum):
    EVERY_MONTHS = "every_months"
    EACH_JANUARY = "each_january"


@dataclass(frozen=True, slots=True)
class Floating:
    """How a rate floats. `months` is the distance of two repricing days, counted from the day the money went out;
    under EACH_JANUARY it is 0. `spread_bp` is the signed rate less its LPR, in basis points."""

    rule: RepricingRule
    months: int
    lpr_term: LprTerm
    spread_bp: Decimal
    floor: Decimal
    cap: Decimal

    def __post_init__(self) -> None:
        if (self.rule is RepricingRule.EVERY_MONTHS) != (self.months > 0):
            raise ValueError("a rate is repriced every so many months, or each January")

    def rate_on(self, lpr: LprRate) -> Decimal:
        rate, _bound = within_bounds(lpr.rate(self.lpr_term) + self.spread_bp * BASIS_POINT, self.floor, self.cap)
        return rate

    def as_json(self) -> dict[str, Any]:
        return {
            "rule": self.rule.value,
            "months": self.months,
            "lpr_term": self.lpr_term.value,
            "spread_bp": str(self.spread_bp),
            "floor": str(self.floor),
            "cap": str(self.cap),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Floating:
        spread, floor, cap = (Decimal(values[name]) for name in ("spread_bp", "floor", "cap"))
        return cls(RepricingRule(values["rule"]), values["months"], LprTerm(values["lpr_term"]), spread, floor, cap)


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """The rate from `from_date` on; `lpr` is the announcement behind it, None for the rate signed at."""

    from_date: date
    annual_rate: Decimal
    lpr: LprRate | None = None


def repricing_dates(rule: RepricingRule, months: int, start_date: date, maturity_date: date) -> list[date]:
    """The repricing days after the start and before maturity, in order."""
    if rule is RepricingRule.EACH_JANUARY:
        days = [date(year, 1, 1) for year in range(start_date.year + 1, maturity_date.year + 1)]
        return [day for day in days if day < maturity_date]
    days = []
    while (day := add_months(start_date, months * (len(days) + 1))) < maturity_date:
        days.append(day)
    return days


def repricings(
    floating: Floating | None,
    *,
    signed_rate: Decimal,
    start_date: date,
    maturity_date: date,
    table: Sequence[LprRate],
    until: date,
) -> tuple[RatePeriod, ...]:
    """Which rate a loan bears from which date: the signed one from the start, then one per repricing day to `until`.

    Later repricing days are left out, as their LPR is not known. A repricing that leaves the rate as it was is there
    too. A fixed rate (None) is one period. Raises PricingError when the table does not reach back far enough.
    """
    periods = [RatePeriod(start_date, signed_rate)]
    if floating is not None:
        for day in repricing_dates(floating.rule, floating.months, start_date, maturity_date):
            if day <= until:
                lpr = pick_lpr(table, day)
                periods.append(RatePeriod(day, floating.rate_on(lpr), lpr))
    return tuple(periods)
