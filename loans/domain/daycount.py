"""Day counts: how many days a period has and what part of a year that is. First day in, last day out.

A year fraction is kept as a whole number over a fixed basis per convention, so that interest is exact until
it is rounded once. Sources: ISDA 2006 definitions 4.16(b) actual/actual, (d) actual/365, (e) actual/360,
(f) 30/360 bond basis.
"""

from datetime import date
from enum import StrEnum
from fractions import Fraction


class DayCount(StrEnum):
    THIRTY_360 = "30/360"
    ACTUAL_360 = "actual/360"
    ACTUAL_365 = "actual/365"
    ACTUAL_ACTUAL = "actual/actual"


# Under actual/actual a day weighs 1/365 or 1/366 of a year: over 365 × 366 both are whole numbers.
YEAR_BASIS = {
    DayCount.THIRTY_360: 360,
    DayCount.ACTUAL_360: 360,
    DayCount.ACTUAL_365: 365,
    DayCount.ACTUAL_ACTUAL: 365 * 366,
}


def count_days(convention: DayCount, start: date, end: date) -> int:
    """Days from `start` (in) to `end` (out): bond basis under 30/360, actual days otherwise."""
    if convention is DayCount.THIRTY_360:
        return bond_basis_days(start, end)
    return (end - start).days


def bond_basis_days(start: date, end: date) -> int:
    """30/360 days: a 31st starts as the 30th, and ends as the 30th when the start is the 30th or 31st."""
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return 360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first


def year_weight(convention: DayCount, start: date, end: date) -> int:
    """The period's part of a year times `YEAR_BASIS[convention]`, a whole number."""
    if convention is DayCount.ACTUAL_ACTUAL:
        return _actual_actual_weight(start, end)
    return count_days(convention, start, end)


def year_fraction(convention: DayCount, start: date, end: date) -> Fraction:
    """The period as an exact part of a year (a stub under 30/360: bond basis)."""
    return Fraction(year_weight(convention, start, end), YEAR_BASIS[convention])


def _actual_actual_weight(start: date, end: date) -> int:
    weight = 0
    while start < end:
        new_year = date(start.year + 1, 1, 1) if start.year < end.year else end
        weight += (new_year - start).days * (365 if is_leap_year(start.year) else 366)
        start = new_year
    return weight


def is_leap_year(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
