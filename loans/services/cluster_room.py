"""The cap of a cluster, held to wherever a member is promised more."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.money import format_money
from branch.domain.refusals import Unmet
from customers.models import Cluster, Customer
from customers.queries.clusters import memberships
from loans.models import Application
from loans.queries.clusters import cluster_exposure

#: A suspended cluster lends no more by itself, but what its members owe stands under its cap all the same.
CAPPED = ("active", "suspended")


def require_cluster_room(customer: Customer, amount: Decimal, *, file: Application | None = None) -> None:
    """Raises Unmet where `amount` more would take a cluster of the customer over its cap.

    `file` is what the amount is of: what it counts for already, and the loan it renews, make way. The cluster's row
    is locked to the end of the transaction, so two members don't take the last of the room at once.
    """
    wanted = memberships(customer).values("cluster_id")
    clusters = Cluster.objects.select_for_update(no_key=True).filter(pk__in=wanted, state__in=CAPPED).order_by("pk")
    for cluster in clusters:
        standing = cluster_exposure(cluster, without=file).total
        cap = cluster.cap or Decimal(0)
        if standing + amount > cap:
            left = max(cap - standing, Decimal(0))
            told = {"cluster": cluster.name, "cap": format_money(cap), "left": format_money(left)}
            raise Unmet(
                _("The cap of %(cluster)s is %(cap)s; %(left)s of it is left.") % told,
                cluster=cluster.code,
                cap=str(cap),
                standing=str(standing),
                left=str(left),
            )
