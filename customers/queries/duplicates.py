"""What on file a firm may be: customers and open leads, by code, identity, phone and name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.models import Office
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from customers.domain.duplicates import SURE, Facts, Ground, ground, name_windows
from customers.domain.names import likeness, name_key, spelling
from customers.models import Customer, Lead
from customers.queries.leads import OPEN_STATES

Known = Customer | Lead
#: Rows of one kind whose names are compared; those that share the key or the spelling come first.
MOST_COMPARED = 200
GROUND_WORDS = {
    Ground.USCC: _("same code"),
    Ground.IDENTITY: _("same identity number"),
    Ground.PHONE_AND_NAME: _("same phone and a like name"),
    Ground.PHONE: _("same phone"),
    Ground.NAME: _("a like name"),
}


@dataclass(frozen=True)
class Match:
    """A customer or open lead this may be. `is_visible`: whether the person who asks may open it."""

    thing: Known
    ground: Ground
    likeness: float
    is_visible: bool

    @property
    def is_sure(self) -> bool:
        return self.ground in SURE

    @property
    def word(self) -> Any:
        return GROUND_WORDS[self.ground]

    @property
    def is_customer(self) -> bool:
        return isinstance(self.thing, Customer)


def facts_of(thing: Known) -> Facts:
    return Facts(thing.name, thing.uscc or "", thing.identity_digest, thing.phone_digest)


def duplicates_of(lead: Lead, actor: Actor) -> list[Match]:
    """What `lead` (saved or not) may be, the surest first. The number of queries is fixed.

    By code, identity and phone the whole bank is looked through; by name alone the branch the lead is of: firms of
    the same name in another city are many, and none of ours.
    """
    facts, offices = facts_of(lead), _branch_of(lead.office)
    leads = Lead.objects.filter(state__in=OPEN_STATES).exclude(pk=lead.pk)
    found = [
        *_matches(Customer.objects.all(), facts, offices, visible(Customer, actor)),
        *_matches(leads, facts, offices, visible(Lead, actor)),
    ]
    strength = list(Ground)
    return sorted(found, key=lambda match: (strength.index(match.ground), -match.likeness, match.thing.pk))


def _matches(rows: QuerySet, facts: Facts, offices: list[int], seen: QuerySet) -> Iterable[Match]:
    alike_from = parameter("lead.alike_from")
    rows = rows.select_related("office", "owner")
    candidates = {row.pk: row for row in (*_by_number(rows, facts), *_by_name(rows, facts.name, offices))}
    reasons = {pk: why for pk, row in candidates.items() if (why := ground(facts, facts_of(row), alike_from))}
    open_to_actor = set(seen.filter(pk__in=list(reasons)).values_list("pk", flat=True))
    for pk, why in reasons.items():
        row = candidates[pk]
        yield Match(row, why, likeness(facts.name, row.name), pk in open_to_actor)


def _by_number(rows: QuerySet, facts: Facts) -> QuerySet:
    same = Q(pk__in=[])
    for column, value in (("uscc", facts.uscc), ("identity_digest", facts.identity), ("phone_digest", facts.phone)):
        if value:
            same |= Q(**{column: value})
    return rows.filter(same)[:MOST_COMPARED]


def _by_name(rows: QuerySet, name: str, offices: list[int]) -> list[Any]:
    near = rows.filter(office_id__in=offices)
    same = near.filter(Q(name_key=name_key(name)[:120]) | Q(name_spelling=spelling(name)[:600]))[:MOST_COMPARED]
    windows = name_windows(name)
    if not windows:
        return list(same)
    like = near.filter(reduce(or_, (Q(name_bigrams__contains=window) for window in windows)))
    return [*same, *like.order_by("-pk")[:MOST_COMPARED]]


def _branch_of(office: Office) -> list[int]:
    """The office below the head office that this one belongs to, and all below it."""
    parts = [part for part in office.path.split("/") if part]
    top = "/" + "".join(f"{part}/" for part in parts[:2])
    return list(Office.objects.filter(path__startswith=top).values_list("pk", flat=True))
