"""LPR picked by day and term, components, floor and cap."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from loans.domain.lpr_history import LPR_HISTORY
from loans.domain.pricing import Component, LprTerm, PricingError, pick_lpr, pick_lpr_term, price_loan

MARGIN = Component("product_margin", Decimal(120), "product micro-line v3")
GRADE = Component("grade_margin", Decimal("35.5"), "scorecard v2, grade B")
REPEAT = Component("repeat_customer", Decimal(-20), "third loan")


def test_the_published_history_is_whole() -> None:
    """Seventy monthly announcements without a gap, in order."""
    days = [rate.published_date for rate in LPR_HISTORY]
    months = [(day.year, day.month) for day in days]

    assert len(LPR_HISTORY) == 70
    assert (days[0], days[-1]) == (date(2019, 8, 20), date(2025, 5, 20))
    assert months == [((2019 * 12 + 7 + n) // 12, (2019 * 12 + 7 + n) % 12 + 1) for n in range(70)]
    assert all(rate.lpr_1y < rate.lpr_5y_plus for rate in LPR_HISTORY)


@pytest.mark.parametrize(
    ("day", "one_year", "over_five"),
    [
        # Published: the reform's first rate, the cut of February 2020, and the last one in the table.
        (date(2019, 8, 20), "0.0425", "0.0485"),
        (date(2020, 2, 19), "0.0415", "0.0480"),
        (date(2020, 2, 20), "0.0405", "0.0475"),
        (date(2024, 10, 21), "0.0310", "0.0360"),
        (date(2026, 11, 23), "0.0300", "0.0350"),
    ],
)
def test_the_last_announcement_counts(day: date, one_year: str, over_five: str) -> None:
    rate = pick_lpr(LPR_HISTORY, day)

    assert (rate.lpr_1y, rate.lpr_5y_plus) == (Decimal(one_year), Decimal(over_five))


def test_no_rate_before_the_first_announcement() -> None:
    with pytest.raises(PricingError):
        pick_lpr(LPR_HISTORY, date(2019, 8, 19))


def test_the_term_picks_the_tenor() -> None:
    assert pick_lpr_term(12) is LprTerm.ONE_YEAR
    assert pick_lpr_term(13) is LprTerm.OVER_FIVE_YEARS
    assert pick_lpr_term(60, split_months=60) is LprTerm.ONE_YEAR
    assert pick_lpr_term(61, split_months=60) is LprTerm.OVER_FIVE_YEARS
    with pytest.raises(PricingError):
        pick_lpr_term(12, split_months=6)


def test_a_price_is_lpr_plus_components_with_their_sources() -> None:
    """3.00 % + 120 + 35.5 − 20 bp = 4.355 %."""
    price = price_loan(table=LPR_HISTORY, day=date(2026, 11, 23), term_months=12, components=[MARGIN, GRADE, REPEAT])

    assert price.annual_rate == Decimal("0.04355")
    assert price.lpr.published_date == date(2025, 5, 20)
    assert price.components == (MARGIN, GRADE, REPEAT)
    assert price.bound is None


@pytest.mark.parametrize(
    ("limits", "rate", "bound", "difference"),
    [({"floor": Decimal("0.05")}, "0.05", "floor", "80"), ({"cap": Decimal("0.04")}, "0.04", "cap", "-20")],
)
def test_floor_and_cap_show_as_a_component(limits: dict[str, Any], rate: str, bound: str, difference: str) -> None:
    price = price_loan(table=LPR_HISTORY, day=date(2026, 1, 1), term_months=6, components=[MARGIN], **limits)

    assert price.annual_rate == Decimal(rate)
    assert price.bound == bound == price.components[-1].code
    assert price.components[-1].basis_points == Decimal(difference)
    points = sum(part.basis_points for part in price.components)
    assert price.lpr_rate + points * Decimal("0.0001") == price.annual_rate


def test_a_floor_above_the_cap_is_refused() -> None:
    with pytest.raises(PricingError):
        price_loan(
            table=LPR_HISTORY,
            day=date(2026, 1, 1),
            term_months=6,
            components=[],
            floor=Decimal("0.06"),
            cap=Decimal("0.05"),
        )
