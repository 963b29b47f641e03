"""What the bank has lent and promised to the members of a cluster, and what their loans say of customers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.expressions import Combinable

from branch.domain.money import ZERO
from customers.models import Cluster, ClusterMember, Customer
from customers.queries.clusters import memberships
from customers.queries.merges import kept_by_file
from customers.queries.prescreens import STANDINGS
from loans.models import Application, Contract, Drawdown, Facility, Loan, ProductVersion

#: Loans whose principal is still lent; what was written off has left the books.
LENT = ("active", "called_in")
OPEN_LINES = ("pending_conditions", "effective", "frozen")
ON_THE_WAY = ("disbursing", "unknown")
OFFERED = ("approved", "offer_accepted")
_BAD = Q(asset_class__in=("substandard", "doubtful", "loss")) | Q(state__in=("called_in", "written_off"))
_WATCH = Q(days_past_due__gt=0) | Q(asset_class="special_mention")


@dataclass(frozen=True)
class ClusterExposure:
    """In yuan: principal lent (money on its way included), undrawn of open lines, and approved without a line yet."""

    lent: Decimal
    undrawn: Decimal
    approved: Decimal

    @property
    def total(self) -> Decimal:
        return self.lent + self.undrawn + self.approved


def member_customers(cluster: Cluster) -> list[int]:
    """Every file of customers who are or were members: what one that left still owes was lent under the cap.

    In four queries, each by key: among a million customers an alternative inside one would read them all.
    """
    members = ClusterMember.objects.filter(cluster=cluster)
    coded = Customer.objects.filter(uscc__in=members.exclude(uscc="").values("uscc")).values_list("pk", flat=True)
    return list(kept_by_file([*members.values_list("customer_id", flat=True), *coded]))


def cluster_exposure(cluster: Cluster, *, without: Application | None = None) -> ClusterExposure:
    """What stands with all members, in nine queries; `without` leaves out one file and the loan it renews."""
    customers = member_customers(cluster)
    file = without.pk if without is not None else None

    def of_members(rows: QuerySet) -> QuerySet:
        kept = rows.filter(customer_id__in=customers)
        return kept.exclude(application_id=file) if file is not None else kept

    loans = of_members(Loan.objects.filter(state__in=LENT))
    offers = Application.objects.filter(state__in=OFFERED, customer_id__in=customers)
    if without is not None:
        loans, offers = loans.exclude(pk=without.renews_id), offers.exclude(pk=without.pk)
    lent = _sum(loans, F("outstanding_principal"))
    lent += _sum(of_members(Drawdown.objects.filter(state__in=ON_THE_WAY)), F("amount"))
    undrawn = _sum(of_members(Facility.objects.filter(state__in=OPEN_LINES)), F("limit_amount") - F("drawn_amount"))
    approved = _sum(offers, F("approved_amount"))
    approved += _sum(of_members(Contract.objects.filter(state="generated")), F("amount"))
    return ClusterExposure(lent, undrawn, approved)


def _sum(rows: QuerySet, value: Combinable) -> Decimal:
    return rows.aggregate(total=Sum(value))["total"] or ZERO


def clusters_of(customer: Customer) -> tuple[str, ...]:
    """Codes of the active clusters a customer is a present member of."""
    codes = memberships(customer).filter(cluster__state="active").values_list("cluster__code", flat=True)
    return tuple(sorted(set(codes)))


def products_for(cluster: Cluster) -> QuerySet[ProductVersion]:
    """Products on sale that are for this cluster by name."""
    rows = ProductVersion.objects.filter(state="active", clusters__contains=[cluster.code])
    return rows.select_related("product").order_by("product__code")


def loan_standings(customer_ids: Sequence[int]) -> dict[int, str]:
    """ "bad" for non-performing, called-in or written-off loans, "watch" for loans that are late; others not named."""
    found: dict[int, str] = {}
    kept = kept_by_file(customer_ids)
    rows = Loan.objects.filter(customer_id__in=list(kept)).filter(_BAD | (_WATCH & Q(state="active")))
    for file_id, asset_class, state in rows.values_list("customer_id", "asset_class", "state"):
        is_bad = asset_class in ("substandard", "doubtful", "loss") or state in ("called_in", "written_off")
        customer_id = kept[file_id]
        found[customer_id] = "bad" if is_bad or found.get(customer_id) == "bad" else "watch"
    return {pk: found[kept[pk]] for pk in customer_ids if kept.get(pk) in found}


STANDINGS.append(loan_standings)
