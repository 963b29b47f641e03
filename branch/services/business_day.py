"""The bank's days: the first one opened, one ended, the next one begun. Exactly one is not closed at any time."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection
from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.models import BusinessDay
from branch.services.events import DAY_LOCK, record
from branch.services.use_case import use_case

OPENERS = frozenset({Role.ADMINISTRATOR, Role.SYSTEM})
CLOSERS = frozenset({Role.BRANCH_MANAGER, Role.ADMINISTRATOR, Role.SYSTEM})


@use_case("open_first_day")
def open_first_day(*, actor: Actor, date: date) -> BusinessDay:
    """The day the bank begins with; the same day again changes nothing. Raises Unmet once there is another."""
    if not actor.holds_bank_wide(OPENERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="open_first_day")
    hold_day_alone()
    first = BusinessDay.objects.order_by("date").first()
    if first is None:
        first = BusinessDay.objects.create(date=date)
        record("business_day.open", first, actor=actor, before={})
    if first.date != date:
        raise Unmet(_("The bank opened on %(date)s.") % {"date": first.date}, first_day=str(first.date))
    return first


def hold_day_alone() -> None:
    """Wait for every transaction that writes the record, and keep new ones waiting until this one ends.

    Must be the first lock a transaction takes: writers hold rows while they wait for the day.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [DAY_LOCK])


def begin_close(*, actor: Actor, date: date) -> BusinessDay:
    """No money is booked on this day any more. Runs in the transaction that holds the day alone.

    Raises PermissionRefused, and InvalidInput naming the business date where `date` is another day.
    """
    if not actor.holds_bank_wide(CLOSERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="close_business_day")
    day = BusinessDay.objects.select_for_update().exclude(state=BusinessDay.State.CLOSED).first()
    if day is None:
        raise Unmet(_("The bank has not opened its first business day."))
    if day.date != date:
        message = _("The business date is %(today)s; only that day can be closed.") % {"today": day.date}
        raise InvalidInput(fields={"date": [message]})
    if day.state == BusinessDay.State.OPEN:
        day.state = BusinessDay.State.CLOSING
        day.save(update_fields=["state"])
        record("business_day.begin_close", day, actor=actor, before={"state": "open"}, after={"state": "closing"})
    return day


def advance_day(*, actor: Actor, date: date) -> BusinessDay:
    """End the closing day `date` and open the next calendar day; interest runs on days off too.

    Runs in the transaction that holds the day alone. Done before: the day that is open now.
    """
    day = BusinessDay.objects.select_for_update().get(date=date)
    if day.state == BusinessDay.State.CLOSED:
        return BusinessDay.objects.exclude(state=BusinessDay.State.CLOSED).get()
    if day.state != BusinessDay.State.CLOSING:
        raise Unmet(_("The day is not being closed."), day=str(date))
    # The last event of the day: what comes after belongs to the next.
    record("business_day.close", day, actor=actor, before={"state": "closing"}, after={"state": "closed"})
    day.state, day.closed_at = BusinessDay.State.CLOSED, timezone.now()
    day.save(update_fields=["state", "closed_at"])
    return BusinessDay.objects.create(date=date + timedelta(days=1))
