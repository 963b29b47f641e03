"""What a page says of the thing it is about."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils.html import format_html
from django.utils.translation import gettext

from branch.middleware import actor_of
from branch.models.stateful import Stateful
from branch.web.noun import NOUNS, noun_of, url_of
from customers.queries.screening import stop_of
from desk.ui.values import money, shown


def fact(context: Any, value: Any) -> Any:
    """The same, and another thing as a link to its page where this person's roles may open it."""
    noun = noun_of(value) if isinstance(value, Model) else None
    if noun is None or not actor_of(context["request"]).roles & noun.readers:
        return shown(value)
    return format_html('<a href="{}">{}</a>', noun.url(value), value)


#: States from which a thing goes on only without a screening hit; later ones stand as they are.
GOES_ON_FROM = {
    "application": "draft submitted investigating in_review returned approved offer_accepted declined",
    "investigation": "open signed_by_owner signed_by_second",
    "review": "open",
    "review_stage": "waiting claimed",
    "contract": "generated",
    "facility": "pending_conditions effective frozen",
    "drawdown": "requested checked failed",
    "loan_request": "requested",
}


def screening_stop(context: Any, obj: Any) -> dict[str, Any] | None:
    """What to say of the hits that stop this step of a file, and where its reader finds them; None where none does."""
    kind = obj.MACHINE.name if isinstance(obj, Stateful) else ""
    if getattr(obj, "state", "") not in GOES_ON_FROM.get(kind, "").split():
        return None
    stop = stop_of(obj.customer)
    if stop is None:
        return None
    hits = NOUNS["screening_hit"]
    reads = actor_of(context["request"]).roles & hits.readers
    return {"sentence": stop.sentence, "url": f"{hits.url()}?customer={obj.customer_id}" if reads else ""}


def kind_word(kind: str, kinds: Any) -> Any:
    """The word of an attachment's kind, from the noun's list of (code, word), or of what the program itself added."""
    word = dict(kinds or ()).get(kind)
    return word or (gettext(kind.replace("_", " ")) if kind else "")


def without(items: Any, item: Any) -> list[Any]:
    return [other for other in items or () if other is not item]


def type_name(obj: Any) -> str:
    """The name that events and attachments carry for this kind of thing."""
    return str(obj._meta.model_name)


def headline(obj: Any) -> str:
    """What a page is about: the customer where the thing is a customer's, else the thing itself."""
    customer = None if getattr(obj, "title", "") else getattr(obj, "customer", None)
    return str(customer or obj)


def number_of(obj: Any) -> str:
    """The number people quote: the thing's own, else that of the loan or file it belongs to."""
    for owner in (obj, getattr(obj, "loan", None), getattr(obj, "application", None)):
        number = getattr(owner, "number", "")
        if isinstance(number, str) and number:
            return number if number != headline(obj) else ""
    return ""


def page_of(obj: Any) -> str:
    return url_of(obj)


def second_line(obj: Any) -> str:
    """What tells one hit from another: number and amount, or credit code and contact."""
    amount = getattr(obj, "amount", None) or getattr(obj, "outstanding_principal", None)
    facts = (getattr(obj, name, "") for name in ("uscc", "contact_name"))
    parts = [number_of(obj), *facts, money(amount) if amount else ""]
    return " · ".join(str(part) for part in parts if part)


FILTERS = (
    kind_word,
    without,
    type_name,
    headline,
    number_of,
    page_of,
    second_line,
)
