"""Every method × day count × frequency × edge, against the definitions worked out anew, day by day and in fractions.

Nothing of the program is used to expect a figure. Source of the conventions: docs/algorithms; of the day counts ISDA
2006, section 4.16, of which actual/actual is counted here one day after the other.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import pytest

from branch.domain.calendar import RollRule, WorkingCalendar
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, PaymentRoll, Unit
from loans.domain.schedule import ScheduleTerms, build_schedule
from loans.domain.terms import RepaymentMethod

PRINCIPAL, RATE, INSTALMENTS = Fraction(12000), Fraction(9, 100), 6
METHODS = [m for m in RepaymentMethod if m not in (RepaymentMethod.AGREED_PLAN, RepaymentMethod.PAY_AS_YOU_USE)]
FREQUENCIES = [(Unit.DAY, 10), (Unit.WEEK, 1), (Unit.WEEK, 2), (Unit.MONTH, 1), (Unit.MONTH, 3)]
HOLIDAYS = WorkingCalendar(frozenset(date(2026, 2, 15) + timedelta(days=day) for day in range(9)))
EDGES: dict[str, dict[str, Any]] = {
    "plain": {},
    "one instalment": {"instalments": 1},
    "zero rate": {"annual_rate": Decimal(0)},
    "leap day": {"start_date": date(2024, 2, 29)},
    "month end": {"start_date": date(2026, 1, 31)},
    "stub": {"stub": 19},
    "holiday": {"roll": PaymentRoll(RollRule.FOLLOWING, HOLIDAYS)},
    "principal grace": {"principal_grace": 2},
}


def cents(amount: Fraction) -> Decimal:
    """Half up, at the hundredth."""
    exact = Decimal(amount.numerator * 100) / Decimal(amount.denominator)
    return exact.quantize(Decimal(1), ROUND_HALF_UP) / 100


def later(day: date, months: int, anchor: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(anchor, calendar.monthrange(year, month + 1)[1]))


def due_dates(start: date, unit: Unit, every: int, count: int, stub: int) -> list[date]:
    step = {Unit.DAY: 1, Unit.WEEK: 7}.get(unit, 0) * every
    if unit is not Unit.MONTH:
        first = start + timedelta(days=step + stub)
        return [first + timedelta(days=step * n) for n in range(count)]
    if not stub:
        return [later(start, every * n, start.day) for n in range(1, count + 1)]
    first = later(start, every, start.day) + timedelta(days=stub)
    return [later(first, every * n, first.day) for n in range(count)]


def year_part(day_count: DayCount, start: date, end: date, months: int) -> Fraction:
    """`months` of a regular period under 30/360, 0 for a stub or where the period is counted in days."""
    days = (end - start).days
    if day_count is DayCount.ACTUAL_ACTUAL:
        years = [(start + timedelta(days=n)).year for n in range(days)]
        return sum((Fraction(1, 366 if calendar.isleap(year) else 365) for year in years), Fraction(0))
    if day_count is DayCount.THIRTY_360 and months:
        return Fraction(30 * months, 360)
    return Fraction(days, 365 if day_count is DayCount.ACTUAL_365 else 360)


def bond_basis(start: date, end: date) -> Fraction:
    first = min(start.day, 30)
    last = 30 if end.day == 31 and first == 30 else end.day
    return Fraction(360 * (end.year - start.year) + 30 * (end.month - start.month) + last - first, 360)


def expected(
    method: RepaymentMethod, rate: Fraction, parts: list[Fraction], grace: int
) -> list[tuple[Decimal, Decimal]]:
    """(principal, interest) of every row."""
    count, whole = len(parts), Decimal(int(PRINCIPAL))
    if method is RepaymentMethod.BULLET:
        return [(whole, cents(PRINCIPAL * rate * sum(parts)))]
    if method is RepaymentMethod.FLAT:
        left, interests = cents(PRINCIPAL * rate * sum(parts)), []
        for part in parts[:-1]:
            interests.append(min(cents(PRINCIPAL * rate * part), left))
            left -= interests[-1]
        interests.append(left)
        paying = count - grace
        return [(Decimal(0) if n < grace else whole / paying, interest) for n, interest in enumerate(interests)]
    rows: list[tuple[Decimal, Decimal]] = []
    balance, level = whole, Decimal(0)
    if method is RepaymentMethod.EQUAL_INSTALMENT:
        grown, annuity = Fraction(1), Fraction(0)
        for part in reversed(parts[grace:]):
            annuity += grown
            grown *= 1 + rate * part
        level = cents(PRINCIPAL * grown / annuity)
    for n, part in enumerate(parts):
        interest = cents(Fraction(balance) * rate * part)
        if n == count - 1:
            principal = balance
        elif n < grace or method is RepaymentMethod.INTEREST_ONLY:
            principal = Decimal(0)
        elif method is RepaymentMethod.EQUAL_PRINCIPAL:
            principal = whole / (count - grace)
        else:
            principal = level - interest
        rows.append((principal, interest))
        balance -= principal
    return rows


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize(("unit", "every"), FREQUENCIES)
@pytest.mark.parametrize("day_count", DayCount)
@pytest.mark.parametrize("method", METHODS)
def test_it_is_what_the_definitions_say(
    method: RepaymentMethod, day_count: DayCount, unit: Unit, every: int, edge: str
) -> None:
    given: dict[str, Any] = {
        "start_date": date(2026, 1, 20),
        "annual_rate": Decimal("0.09"),
        "instalments": INSTALMENTS,
    } | EDGES[edge]
    stub = given.pop("stub", 0)
    start, count, grace = given["start_date"], given["instalments"], given.get("principal_grace", 0)
    dues = due_dates(start, unit, every, count, stub)
    months = every if unit is Unit.MONTH else 0
    parts = [year_part(day_count, a, b, months) for a, b in zip([start, *dues], dues, strict=False)]
    if stub and day_count is DayCount.THIRTY_360:
        parts[0] = bond_basis(start, dues[0])

    terms = ScheduleTerms(
        principal=Decimal(12000),
        repayment_method=method,
        day_count=day_count,
        frequency=Frequency(unit, every),
        first_due_date=dues[0] if stub else None,
        **given,
    )
    rows = build_schedule(terms).rows

    if method is RepaymentMethod.BULLET:
        dues = dues[-1:]
    rolled = [HOLIDAYS.roll(due, RollRule.FOLLOWING) for due in dues] if edge == "holiday" else dues
    wanted = expected(method, Fraction(given["annual_rate"]), parts, grace)
    assert [row.due_date for row in rows] == rolled
    assert [(row.principal, row.interest) for row in rows] == wanted
