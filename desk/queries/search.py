"""One box for everything: a customer by a piece of the name, its code or identity number; a file by its number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from branch.web.noun import NOUNS, Noun, url_of
from customers.models import Cluster, Customer, Lead
from customers.queries.search import search_customers
from loans.models import Application, Contract, Drawdown, Loan
from postloan.models import CollectionCase, WarningCase

#: Rows shown of each kind.
SHOWN = 8
#: Longer than any name, number or code.
LONGEST_QUERY = 120


@dataclass(frozen=True)
class Found:
    """One kind of thing with its first matches; `more` when there are others."""

    noun: Noun
    rows: tuple[Any, ...]
    more: bool
    url: str


def _by_number(model: type[Model]) -> Callable[[Actor, str], QuerySet]:
    """Numbers are found from their start, so that their index serves a long book."""
    return lambda actor, text: (
        visible(model, actor).filter(number__istartswith=text).select_related("customer").order_by("-pk")
    )


def _leads(actor: Actor, text: str) -> QuerySet:
    return visible(Lead, actor).filter(name__icontains=text).order_by("-pk")


def _clusters(actor: Actor, text: str) -> QuerySet:
    named = Q(name__icontains=text) | Q(anchor_name__icontains=text) | Q(code=text.lower())
    return visible(Cluster, actor).filter(named).order_by("-pk")


#: noun → its matches. Only nouns the person may open are asked.
_SOURCES: tuple[tuple[str, Callable[[Actor, str], QuerySet]], ...] = (
    ("customer", search_customers),
    ("application", _by_number(Application)),
    ("contract", _by_number(Contract)),
    ("drawdown", _by_number(Drawdown)),
    ("loan", _by_number(Loan)),
    ("warning_case", _by_number(WarningCase)),
    ("collection_case", _by_number(CollectionCase)),
    ("lead", _leads),
    ("cluster", _clusters),
)


def search_everything(actor: Actor, text: str) -> list[Found]:
    """What this person may see that matches; one query a kind, nothing for an empty text."""
    text = text.strip()[:LONGEST_QUERY]
    if not text:
        return []
    found = []
    for name, matches in _SOURCES:
        noun = NOUNS.get(name)
        if noun is None or not actor.roles & noun.readers:
            continue
        rows = tuple(matches(actor, text)[: SHOWN + 1])
        if rows:
            found.append(Found(noun, rows[:SHOWN], len(rows) > SHOWN, noun.url()))
    return found


def only_hit(found: list[Found], text: str) -> str:
    """The page to go to at once: the one thing whose number or code was typed in full. Empty otherwise."""
    rows = [row for kind in found for row in kind.rows]
    exact = [row for row in rows if text.strip().upper() in (getattr(row, "number", None), _uscc(row))]
    return url_of(exact[0]) if len(exact) == 1 and len(rows) == 1 else ""


def _uscc(row: Any) -> str | None:
    return row.uscc if isinstance(row, Customer) else None
