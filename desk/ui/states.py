"""States, levels and clocks in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from desk.domain.clocks import Clock
from desk.labels import LEVELS, StateLabel, state_label
from desk.queries.clocks import Clocks


def state_of(noun: str, state: str) -> StateLabel:
    """The word and tone of a state of a noun (by the name of its machine)."""
    return state_label(noun, str(state))


def state_of_record(record: Any) -> StateLabel:
    """The same for a row that carries its machine."""
    machine = getattr(record, "MACHINE", None)
    return state_label(machine.name if machine else record._meta.model_name, str(record.state))


def level_word(level: str) -> Any:
    return LEVELS.get(level, level)


def clock_of(obj: Any) -> Clock | None:
    """The clock of a thing in hand; None where nothing runs against it."""
    return Clocks().of(obj)


def clock_words(clock: Clock) -> str:
    """ "2 h 10 left", "40 min left", "3 d over": working days of the office's own length."""
    span = _span(abs(clock.left_minutes), clock.day_minutes)
    return _("%(time)s over") % {"time": span} if clock.over else _("%(time)s left") % {"time": span}


def clock_allowance(clock: Clock) -> str:
    """ "of 16 h": all the time there was."""
    return _("of %(time)s") % {"time": _span(clock.allowed_minutes, clock.day_minutes)}


def _span(minutes: int, day: int) -> str:
    if minutes < 60:
        return npgettext("working time", "%(n)d min", "%(n)d min", minutes) % {"n": minutes}
    if minutes < 3 * day:
        hours, rest = divmod(minutes, 60)
        if rest:
            return _("%(hours)d h %(minutes)02d") % {"hours": hours, "minutes": rest}
        return npgettext("working time", "%(n)d h", "%(n)d h", hours) % {"n": hours}
    days = round(minutes / day)
    return npgettext("working time", "%(n)d d", "%(n)d d", days) % {"n": days}


FILTERS = (
    level_word,
    clock_words,
    clock_allowance,
)
TAGS = (
    state_of,
    state_of_record,
    clock_of,
)
