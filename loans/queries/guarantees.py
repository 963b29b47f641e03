"""All guarantee circles and long chains of the customers a person sees, with what is guaranteed and owed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.domain.refusals import PermissionRefused
from branch.domain.roles import Role
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from customers.domain.parties import Link, Ring, guarantee_rings
from customers.models import Customer
from customers.queries.relations import Network, live_relations, network_for, with_ends
from customers.queries.visibility import INVESTIGATORS
from loans.queries.exposure import Exposure, exposures_of
from loans.queries.visibility_lending import LOAN_READERS

RING_READERS = INVESTIGATORS | {Role.ACCOUNT_MANAGER}
#: More of them are no list any more; those of the most members and the largest sums come first.
MOST_SHOWN = 500


@dataclass(frozen=True)
class Guarantor:
    """One in a circle or chain. `customer_id` and `exposure` stand where the customer is the reader's.

    `amount` is what it guarantees for the next one, None for all that is owed; of a chain's last one it means nothing.
    """

    name: str
    customer_id: int | None
    exposure: Decimal | None
    guarantees: bool
    amount: Decimal | None


@dataclass(frozen=True)
class GuaranteeRing:
    """`guaranteed`: the amounts agreed, and where none is, what the debtor owes, may draw and was offered."""

    is_circle: bool
    members: tuple[Guarantor, ...]
    guaranteed: Decimal


def rings_of(actor: Actor) -> list[GuaranteeRing]:
    """The circles, then the chains, that at least one customer of the reader's stands in; the largest sum first.

    A fixed number of queries: the links, the customers seen, the ends' names, and the five of what is owed.
    """
    if not actor.roles & RING_READERS:
        return []
    guarantees = live_relations().filter(kind="guarantor")
    ends = ("from_party_id", "from_party__customer_id", "to_party_id", "to_party__customer_id")
    edges = [
        (pk, _node(giver, giver_customer), _node(debtor, debtor_customer))
        for pk, giver, giver_customer, debtor, debtor_customer in guarantees.values_list("pk", *ends)
    ]
    rings = guarantee_rings(
        (Link("guarantor", giver, debtor) for _pk, giver, debtor in edges), parameter("guarantee.long_chain")
    )
    customers = {int(node[1:]) for ring in rings for node in ring.nodes if node.startswith("c")}
    seen = {customer.pk: customer for customer in visible(Customer, actor).filter(pk__in=customers)}
    mine = [ring for ring in rings if any(node.startswith("c") and int(node[1:]) in seen for node in ring.nodes)]
    if not mine:
        return []
    pairs = {pair for ring in mine for pair in ring.pairs}
    told_of = live_relations().filter(pk__in=[pk for pk, giver, debtor in edges if (giver, debtor) in pairs])
    network = network_for(next(iter(seen.values())), tuple(with_ends(told_of)), actor)
    sees_debts = bool(actor.roles & LOAN_READERS)
    exposures = exposures_of(customers) if sees_debts else {}
    told = [_told(ring, network, exposures) for ring in mine]
    return sorted(told, key=lambda ring: (not ring.is_circle, -ring.guaranteed, -len(ring.members)))[:MOST_SHOWN]


def chosen_rings(actor: Actor, *, kind: str = "", text: str = "") -> list[GuaranteeRing]:
    """The same cut down to circles or chains (`kind`), and to those with a member the reader may read so named.

    Raises PermissionRefused for whom it is not.
    """
    if not actor.roles & RING_READERS:
        raise PermissionRefused(_("This is not open to your role."))
    wanted = text.strip().casefold()
    return [
        ring
        for ring in rings_of(actor)
        if (kind not in ("circle", "chain") or ring.is_circle == (kind == "circle"))
        and (not wanted or any(wanted in member.name.casefold() for member in ring.members))
    ]


def _node(party_id: int, customer_id: int | None) -> str:
    return f"c{customer_id}" if customer_id else f"p{party_id}"


def _told(ring: Ring, network: Network, exposures: dict[int, Exposure]) -> GuaranteeRing:
    amounts = {(relation.from_party.node, relation.to_party.node): relation.amount for relation in network.relations}

    def owed(node: str) -> Decimal:
        return exposures[int(node[1:])].total if node.startswith("c") and int(node[1:]) in exposures else ZERO

    given = dict(ring.pairs)
    members = []
    total = ZERO
    for node in ring.nodes:
        debtor = given.get(node)
        amount = amounts.get((node, debtor)) if debtor else None
        if debtor:
            total += owed(debtor) if amount is None else amount
        pk = int(node[1:]) if node.startswith("c") and int(node[1:]) in network.seen_customers else None
        exposure = owed(node) if pk is not None and exposures else None
        members.append(Guarantor(network.name_of(node), pk, exposure, debtor is not None, amount))
    return GuaranteeRing(ring.is_circle, tuple(members), total)
