"""Amounts, rates, dates and names as a person reads them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from branch.domain.money import format_money, format_wan
from desk.queries.open_work import COUNT_LIMIT

DASH = "—"


def decimal(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


def money(value: Any) -> str:
    """1234567.891 as 1,234,567.89; a dash for nothing."""
    amount = decimal(value)
    return DASH if amount is None else format_money(amount).replace("-", "−")


def wan(value: Any) -> str:
    """Yuan as 万元: 3000000 is "300 万元"."""
    amount = decimal(value)
    return DASH if amount is None else format_wan(amount, unit=_("wan"))


def percent(value: Any, places: int = 2) -> str:
    """A fraction in percent: 0.0435 is 4.35%."""
    share = decimal(value)
    return DASH if share is None else f"{share * 100:,.{places}f}%".replace("-", "−")


def signed(value: Any) -> str:
    """A whole number with its sign: +34, −12."""
    number = decimal(value)
    return DASH if number is None else f"{number:+,.0f}".replace("-", "−")


def thousands(value: Any) -> str:
    return f"{int(value):,}" if value not in (None, "") else DASH


def capped(count: int) -> str:
    """A count as far as it was counted: "999+" beyond the limit."""
    return "999+" if count >= COUNT_LIMIT else str(count)


def isodate(value: Any) -> str:
    """2026-03-17, or 2026-03-17 10:20 for a moment, in the bank's time zone."""
    if isinstance(value, datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else str(value or DASH)


def moment(value: datetime) -> str:
    """A moment as the timeline shows it: the time alone today, month and day before, the year when it is another."""
    local, now = timezone.localtime(value), timezone.localtime()
    if local.date() == now.date():
        return local.strftime("%H:%M")
    return local.strftime("%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d %H:%M")


def long_date(value: date) -> str:
    """Tuesday 17 March 2026, in the reader's language."""
    return date_format(value, _("l, j F Y"))


def initials(name: Any) -> str:
    """What stands in a person's round mark: one Chinese character, or two Latin letters."""
    text = str(name or "").strip()
    return text[:1] if text[:1] > "\u2e7f" else text[:2].capitalize()


#: What a user agent carries, the particular before the general.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("MicroMessenger", "WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"))


def device(user_agent: str) -> str:
    """ "Chrome, Windows": the browser and system a user agent names, or its own start."""
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or user_agent[:60]


def shown(value: Any) -> Any:
    """Any value of a fact as a person reads it: amounts grouped, dates ISO, yes and no, a dash for nothing."""
    if value is None or value == "":
        return DASH
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    if isinstance(value, Decimal):
        return money(value)
    if isinstance(value, date):
        return isodate(value)
    return value


FILTERS = (
    money,
    wan,
    percent,
    signed,
    thousands,
    capped,
    isodate,
    moment,
    long_date,
    initials,
    device,
    shown,
)
