"""Published changes to the working calendar."""

from __future__ import annotations

import datetime

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.models import CalendarOverride
from branch.queries.business_date import business_date, is_working_day
from branch.services.events import record
from branch.services.use_case import use_case

SETTERS = frozenset({Role.ADMINISTRATOR, Role.SYSTEM})


@use_case("set_calendar_override")
def set_calendar_override(*, actor: Actor, date: datetime.date, is_working: bool, reason: str) -> CalendarOverride:
    """Make a coming day a working day or a day off, whatever the holiday calendar says. Head office only.

    Raises InvalidInput for today, a past day, or no reason.
    """
    if not actor.holds_bank_wide(SETTERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="set_calendar_override")
    today = business_date()
    if date <= today:
        raise InvalidInput(fields={"date": [_("Choose a day after %(date)s.") % {"date": today}]})
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    before = {"is_working_day": is_working_day(date)}
    row, _created = CalendarOverride.objects.update_or_create(
        date=date, defaults={"is_working_day": is_working, "reason": reason.strip()[:200]}
    )
    record("calendar.set", row, actor=actor, before=before, after={"is_working_day": is_working}, reason=row.reason)
    return row
