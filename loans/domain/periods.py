"""Due dates and interest periods of a loan, before any money is put on them."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any, NamedTuple

from branch.domain.calendar import MonthEnd, RollRule, WorkingCalendar, add_months
from loans.domain.daycount import DayCount, bond_basis_days, year_weight


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Frequency:
    """One instalment every `every` days, weeks or months (a quarter is every 3 months)."""

    unit: Unit = Unit.MONTH
    every: int = 1


MONTHLY = Frequency()


# A tuple, not a dataclass: schedules are built by the hundred thousand, and this halves the time.
class Period(NamedTuple):
    """One interest period: `start` counts, `end` does not. `weight` is over `YEAR_BASIS` of the day count."""

    number: int
    start: date
    end: date
    due_date: date
    days: int
    weight: int


def cut_short(period: Period, end: date, day_count: DayCount) -> Period:
    """The period ended, and due, before its time. Under 30/360 it keeps the part of its days that has passed."""
    passed, days = (end - period.start).days, (period.end - period.start).days
    weight: Any = year_weight(day_count, period.start, end)
    if day_count is DayCount.THIRTY_360:
        # No whole number: only a schedule in the making needs one.
        weight = Fraction(period.weight * passed, days)
    return period._replace(end=end, due_date=end, days=passed, weight=weight)


WEEKENDS_OFF = WorkingCalendar()


@dataclass(frozen=True, slots=True)
class PaymentRoll:
    """What a payment day on a day off does: `rule` moves it; the interest period follows only if asked."""

    rule: RollRule = RollRule.NONE
    calendar: WorkingCalendar = WEEKENDS_OFF
    moves_interest: bool = False


NO_ROLL = PaymentRoll()


def nominal_due_dates(
    *,
    start_date: date,
    instalments: int,
    frequency: Frequency,
    first_due_date: date | None = None,
    due_day: int | None = None,
    month_end: MonthEnd = MonthEnd.CLAMP,
) -> list[date]:
    """Due dates before any holiday rule.

    The anchor day is `due_day`, else the day of `first_due_date`, else that of `start_date`; a chosen first
    date that is the regular one changes nothing. Raises ValueError when the first date is not on the due day
    asked for, OverflowError beyond year 9999.
    """
    if frequency.unit is not Unit.MONTH:
        step = timedelta(days=frequency.every * (7 if frequency.unit is Unit.WEEK else 1))
        first = first_due_date or start_date + step
        return [first + number * step for number in range(instalments)]
    anchor = due_day or start_date.day
    base, offset = start_date, frequency.every
    if first_due_date not in (None, add_months(base, offset, anchor, month_end)):
        anchor = due_day or first_due_date.day
        base, offset = first_due_date, _months_to_anchor(first_due_date, anchor, month_end)
    months = range(offset, offset + instalments * frequency.every, frequency.every)
    return [add_months(base, month, anchor, month_end) for month in months]


def _months_to_anchor(first_due_date: date, anchor: int, month_end: MonthEnd) -> int:
    """0 when the first date stands in its own month, -1 when it was rolled there from the month before."""
    for offset in (0, -1):
        if add_months(first_due_date, offset, anchor, month_end) == first_due_date:
            return offset
    raise ValueError(f"the first due date {first_due_date} is not on the due day {anchor}")


def interest_periods(
    *,
    start_date: date,
    due_dates: list[date],
    day_count: DayCount,
    frequency: Frequency,
    month_end: MonthEnd = MonthEnd.CLAMP,
    roll: PaymentRoll = NO_ROLL,
) -> list[Period]:
    """Interest periods that end on `due_dates`, with payment days moved as `roll` says.

    Under 30/360 a regular period of k months counts 30k days whatever its dates; only a first period that is
    no regular one (a stub) counts by bond basis. All other conventions count the days there are.
    """
    payment_days = due_dates if roll.rule is RollRule.NONE else [_roll(day, start_date, roll) for day in due_dates]
    ends = payment_days if roll.moves_interest else due_dates
    starts = [start_date, *ends[:-1]]
    days = [(end - start).days for start, end in zip(starts, ends, strict=True)]
    if day_count is DayCount.THIRTY_360:
        if frequency.unit is Unit.MONTH:
            days = [30 * frequency.every] * len(ends)
        if not is_regular(start_date, due_dates[0], frequency, month_end):
            days[0] = bond_basis_days(start_date, ends[0])
    weights = days
    if day_count is DayCount.ACTUAL_ACTUAL:
        weights = [year_weight(day_count, start, end) for start, end in zip(starts, ends, strict=True)]
    numbers = range(1, len(ends) + 1)
    return list(map(Period, numbers, starts, ends, payment_days, days, weights))


def _roll(due_date: date, start_date: date, roll: PaymentRoll) -> date:
    return max(roll.calendar.roll(due_date, roll.rule), start_date)


def is_regular(start: date, first_due: date, frequency: Frequency, month_end: MonthEnd) -> bool:
    """Whether the first due date is the one that follows from the start date alone (no stub)."""
    if frequency.unit is Unit.MONTH:
        return first_due == add_months(start, frequency.every, None, month_end)
    return (first_due - start).days == frequency.every * (7 if frequency.unit is Unit.WEEK else 1)
