"""Work that belongs to the open business day and may not slip past its end."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from branch.domain.refusals import Unmet
from branch.models import BusinessDay
from branch.services.events import hold_day_open


def open_business_date() -> date:
    """The business date, which can't end before this transaction does. Raises Unmet while it is being closed."""
    # The lock comes first: once it is held, a day read as open stays open.
    hold_day_open()
    day = BusinessDay.objects.exclude(state=BusinessDay.State.CLOSED).first()
    if day is None:
        raise Unmet(_("The bank has not opened its first business day."))
    if day.state != BusinessDay.State.OPEN:
        raise Unmet(_("The business day is being closed. Try again when the next one is open."), day=str(day.date))
    return day.date
