"""Working days, month arithmetic and the working-time clock."""

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branch.domain.calendar import (
    MonthEnd,
    OfficeHours,
    RollRule,
    WorkingCalendar,
    add_months,
    add_working_minutes,
    working_minutes,
)

# Spring Festival 2026 as published: 15–23 February off, Saturdays 14 and 28 February worked instead.
CALENDAR = WorkingCalendar(
    holidays=frozenset(date(2026, 2, 15) + timedelta(days=day) for day in range(9)),
    extra_working_days=frozenset({date(2026, 2, 14), date(2026, 2, 28)}),
)
HOURS = OfficeHours()


def test_extra_working_days_win_over_the_weekend() -> None:
    assert CALENDAR.is_working_day(date(2026, 2, 14))
    assert not CALENDAR.is_working_day(date(2026, 2, 16))
    assert not CALENDAR.is_working_day(date(2026, 3, 1))


def test_next_previous_and_counted_working_days() -> None:
    assert CALENDAR.next_working_day(date(2026, 2, 14)) == date(2026, 2, 24)
    assert CALENDAR.previous_working_day(date(2026, 2, 24)) == date(2026, 2, 14)
    assert CALENDAR.add_working_days(date(2026, 2, 13), 2) == date(2026, 2, 24)
    assert CALENDAR.add_working_days(date(2026, 2, 24), -2) == date(2026, 2, 13)
    assert CALENDAR.add_working_days(date(2026, 2, 16), 0) == date(2026, 2, 16)


@pytest.mark.parametrize(
    ("day", "rule", "expected"),
    [
        (date(2026, 2, 16), RollRule.NONE, date(2026, 2, 16)),
        (date(2026, 2, 16), RollRule.FOLLOWING, date(2026, 2, 24)),
        (date(2026, 2, 16), RollRule.PRECEDING, date(2026, 2, 14)),
        (date(2026, 2, 16), RollRule.MODIFIED_FOLLOWING, date(2026, 2, 24)),
        (date(2026, 1, 31), RollRule.FOLLOWING, date(2026, 2, 2)),
        (date(2026, 1, 31), RollRule.MODIFIED_FOLLOWING, date(2026, 1, 30)),
        (date(2026, 2, 28), RollRule.MODIFIED_FOLLOWING, date(2026, 2, 28)),
    ],
)
def test_roll_rules(day: date, rule: RollRule, expected: date) -> None:
    assert CALENDAR.roll(day, rule) == expected


def test_a_calendar_without_working_days_is_reported() -> None:
    endless = WorkingCalendar(frozenset(date(2026, 1, 1) + timedelta(days=day) for day in range(400)))

    with pytest.raises(ValueError, match="no working day within 60 days"):
        endless.next_working_day(date(2026, 1, 5))


@pytest.mark.parametrize(
    ("months", "clamped", "rolled"),
    [
        (1, date(2026, 2, 28), date(2026, 3, 1)),
        (2, date(2026, 3, 31), date(2026, 3, 31)),
        (3, date(2026, 4, 30), date(2026, 5, 1)),
        (11, date(2026, 12, 31), date(2026, 12, 31)),
        (25, date(2028, 2, 29), date(2028, 3, 1)),
        (-2, date(2025, 11, 30), date(2025, 12, 1)),
    ],
)
def test_add_months_from_31_january(months: int, clamped: date, rolled: date) -> None:
    start = date(2026, 1, 31)

    assert add_months(start, months) == clamped
    assert add_months(start, months, month_end=MonthEnd.ROLL) == rolled


def test_the_anchor_day_comes_back() -> None:
    assert add_months(date(2026, 2, 28), 1, anchor_day=31) == date(2026, 3, 31)
    with pytest.raises(ValueError, match="anchor day 32"):
        add_months(date(2026, 2, 28), 1, anchor_day=32)
    with pytest.raises(OverflowError):
        add_months(date(9999, 12, 1), 1)


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        # One morning: 09:00–12:00.
        ("2026-03-02 09:00", "2026-03-02 12:00", 180),
        # Over the lunch break 12:00–13:30.
        ("2026-03-02 11:30", "2026-03-02 14:00", 60),
        # From a Friday evening to Monday morning: nothing of the weekend counts.
        ("2026-03-06 17:00", "2026-03-09 09:15", 45),
        # Over Spring Festival: 14 February is worked, the next working day is the 24th.
        ("2026-02-14 16:30", "2026-02-24 09:30", 90),
        ("2026-02-16 08:00", "2026-02-23 20:00", 0),
        ("2026-03-02 12:10", "2026-03-02 12:50", 0),
        # Backwards: overdue by so much.
        ("2026-03-02 10:00", "2026-03-02 09:30", -30),
    ],
)
def test_working_minutes(start: str, end: str, minutes: int) -> None:
    given_start, given_end = datetime.fromisoformat(start), datetime.fromisoformat(end)

    assert working_minutes(given_start, given_end, CALENDAR, HOURS) == minutes


@pytest.mark.parametrize(
    ("start", "minutes", "deadline"),
    [
        ("2026-03-02 09:00", 180, "2026-03-02 12:00"),
        ("2026-03-02 09:00", 181, "2026-03-02 13:31"),
        ("2026-03-06 17:00", 60, "2026-03-09 09:30"),
        ("2026-03-07 03:00", 0, "2026-03-09 09:00"),
    ],
)
def test_deadline_after_working_minutes(start: str, minutes: int, deadline: str) -> None:
    assert add_working_minutes(datetime.fromisoformat(start), minutes, CALENDAR, HOURS) == datetime.fromisoformat(
        deadline
    )


@given(st.datetimes(datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-06-01")), st.integers(0, 5000))
def test_deadline_and_minutes_are_inverse(start: datetime, minutes: int) -> None:
    start = start.replace(second=0, microsecond=0)

    assert working_minutes(start, add_working_minutes(start, minutes, CALENDAR, HOURS), CALENDAR, HOURS) == minutes


def test_office_hours_must_rise() -> None:
    for shifts in ((), ((time(12), time(9)),), ((time(9), time(12)), (time(11), time(17)))):
        with pytest.raises(ValueError, match="rising order"):
            OfficeHours(shifts)
