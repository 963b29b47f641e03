"""Price of a loan: the LPR of the day plus or less components in basis points, within floor and cap.

Rates are fractions a year (3.00 % is 0.0300); one basis point is 0.0001.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

BASIS_POINT = Decimal("0.0001")
# Bank parameter: terms up to this many months price off the one-year LPR, longer ones off over five years.
SPLIT_MONTHS = 12


class LprTerm(StrEnum):
    ONE_YEAR = "1y"
    OVER_FIVE_YEARS = "5y_plus"


class PricingError(ValueError):
    """No rate can be named: no LPR published yet on that day, or floor above cap."""


@dataclass(frozen=True, slots=True)
class LprRate:
    """One announcement."""

    published_date: date
    lpr_1y: Decimal
    lpr_5y_plus: Decimal

    def rate(self, term: LprTerm) -> Decimal:
        return self.lpr_1y if term is LprTerm.ONE_YEAR else self.lpr_5y_plus


@dataclass(frozen=True, slots=True)
class Component:
    """One part of a price: `code` names its label (product_margin, grade_margin, guarantee_discount,
    repeat_customer, cluster_concession ...), `source` where it was set, such as a product version."""

    code: str
    basis_points: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class Price:
    """A quoted rate with everything it was made of; LPR plus all components gives `annual_rate`.

    When floor or cap took effect, the last component (code floor or cap) is the difference.
    """

    annual_rate: Decimal
    lpr: LprRate
    lpr_term: LprTerm
    lpr_rate: Decimal
    components: tuple[Component, ...]
    bound: str | None


def pick_lpr(table: Sequence[LprRate], day: date) -> LprRate:
    """The announcement in force on `day`: the last one published on or before it."""
    published = [rate for rate in table if rate.published_date <= day]
    if not published:
        raise PricingError(f"no LPR was published on or before {day}")
    return max(published, key=lambda rate: rate.published_date)


def pick_lpr_term(term_months: Decimal | int, *, split_months: int = SPLIT_MONTHS) -> LprTerm:
    """One year up to and including `split_months` (12 to 60, the bank's choice), over five years above it."""
    if not 12 <= split_months <= 60:
        raise PricingError("terms split between the two LPRs at one to five years")
    return LprTerm.ONE_YEAR if term_months <= split_months else LprTerm.OVER_FIVE_YEARS


def price_loan(
    *,
    table: Sequence[LprRate],
    day: date,
    term_months: Decimal | int,
    components: Sequence[Component],
    floor: Decimal | None = None,
    cap: Decimal | None = None,
    split_months: int = SPLIT_MONTHS,
) -> Price:
    """LPR of `day` for the term, plus `components`, not below `floor` nor above `cap`."""
    if floor is not None and cap is not None and floor > cap:
        raise PricingError("the floor is above the cap")
    lpr = pick_lpr(table, day)
    term = pick_lpr_term(term_months, split_months=split_months)
    base = lpr.rate(term)
    free_rate = base + sum((part.basis_points for part in components), Decimal(0)) * BASIS_POINT
    annual_rate, bound = within_bounds(free_rate, floor, cap)
    parts = tuple(components)
    if bound:
        parts += (Component(bound, (annual_rate - free_rate) / BASIS_POINT, "product"),)
    return Price(annual_rate, lpr, term, base, parts, bound)


def within_bounds(rate: Decimal, floor: Decimal | None, cap: Decimal | None) -> tuple[Decimal, str | None]:
    """The rate, raised to the floor or lowered to the cap, and which of the two took effect."""
    if floor is not None and rate < floor:
        return floor, "floor"
    if cap is not None and rate > cap:
        return cap, "cap"
    return rate, None
