"""Finding customers by a piece of their name, their code or an identity number."""

from __future__ import annotations

from contextlib import suppress

from django.db.models import Q, QuerySet

from branch.domain.actor import Actor
from branch.domain.identity import IdentityError, normalise_name, parse_resident_id
from branch.fields import lookup_digest
from branch.queries.visibility import visible
from customers.domain.names import bigrams
from customers.models import Customer


def matching(rows: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Rows whose name has every two-character piece of `text`, whose code starts with it, or whose person it names.

    An identity number finds only as a whole: it is looked up by its digest. Nothing typed finds nothing.
    """
    text = text.strip()
    if not text:
        return rows.none()
    pieces = bigrams(text)
    found = Q(name_bigrams__contains=pieces) if pieces else Q(name__istartswith=normalise_name(text))
    # Only what could be a code is looked for among the codes: each clause then has its own index.
    if text.isascii():
        found |= Q(uscc__startswith=text.upper())
    with suppress(IdentityError):
        found |= Q(identity_digest=lookup_digest(parse_resident_id(text)))
    return rows.filter(found)


def search_customers(actor: Actor, text: str) -> QuerySet[Customer]:
    """The matching customers this actor may see, by name."""
    return matching(visible(Customer, actor), text).select_related("owner", "office").order_by("name", "pk")
