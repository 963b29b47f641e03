"""The bank's own date, and which days are working days."""

from __future__ import annotations

from datetime import date, timedelta

import holidays
from django.utils import timezone

from branch.domain.calendar import WorkingCalendar
from branch.models import BusinessDay, CalendarOverride
from branch.queries.one_look import read_once


def current_day() -> BusinessDay:
    """The day that is not closed. Raises BusinessDay.DoesNotExist before the bank has opened for the first time."""
    return BusinessDay.objects.exclude(state=BusinessDay.State.CLOSED).get()


def business_date() -> date:
    """The bank's date; the calendar's before the first day is opened."""
    return read_once("business_date", _business_date)


def _business_date() -> date:
    day = BusinessDay.objects.exclude(state=BusinessDay.State.CLOSED).values_list("date", flat=True).first()
    return day or timezone.localdate()


def holidays_between(start: date, end: date) -> tuple[frozenset[date], frozenset[date]]:
    """Days off and extra working days in [start, end]: the published calendar under the override table."""
    # The package also lists the weekends that were made working days.
    china = holidays.country_holidays("CN", years=range(start.year, end.year + 1))
    span = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    off = {day for day in span if day in china}
    extra = {day for day in getattr(china, "weekend_workdays", ()) if start <= day <= end}
    for row in CalendarOverride.objects.filter(date__range=(start, end)):
        (extra if row.is_working_day else off).add(row.date)
        (off if row.is_working_day else extra).discard(row.date)
    return frozenset(off), frozenset(extra)


def working_calendar(start: date, end: date) -> WorkingCalendar:
    """The calendar of the days in [start, end], for rolling due days."""
    off, extra = holidays_between(start, end)
    return WorkingCalendar(holidays=off, extra_working_days=extra)


def is_working_day(day: date) -> bool:
    off, extra = holidays_between(day, day)
    return day in extra or (day.weekday() < 5 and day not in off)
