"""Clocks of work in hand: how long a stage, an investigation or a case has been open, in working time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from approvals.models import ReviewStage
from branch.domain.calendar import OfficeHours, WorkingCalendar
from branch.queries.business_date import holidays_between
from branch.queries.parameters import parameters
from desk.domain.clocks import Clock, clock
from loans.models import Investigation
from postloan.models import WarningCase

#: Work older than this is over its clock whatever the holidays were.
_LOOK_BACK = timedelta(days=120)


def _stage_start(stage: Any) -> datetime | None:
    return stage.opened_at if stage.state in ("waiting", "claimed") else None


def _investigation_start(investigation: Any) -> datetime | None:
    open_states = ("open", "signed_by_owner", "signed_by_second")
    return investigation.created_at if investigation.state in open_states else None


def _case_start(case: Any) -> datetime | None:
    return case.created_at if case.state != "closed" else None


#: model → (parameter with the hours it may take, when it began; None once it is done).
CLOCKED: dict[type, tuple[str, Callable[[Any], datetime | None]]] = {
    ReviewStage: ("review.clock_working_hours", _stage_start),
    Investigation: ("investigation.clock_working_hours", _investigation_start),
    WarningCase: ("case.clock_working_hours", _case_start),
}


class Clocks:
    """Clocks for one page: hours, allowances and holidays are read once, on first use."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = timezone.localtime(now)
        self._facts: tuple[WorkingCalendar, OfficeHours, dict[str, int]] | None = None

    def of(self, thing: Any) -> Clock | None:
        """The clock of a thing; None where it has none or is done."""
        found = CLOCKED.get(type(thing))
        begun = found[1](thing) if found else None
        if found is None or begun is None:
            return None
        calendar, hours, allowed = self._read()
        start = max(timezone.localtime(begun), self.now - _LOOK_BACK)
        return clock(start, self.now, allowed[found[0]] * 60, calendar, hours)

    def _read(self) -> tuple[WorkingCalendar, OfficeHours, dict[str, int]]:
        if self._facts is None:
            codes = [code for code, _start in CLOCKED.values()]
            values = parameters("office.opens_hour", "office.closes_hour", *codes)
            hours = OfficeHours(((time(values["office.opens_hour"]), time(values["office.closes_hour"])),))
            self._facts = _calendar(self.now.date()), hours, values
        return self._facts


def _calendar(today: date) -> WorkingCalendar:
    # A clock looks back and, when it began on a day off, on to the next working day.
    off, extra = holidays_between(today - _LOOK_BACK, today + timedelta(days=31))
    return WorkingCalendar(holidays=off, extra_working_days=extra)
