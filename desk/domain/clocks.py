"""A clock counts working time: how much a piece of work may take, and how much of that is left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from branch.domain.calendar import OfficeHours, WorkingCalendar, working_minutes

#: Below this share of its time left a clock asks for attention.
SHORT = 0.2


@dataclass(frozen=True)
class Clock:
    """Working minutes allowed and used. `day_minutes` is one working day, for words such as "2 d left"."""

    allowed_minutes: int
    used_minutes: int
    day_minutes: int = 480

    @property
    def left_minutes(self) -> int:
        """Negative when the time is over."""
        return self.allowed_minutes - self.used_minutes

    @property
    def over(self) -> bool:
        return self.left_minutes < 0

    @property
    def tone(self) -> str:
        if self.over:
            return "over"
        return "short" if self.left_minutes < self.allowed_minutes * SHORT else "fine"

    @property
    def left_percent(self) -> float:
        """Share of the allowed time still left, for the bar; full once it is over."""
        if self.over or self.allowed_minutes <= 0:
            return 100.0
        return round(100 * self.left_minutes / self.allowed_minutes, 1)


def clock(start: datetime, now: datetime, allowed_minutes: int, calendar: WorkingCalendar, hours: OfficeHours) -> Clock:
    """The clock of work that began at `start`; both datetimes local to the office."""
    used = working_minutes(start, now, calendar, hours) if now > start else 0
    return Clock(allowed_minutes, used, day_minutes(hours))


def day_minutes(hours: OfficeHours) -> int:
    """Working minutes of a full day."""
    return sum((closes.hour * 60 + closes.minute) - (opens.hour * 60 + opens.minute) for opens, closes in hours.shifts)
