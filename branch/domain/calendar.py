"""Working days, due-day rolling, month arithmetic and the working-time clock.

Holidays are passed in: a `WorkingCalendar` holds the days off and the weekend days worked instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

ONE_DAY = timedelta(days=1)
SATURDAY = 5
# A gap between working days longer than this is a mistake in the calendar data, not a holiday.
LONGEST_BREAK_DAYS = 60
_MONTH_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class RollRule(StrEnum):
    """What happens to a payment day that is no working day."""

    NONE = "none"
    FOLLOWING = "following"
    MODIFIED_FOLLOWING = "modified_following"
    PRECEDING = "preceding"


class MonthEnd(StrEnum):
    """Where a due day goes in a month that has no such day: its last day, or the 1st of the next."""

    CLAMP = "clamp"
    ROLL = "roll"


# Looking a member up on its class is slow enough to show where every due date is found.
_ROLL = MonthEnd.ROLL


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Monday to Friday, less `holidays`, plus `extra_working_days` (which win over both)."""

    holidays: frozenset[date] = frozenset()
    extra_working_days: frozenset[date] = frozenset()

    def is_working_day(self, day: date) -> bool:
        if day in self.extra_working_days:
            return True
        return day.weekday() < SATURDAY and day not in self.holidays

    def next_working_day(self, day: date) -> date:
        """The first working day after `day`."""
        return self._step(day, ONE_DAY)

    def previous_working_day(self, day: date) -> date:
        """The last working day before `day`."""
        return self._step(day, -ONE_DAY)

    def add_working_days(self, day: date, count: int) -> date:
        """`count` working days after `day` (before it when negative); 0 gives `day` itself."""
        step = self.next_working_day if count > 0 else self.previous_working_day
        for _ in range(abs(count)):
            day = step(day)
        return day

    def roll(self, day: date, rule: RollRule) -> date:
        """`day` itself when it is a working day, else the working day `rule` names."""
        if rule is RollRule.NONE or self.is_working_day(day):
            return day
        if rule is RollRule.PRECEDING:
            return self.previous_working_day(day)
        following = self.next_working_day(day)
        if rule is RollRule.MODIFIED_FOLLOWING and following.month != day.month:
            return self.previous_working_day(day)
        return following

    def _step(self, day: date, step: timedelta) -> date:
        for _ in range(LONGEST_BREAK_DAYS):
            day += step
            if self.is_working_day(day):
                return day
        raise ValueError(f"no working day within {LONGEST_BREAK_DAYS} days of {day}")


def days_in_month(year: int, month: int) -> int:
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _MONTH_LENGTHS[month - 1]


def add_months(day: date, months: int, anchor_day: int | None = None, month_end: MonthEnd = MonthEnd.CLAMP) -> date:
    """The anchor day of the month `months` after the month of `day`.

    `anchor_day` (1–31, default `day.day`) comes back after a short month: each result depends on the first
    date and the count, never on the date before it. Raises OverflowError beyond year 9999.
    """
    anchor = anchor_day or day.day
    year, month0 = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > 9999:
        raise OverflowError("beyond the calendar")
    if anchor <= 28 or anchor <= (last_day := days_in_month(year, month0 + 1)):
        return date(year, month0 + 1, anchor)
    if anchor > 31:
        raise ValueError(f"anchor day {anchor} is above 31")
    if month_end is _ROLL:
        return date(year, month0 + 1, last_day) + ONE_DAY
    return date(year, month0 + 1, last_day)


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Working shifts of one day as (opens, closes), in order and not overlapping."""

    shifts: tuple[tuple[time, time], ...] = ((time(9), time(12)), (time(13, 30), time(17, 30)))

    def __post_init__(self) -> None:
        edges = [edge for shift in self.shifts for edge in shift]
        if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError("office hours must be shifts in rising order")


def working_minutes(start: datetime, end: datetime, calendar: WorkingCalendar, hours: OfficeHours) -> int:
    """Whole working minutes from `start` to `end`; negative when `end` is earlier.

    Both datetimes are local to the office, and both naive or both in the same zone.
    """
    if end < start:
        return -working_minutes(end, start, calendar, hours)
    worked = timedelta()
    for opens, closes in _shifts_from(start, calendar, hours):
        if opens >= end:
            break
        worked += max(min(closes, end) - max(opens, start), timedelta())
    return worked // timedelta(minutes=1)


def add_working_minutes(start: datetime, minutes: int, calendar: WorkingCalendar, hours: OfficeHours) -> datetime:
    """The moment when `minutes` (≥ 0) of working time have passed since `start`: a clock's deadline."""
    if minutes < 0:
        raise ValueError("working minutes to add must not be negative")
    left = timedelta(minutes=minutes)
    for opens, closes in _shifts_from(start, calendar, hours):
        begins = max(opens, start)
        if closes > begins and begins + left <= closes:
            return begins + left
        left -= max(closes - begins, timedelta())
    raise AssertionError("shifts never end")


def _shifts_from(start: datetime, calendar: WorkingCalendar, hours: OfficeHours) -> Iterator[tuple[datetime, datetime]]:
    """Every working shift from the day of `start` on, without end."""
    day = start.date() if calendar.is_working_day(start.date()) else calendar.next_working_day(start.date())
    while True:
        for opens, closes in hours.shifts:
            yield (
                datetime.combine(day, opens, start.tzinfo),
                datetime.combine(day, closes, start.tzinfo),
            )
        day = calendar.next_working_day(day)
