"""Day counts against published figures."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.domain.daycount import YEAR_BASIS, DayCount, bond_basis_days, count_days, year_fraction, year_weight

DAYS = st.dates(date(2000, 1, 1), date(2040, 12, 31))


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        # ISDA, 30/360 worksheet to the 2006 definitions, column 30/360 (bond basis).
        (date(2006, 8, 20), date(2007, 2, 20), 180),
        (date(2007, 2, 20), date(2007, 8, 20), 180),
        (date(2006, 8, 31), date(2007, 2, 28), 178),
        (date(2007, 2, 28), date(2007, 8, 31), 183),
        (date(2008, 2, 29), date(2008, 8, 31), 182),
        (date(2006, 1, 31), date(2006, 2, 28), 28),
        (date(2006, 2, 28), date(2006, 3, 31), 33),
        (date(2006, 7, 31), date(2006, 8, 31), 30),
        (date(2006, 9, 30), date(2006, 10, 31), 30),
    ],
)
def test_bond_basis(start: date, end: date, days: int) -> None:
    assert bond_basis_days(start, end) == days == count_days(DayCount.THIRTY_360, start, end)


@pytest.mark.parametrize(
    ("start", "end", "common_days", "leap_days"),
    [
        # ISDA, "EMU and market conventions: recent developments" (1998): days over 365 and days over 366.
        (date(2003, 11, 1), date(2004, 5, 1), 61, 121),
        (date(1999, 2, 1), date(1999, 7, 1), 150, 0),
        (date(1999, 7, 1), date(2000, 7, 1), 184, 182),
        (date(2002, 8, 15), date(2003, 7, 15), 334, 0),
        (date(2003, 7, 15), date(2004, 1, 15), 170, 14),
        (date(1999, 7, 30), date(2000, 1, 30), 155, 29),
        (date(2000, 1, 30), date(2000, 6, 30), 0, 152),
    ],
)
def test_actual_actual_isda(start: date, end: date, common_days: int, leap_days: int) -> None:
    expected = Fraction(common_days, 365) + Fraction(leap_days, 366)

    assert year_fraction(DayCount.ACTUAL_ACTUAL, start, end) == expected


def test_actual_days_count_the_first_and_not_the_last() -> None:
    start, end = date(2024, 2, 28), date(2024, 3, 1)

    assert count_days(DayCount.ACTUAL_360, start, end) == 2
    assert year_fraction(DayCount.ACTUAL_360, start, end) == Fraction(2, 360)
    assert year_fraction(DayCount.ACTUAL_365, start, end) == Fraction(2, 365)
    assert year_fraction(DayCount.ACTUAL_ACTUAL, start, end) == Fraction(2, 366)


@given(DAYS, DAYS, DAYS)
def test_parts_of_a_period_add_up(one: date, two: date, three: date) -> None:
    start, middle, end = sorted((one, two, three))

    for convention in (DayCount.ACTUAL_360, DayCount.ACTUAL_365, DayCount.ACTUAL_ACTUAL):
        parts = year_weight(convention, start, middle) + year_weight(convention, middle, end)
        assert parts == year_weight(convention, start, end)


@given(DAYS, DAYS)
def test_actual_actual_is_each_day_over_its_own_year(one: date, two: date) -> None:
    start, end = sorted((one, two))
    by_year = {
        year: min(date(year + 1, 1, 1), end) - max(date(year, 1, 1), start) for year in range(start.year, end.year + 1)
    }
    slow = sum(
        (Fraction(span.days, (date(year + 1, 1, 1) - date(year, 1, 1)).days) for year, span in by_year.items()),
        Fraction(0),
    )

    assert Fraction(year_weight(DayCount.ACTUAL_ACTUAL, start, end), YEAR_BASIS[DayCount.ACTUAL_ACTUAL]) == slow


def test_weights_stay_exact_for_money() -> None:
    """One day of 365 at 3.65 % on 10,000.00 is exactly 1.00."""
    assert Decimal(10000) * Decimal("0.0365") * year_weight(
        DayCount.ACTUAL_365, date(2026, 1, 1), date(2026, 1, 2)
    ) / YEAR_BASIS[DayCount.ACTUAL_365] == Decimal("1.00")
