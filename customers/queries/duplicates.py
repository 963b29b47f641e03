"""What on file a firm may be: customers and open leads, by code, identity, phone and name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.models import Office
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from customers.domain.duplicates import SURE, Facts, Ground, ground, telling_pieces
from customers.domain.names import bigrams, likeness, name_key, spelling
from customers.models import Customer, Lead
from customers.queries.leads import OPEN_STATES
from customers.queries.merges import kept_id

Known = Customer | Lead
_COMPARED = ("name", "uscc", "identity_digest", "phone_digest")
#: Rows of one kind whose names are compared: those of the same key or spelling, and those that share most pieces.
MOST_COMPARED = 60
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
    facts, offices, common = facts_of(lead), _branch_of(lead.office), _common_pieces()
    leads = Lead.objects.filter(state__in=OPEN_STATES).exclude(pk=lead.pk)
    found = [
        *_customers(facts, offices, common, actor),
        *_matches(leads, facts, offices, common, visible(Lead, actor)),
    ]
    return _surest_first(found)


def second_files_of(customer: Customer, actor: Actor) -> list[Match]:
    """Other customers this one may be, the surest first."""
    facts, offices, common = facts_of(customer), _branch_of(customer.office), _common_pieces()
    found = _customers(facts, offices, common, actor)
    return _surest_first(match for match in found if match.thing.pk != kept_id(customer))


def with_second_files(rows: QuerySet[Customer]) -> QuerySet[Customer]:
    """Those of `rows` who share a person's number, or phone and name, with another customer of the bank.

    Two of different codes are two firms, and a company is not its representative.
    """
    rows = rows.filter(merged_into=None)
    files = Customer.objects.filter(merged_into=None)
    called = Concat("phone_digest", "name_spelling")
    people = files.exclude(kind=Customer.Kind.COMPANY).exclude(identity_digest="")
    firms = files.exclude(phone_digest="").exclude(name_spelling="").annotate(called=called)
    same_person = rows.exclude(kind=Customer.Kind.COMPANY).filter(identity_digest__in=_twice(people, "identity_digest"))
    return same_person | rows.annotate(called=called).filter(called__in=_twice(firms, "called"))


def _twice(files: QuerySet[Customer], what: str) -> QuerySet:
    counted = files.order_by().values(what).annotate(files=Count("pk"), codes=Count("uscc", distinct=True))
    return counted.filter(files__gt=1, codes__lte=1).values(what)


def _customers(facts: Facts, offices: list[int], common: dict[str, float], actor: Actor) -> list[Match]:
    """Customers by any of their files, each once: what was merged into another is found as that one."""
    rows = Customer.objects.select_related("merged_into")
    found: dict[int, Match] = {}
    for match in _surest_first(_matches(rows, facts, offices, common, visible(Customer, actor))):
        thing = match.thing.merged_into or match.thing  # type: ignore[union-attr]
        found.setdefault(thing.pk, replace(match, thing=thing))
    return list(found.values())


def _surest_first(found: Iterable[Match]) -> list[Match]:
    strength = list(Ground)
    return sorted(found, key=lambda match: (strength.index(match.ground), -match.likeness, match.thing.pk))


def _matches(
    rows: QuerySet, facts: Facts, offices: list[int], common: dict[str, float], seen: QuerySet
) -> Iterable[Match]:
    alike_from = parameter("lead.alike_from")
    into = [f"merged_into__{name}" for name in _COMPARED] if rows.model is Customer else []
    rows = rows.only(*_COMPARED, *into)
    candidates = {row.pk: row for row in (*_by_number(rows, facts), *_by_name(rows, facts.name, offices, common))}
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


def _by_name(rows: QuerySet, name: str, offices: list[int], common: dict[str, float]) -> list[Any]:
    near = rows.filter(office_id__in=offices)
    same = near.filter(Q(name_key=name_key(name)[:120]) | Q(name_spelling=spelling(name)[:600]))[:MOST_COMPARED]
    pieces = telling_pieces(name, common)
    if not pieces:
        return list(same)
    own = f"{rows.model._meta.db_table}.name_bigrams"
    shared = RawSQL(f"cardinality(ARRAY(SELECT unnest({own}) INTERSECT SELECT unnest(%s::varchar[])))", [bigrams(name)])
    like = near.filter(name_bigrams__overlap=pieces).annotate(shared=shared)
    return [*same, *like.order_by("-shared", "-pk")[:MOST_COMPARED]]


def _common_pieces() -> dict[str, float]:
    """In which share of customers' names the commonest pairs stand, as the database last counted: places, trades."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT most_common_elems::text::varchar[], most_common_elem_freqs FROM pg_stats
            WHERE schemaname = current_schema() AND tablename = 'customers_customer' AND attname = 'name_bigrams'
            """
        )
        pieces, shares = cursor.fetchone() or ((), ())
    # The shares end in three that are about all pieces.
    return dict(zip(pieces or (), shares or (), strict=False))


def _branch_of(office: Office) -> list[int]:
    """The office below the head office that this one belongs to, and all below it."""
    parts = [part for part in office.path.split("/") if part]
    top = "/" + "".join(f"{part}/" for part in parts[:2])
    return list(Office.objects.filter(path__startswith=top).values_list("pk", flat=True))
