"""What connected borrowers owe and may draw, against the bank's limits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import F, Sum

from branch.domain.money import ZERO
from branch.queries.parameters import parameter
from customers.models import Customer
from customers.queries.merges import kept_by_file
from customers.queries.relations import Network
from loans.models import Application, Drawdown, Facility, Loan

OWED = ("active", "called_in", "written_off")
ON_THE_WAY = ("disbursing", "unknown")
MAY_DRAW = ("pending_conditions", "effective", "frozen")
PROMISED = ("approved", "offer_accepted", "contracted")


@dataclass(frozen=True, slots=True)
class Exposure:
    """Of one customer, in yuan: principal owed or being paid out, lines left, offers that are no line yet."""

    owed: Decimal = ZERO
    undrawn: Decimal = ZERO
    offered: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return self.owed + self.undrawn + self.offered

    def __add__(self, other: Exposure) -> Exposure:
        return Exposure(self.owed + other.owed, self.undrawn + other.undrawn, self.offered + other.offered)


def exposures_of(customer_ids: Collection[int], *, except_application: int | None = None) -> dict[int, Exposure]:
    """The exposure of each customer over all its files, in five queries. A renewal takes over a loan and adds nothing.

    The customers are told by the files that stand for them.
    """
    found, kept = dict.fromkeys(customer_ids, Exposure()), kept_by_file(customer_ids)
    loans = Loan.objects.filter(state__in=OWED).values_list("customer").annotate(Sum("outstanding_principal"))
    paying = Drawdown.objects.filter(state__in=ON_THE_WAY, application__renews=None)
    lines = Facility.objects.filter(state__in=MAY_DRAW, application__renews=None)
    offers = Application.objects.filter(state__in=PROMISED, renews=None, facilities=None)
    offers = offers.exclude(pk=except_application or 0)
    for field, rows in (
        ("owed", loans),
        ("owed", paying.values_list("customer").annotate(Sum("amount"))),
        ("undrawn", lines.values_list("customer").annotate(left=Sum(F("limit_amount") - F("drawn_amount")))),
        (
            "offered",
            offers.values_list("customer").annotate(Sum("approved_amount")),
        ),
    ):
        for file_id, amount in rows.filter(customer__in=list(kept)).order_by():
            known = found[kept[file_id]]
            found[kept[file_id]] = replace(known, **{field: getattr(known, field) + (amount or ZERO)})
    return found


def own_limit(customer: Customer) -> Decimal:
    """The most this borrower may owe and draw, in yuan, by what the file that stays says they are."""
    is_household = (customer.merged_into or customer).kind == Customer.Kind.FARM_HOUSEHOLD
    return parameter("exposure.household_limit" if is_household else "exposure.firm_limit")


def group_limit() -> Decimal:
    return parameter("exposure.group_limit")


def guarantees_of(network: Network, exposures: dict[int, Exposure]) -> dict[int, Decimal]:
    """What each customer of the group guarantees for others, in yuan: the amount agreed, or all that is owed.

    They stand beside the sum, not in it: the debtor is in the group, and owes it already.
    """
    given: dict[int, Decimal] = {}
    for relation in network.relations:
        guarantor, debtor = relation.from_party.customer_id, relation.to_party.customer_id
        if relation.kind != "guarantor" or guarantor in (None, debtor) or f"c{guarantor}" not in network.group:
            continue
        owed = exposures[debtor].total if debtor in exposures else ZERO
        given[guarantor] = given.get(guarantor, ZERO) + (relation.amount if relation.amount is not None else owed)
    return given
