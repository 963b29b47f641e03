"""Links between customers and parties as they stand: who is behind whom, and what of it a person may see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db import connection
from django.db.models import Q, QuerySet

from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from branch.queries.one_look import read_once
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from customers.domain.parties import WHOLE, Link, Owner, beneficial_owners, connected_group
from customers.models import Customer, Party, Relation

#: Followed whichever end one comes from: these join two borrowers' risks.
JOINING = ("owner", "actual_controller", "spouse", "guarantor")
#: Followed from a firm to who stands behind it.
UPWARDS = ("shareholder", "owner", "actual_controller", "beneficial_owner", "legal_representative")
#: A party's numbers are not read for a drawing: each costs a decryption.
_UNREAD = tuple(
    f"{end}_party{field}"
    for end in ("from", "to")
    for field in (
        "__identity_number",
        *(f"__customer__{name}" for name in ("identity_number", "phone", "address", "repayment_account")),
    )
)


def live_relations() -> QuerySet[Relation]:
    """Relations that hold today."""
    today = business_date()
    return Relation.objects.filter(Q(until_date=None) | Q(until_date__gte=today), ended_date=None)


def control_share() -> Decimal:
    """Percent of a firm above which a shareholder controls it."""
    return parameter("group.control_share") * WHOLE


def reach(customer_ids: Iterable[int]) -> list[int]:
    """Parties that are one risk with these customers or stand behind them, and whoever is linked to them directly."""
    today = business_date()
    live = "l.ended_date IS NULL AND (l.until_date IS NULL OR l.until_date >= %(today)s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH RECURSIVE start(id) AS (SELECT id FROM customers_party WHERE customer_id = ANY(%(ids)s)),
            reached(id) AS (
                SELECT id FROM start
                UNION
                SELECT same.id FROM reached r
                JOIN customers_relation l ON l.from_party_id = r.id OR l.to_party_id = r.id
                JOIN customers_party other ON other.id = l.from_party_id + l.to_party_id - r.id
                JOIN customers_party same ON same.id = other.id OR same.customer_id = other.customer_id
                WHERE {live} AND (
                    l.kind = ANY(%(joining)s) OR (l.kind = 'shareholder' AND l.share > %(control)s)
                    OR (l.to_party_id = r.id AND l.kind = ANY(%(upwards)s))
                )
            )
            SELECT id FROM reached
            UNION
            SELECT same.id FROM start r
            JOIN customers_relation l ON l.from_party_id = r.id OR l.to_party_id = r.id
            JOIN customers_party other ON other.id = l.from_party_id + l.to_party_id - r.id
            JOIN customers_party same ON same.id = other.id OR same.customer_id = other.customer_id
            WHERE {live}
            """,
            {
                "ids": list(customer_ids),
                "today": today,
                "joining": list(JOINING),
                "control": control_share(),
                "upwards": list(UPWARDS),
            },
        )
        return [row[0] for row in cursor.fetchall()]


@dataclass(frozen=True)
class Network:
    """The links around one customer. Nodes are keyed as customers.domain.parties says."""

    customer: Customer
    relations: tuple[Relation, ...]
    #: Customers among the ends that this person may open, and relations whose file is theirs to read.
    seen_customers: frozenset[int] = field(default=frozenset())
    seen_relations: frozenset[int] = field(default=frozenset())

    @property
    def node(self) -> str:
        return f"c{self.customer.pk}"

    @cached_property
    def links(self) -> tuple[Link, ...]:
        """What two files of one customer both tell is one link, the later; a customer is not linked with itself."""
        links = {(one.kind, one.source, one.target): one for one in map(link_of, self.relations)}
        return tuple(link for link in links.values() if link.source != link.target)

    @cached_property
    def parties(self) -> dict[str, Party]:
        ends = [party for one in self.relations for party in (one.from_party, one.to_party)]
        return {party.node: party for party in ends}

    @cached_property
    def known_nodes(self) -> frozenset[str]:
        """Nodes whose name this person may read: customers they see, and parties on a file they see."""
        named = {self.node} | {f"c{pk}" for pk in self.seen_customers}
        for relation in self.relations:
            if relation.pk in self.seen_relations:
                named |= {p.node for p in (relation.from_party, relation.to_party) if not p.customer_id}
        return frozenset(named)

    def name_of(self, node: str) -> str:
        """The name, or its first character where it is not for this person."""
        if node == self.node:
            return self.customer.name
        name = str(self.parties[node])
        return name if node in self.known_nodes else f"{name[:1]}•••"

    @cached_property
    def people(self) -> frozenset[str]:
        """Nodes that are natural persons: a sole trader is who trades."""
        return frozenset(node for node, party in self.parties.items() if is_person(party))

    @cached_property
    def group(self) -> frozenset[str]:
        return connected_group(self.node, self.links, control_share())

    @cached_property
    def owners(self) -> list[Owner]:
        return beneficial_owners(
            self.node,
            self.links,
            self.people,
            least_share=parameter("owners.beneficial_share") * WHOLE,
            control_share=control_share(),
        )

    @property
    def group_customers(self) -> list[int]:
        """The customers of the group, by key: the order in which they are locked."""
        return sorted(int(node[1:]) for node in self.group if node.startswith("c"))


def is_person(party: Party) -> bool:
    if party.customer is not None:
        return party.customer.kind != Customer.Kind.COMPANY
    return party.kind == Party.Kind.PERSON


def link_of(relation: Relation) -> Link:
    return Link(relation.kind, relation.from_party.node, relation.to_party.node, relation.share)


def with_ends(rows: QuerySet[Relation]) -> QuerySet[Relation]:
    """Relations with their ends, in a query; the ends' personal data are not read."""
    return rows.select_related("from_party__customer", "to_party__customer").defer(*_UNREAD).order_by("pk")


def network_of(customer: Customer, actor: Actor | None = None) -> Network:
    """The links around a customer as they hold today, in at most four queries; for whom decides what has a name.

    Of a merged file it is the network of the file that stays: the parties stand for that one.
    """
    customer = customer.merged_into or customer
    return read_once(("network", customer.pk, actor and actor.user_id), lambda: _network_of(customer, actor))


def _network_of(customer: Customer, actor: Actor | None) -> Network:
    ids = reach([customer.pk])
    relations = tuple(with_ends(live_relations().filter(from_party__in=ids, to_party__in=ids))) if ids else ()
    return network_for(customer, relations, actor)


def network_for(customer: Customer, relations: tuple[Relation, ...], actor: Actor | None) -> Network:
    """These relations as a network with what of it has a name for the actor, in a query."""
    if actor is None or not relations:
        return Network(customer, relations)
    customers = {p.customer_id for one in relations for p in (one.from_party, one.to_party) if p.customer_id}
    seen = visible(Customer, actor).filter(pk__in=customers | {one.customer_id for one in relations})
    seen_customers = frozenset(seen.values_list("pk", flat=True))
    seen_relations = frozenset(
        one.pk
        for one in relations
        if {one.customer_id, one.from_party.customer_id, one.to_party.customer_id} & seen_customers
    )
    return Network(customer, relations, seen_customers, seen_relations)
