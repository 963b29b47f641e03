"""The template language of the house: icons, amounts, rates, dates, states, clocks and small figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.db.models import Model
from django.forms import ModelChoiceField
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import npgettext

from branch.domain.money import format_money, format_wan
from branch.middleware import actor_of
from branch.web.noun import noun_of, url_of
from desk.domain import figures
from desk.domain.clocks import Clock
from desk.labels import LEVELS, StateLabel, state_label
from desk.queries.clocks import Clocks
from desk.queries.open_work import COUNT_LIMIT

register = template.Library()
DASH = "—"


@cache
def _drawing(name: str, style: str) -> str:
    """The paths of a Tabler icon. Raises ValueError for a name the package does not have."""
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"{name!r} is no icon name")
    found = finders.find(f"vendor/tabler-icons/{style}/{name}.svg")
    if found is None:
        raise ValueError(f"there is no {style} icon {name}")
    svg = Path(str(found)).read_text(encoding="utf-8")
    return svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")].strip()


@register.simple_tag
def icon(name: str, css: str = "", style: str = "outline") -> SafeString:
    """A Tabler icon, drawn in the text's colour; it says nothing to screen readers, so a word goes with it."""
    paint = 'fill="currentColor"' if style == "filled" else 'fill="none" stroke="currentColor"'
    return format_html(
        '<svg class="icon {}" viewBox="0 0 24 24" {} aria-hidden="true" focusable="false">{}</svg>',
        css,
        mark_safe(paint),
        mark_safe(_drawing(name, style)),
    )


def _decimal(value: Any) -> Decimal | None:
    if value in (None, ""):
        return None
    try:
        return Decimal(str(value))
    except InvalidOperation:
        return None


@register.filter
def money(value: Any) -> str:
    """1234567.891 as 1,234,567.89; a dash for nothing."""
    amount = _decimal(value)
    return DASH if amount is None else format_money(amount).replace("-", "−")


@register.filter
def wan(value: Any) -> str:
    """Yuan as 万元: 3000000 is "300 万元"."""
    amount = _decimal(value)
    return DASH if amount is None else format_wan(amount, unit=_("万元"))


@register.filter
def percent(value: Any, places: int = 2) -> str:
    """A fraction in percent: 0.0435 is 4.35%."""
    share = _decimal(value)
    return DASH if share is None else f"{share * 100:,.{places}f}%".replace("-", "−")


@register.filter
def signed(value: Any) -> str:
    """A whole number with its sign: +34, −12."""
    number = _decimal(value)
    return DASH if number is None else f"{number:+,.0f}".replace("-", "−")


@register.filter
def isodate(value: Any) -> str:
    """2026-03-17, or 2026-03-17 10:20 for a moment, in the bank's time zone."""
    if isinstance(value, datetime):
        return (timezone.localtime(value) if timezone.is_aware(value) else value).strftime("%Y-%m-%d %H:%M")
    return value.isoformat() if isinstance(value, date) else str(value or DASH)


@register.filter
def moment(value: datetime) -> str:
    """A moment as the timeline shows it: the time alone today, month and day before, the year when it is another."""
    local, now = timezone.localtime(value), timezone.localtime()
    if local.date() == now.date():
        return local.strftime("%H:%M")
    return local.strftime("%m-%d %H:%M" if local.year == now.year else "%Y-%m-%d %H:%M")


@register.filter
def initials(name: Any) -> str:
    """What stands in a person's round mark: one Chinese character, or two Latin letters."""
    text = str(name or "").strip()
    return text[:1] if text[:1] > "\u2e7f" else text[:2].capitalize()


@register.filter
def thousands(value: Any) -> str:
    return f"{int(value):,}" if value not in (None, "") else DASH


@register.filter
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


@register.simple_tag(takes_context=True)
def fact(context: Any, value: Any) -> Any:
    """The same, and another thing as a link to its page where this person's roles may open it."""
    noun = noun_of(value) if isinstance(value, Model) else None
    if noun is None or not actor_of(context["request"]).roles & noun.readers:
        return shown(value)
    return format_html('<a href="{}">{}</a>', noun.url(value), value)


@register.filter
def kind_word(kind: str, kinds: Any) -> Any:
    """The word of an attachment's kind, from the noun's list of (code, word)."""
    return dict(kinds or ()).get(kind, kind.replace("_", " "))


@register.filter
def without(items: Any, item: Any) -> list[Any]:
    return [other for other in items or () if other is not item]


@register.simple_tag
def state_of(noun: str, state: str) -> StateLabel:
    """The word and tone of a state of a noun (by the name of its machine)."""
    return state_label(noun, str(state))


@register.simple_tag
def state_of_record(record: Any) -> StateLabel:
    """The same for a row that carries its machine."""
    machine = getattr(record, "MACHINE", None)
    return state_label(machine.name if machine else record._meta.model_name, str(record.state))


@register.filter
def level_word(level: str) -> Any:
    return LEVELS.get(level, level)


@register.simple_tag
def clock_of(obj: Any) -> Clock | None:
    """The clock of a thing in hand; None where nothing runs against it."""
    return Clocks().of(obj)


@register.filter
def clock_words(clock: Clock) -> str:
    """ "2 h 10 left", "40 min left", "3 d over": working days of the office's own length."""
    span = _span(abs(clock.left_minutes), clock.day_minutes)
    return _("%(time)s over") % {"time": span} if clock.over else _("%(time)s left") % {"time": span}


@register.filter
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


@register.simple_tag
def deviation(stated: Any, checked: Any, green: Any, amber: Any) -> figures.DeviationBar | None:
    """Geometry of a deviation bar; None where one of the figures is missing."""
    values = [_decimal(value) for value in (stated, checked, green, amber)]
    return None if None in values else figures.deviation_bar(*values)  # type: ignore[arg-type]


@register.simple_tag
def share(used: Any, limit: Any) -> figures.Share:
    return figures.share_of_limit(_decimal(used) or Decimal(0), _decimal(limit) or Decimal(0))


@register.simple_tag
def waterfall(base: Any, steps: Any) -> figures.Waterfall:
    """`steps` is a list of (label, amount)."""
    return figures.waterfall(Decimal(str(base)), [(label, Decimal(str(amount))) for label, amount in steps])


@dataclass(frozen=True)
class PricePart:
    label: Any
    text: str
    band: figures.Band
    css: str


@register.simple_tag
def price_parts(parts: Any) -> list[PricePart]:
    """The pieces of a rate: `parts` is a list of (label, yearly fraction), discounts negative."""
    rates = [Decimal(str(rate)) for _label, rate in parts]
    pieces = []
    for index, ((label, _rate), rate, band) in enumerate(zip(parts, rates, figures.parts_of_whole(rates), strict=True)):
        text = percent(rate) if index == 0 or rate < 0 else f"+{percent(rate)}"
        pieces.append(PricePart(label, text, band, "part-takes" if rate < 0 else f"part-{index % 3}"))
    return pieces


@register.simple_tag
def sparkline(values: Any) -> str:
    return figures.sparkline([Decimal(str(value)) for value in values])


@register.filter
def choice_fields(form: Any) -> list[Any]:
    """The fields of a filter that are a short list of words."""
    return [field for field in form if hasattr(field.field, "choices") and not _is_linked(field)]


@register.filter
def options(field: Any) -> list[tuple[Any, Any]]:
    """What can be chosen, without the empty choice."""
    return [(value, word) for value, word in list(field.field.choices) if value != ""]


@register.filter
def open_fields(form: Any) -> list[Any]:
    """The fields of a filter that are typed: dates, amounts, text."""
    return [field for field in form if not hasattr(field.field, "choices")]


@register.filter
def open_fields_set(form: Any) -> bool:
    """Whether one of them narrows the list, so that it must be seen."""
    return any(form.data.get(field.html_name) for field in open_fields(form))


@register.filter
def linked_fields(form: Any) -> list[Any]:
    """Other records the address narrows to; they are set by links and never listed, as lists of records have no end."""
    return [field for field in form if _is_linked(field) and form.data.get(field.html_name)]


def _is_linked(field: Any) -> bool:
    return isinstance(field.field, ModelChoiceField)


@register.filter
def chosen(field: Any) -> Any:
    """What a filter is set to, empty where it is not."""
    return field.form.data.get(field.html_name, "")


@register.filter
def as_control(field: Any) -> SafeString:
    """The input alone, in the look of the house."""
    return field.as_widget(attrs={"class": "form-control"})


@register.filter
def is_money(field: Any) -> bool:
    return "data-money" in field.field.widget.attrs


@register.filter
def searchable(noun: Any) -> bool:
    """Whether its list can be searched; a template would call the function instead of asking for it."""
    return noun.search is not None


@register.filter
def table_name(table: Any) -> str:
    """A name for what a person chose to see of a list; the list's own model."""
    model = getattr(table._meta, "model", None)
    return str(model._meta.model_name) if model else type(table).__name__.lower()


@register.filter
def type_name(obj: Any) -> str:
    """The name that events and attachments carry for this kind of thing."""
    return str(obj._meta.model_name)


@register.filter
def headline(obj: Any) -> str:
    """What a page is about: the customer where the thing is a customer's, else the thing itself."""
    customer = None if getattr(obj, "title", "") else getattr(obj, "customer", None)
    return str(customer or obj)


@register.filter
def number_of(obj: Any) -> str:
    """The number people quote: the thing's own, else that of the loan or file it belongs to."""
    for owner in (obj, getattr(obj, "loan", None), getattr(obj, "application", None)):
        number = getattr(owner, "number", "")
        if isinstance(number, str) and number:
            return number if number != headline(obj) else ""
    return ""


#: What a user agent carries, the particular before the general.
_BROWSERS = (
    ("Edg/", "Edge"),
    ("MicroMessenger", "WeChat"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS", "macOS"))


@register.filter
def device(user_agent: str) -> str:
    """ "Chrome, Windows": the browser and system a user agent names, or its own start."""
    found = [next((name for mark, name in marks if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name) or user_agent[:60]


@register.filter
def capped(count: int) -> str:
    """A count as far as it was counted: "999+" beyond the limit."""
    return "999+" if count >= COUNT_LIMIT else str(count)


@register.filter
def long_date(value: date) -> str:
    """Tuesday 17 March 2026, in the reader's language."""
    return date_format(value, _("l, j F Y"))


@register.filter
def page_of(obj: Any) -> str:
    return url_of(obj)


@register.filter
def second_line(obj: Any) -> str:
    """What tells one hit from another: number and amount, or credit code and contact."""
    amount = getattr(obj, "amount", None) or getattr(obj, "outstanding_principal", None)
    facts = (getattr(obj, name, "") for name in ("uscc", "contact_name"))
    parts = [number_of(obj), *facts, money(amount) if amount else ""]
    return " · ".join(str(part) for part in parts if part)
