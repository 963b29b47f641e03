"""Reading clusters: how one was judged, and who of its members is on file."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet

from branch.domain.actor import Actor
from branch.queries.parameters import parameters
from branch.queries.visibility import visible
from customers.domain.clusters import CRITERIA, ClusterFacts, Score, score_cluster
from customers.models import Cluster, ClusterMember, Customer
from customers.queries.merges import files_of

#: What must be known before a cluster can be judged.
EVALUATION = (
    "anchor_standing", "anchor_years", "members_count", "members_left", "defaulted_members", "years_running",
)  # fmt: skip


def evaluation_of(cluster: Cluster) -> Score | None:
    """The score from the facts on file under the weights in force; None while a fact is missing."""
    facts = {name: getattr(cluster, name) for name in EVALUATION}
    if any(value in (None, "") for value in facts.values()):
        return None
    weights = parameters(*(f"cluster.weight_{name}" for name in CRITERIA))
    return score_cluster(ClusterFacts(**facts), {name: weights[f"cluster.weight_{name}"] for name in CRITERIA})


def waiting_for_caps(actor: Actor) -> QuerySet[Cluster]:
    """Clusters this person sees that are submitted, or active under other caps or another grade than proposed."""
    in_force = Q(proposed_cap=F("cap"), proposed_member_cap=F("member_cap"), proposed_grade=F("grade"))
    changed = Q(state__in=("active", "suspended"), proposed_cap__isnull=False) & ~in_force
    return visible(Cluster, actor).filter(Q(state="submitted") | changed)


def current_members(cluster: Cluster) -> QuerySet[ClusterMember]:
    return ClusterMember.objects.filter(cluster=cluster, left_on=None)


def memberships(customer: Customer) -> QuerySet[ClusterMember]:
    """What a customer is a member of at present: by link, or by the same unified social credit code."""
    same = Q(customer__in=files_of(customer))
    # The code went over to the file that stays.
    if code := (customer.merged_into or customer).uscc:
        same |= Q(uscc=code)
    return ClusterMember.objects.filter(same, left_on=None)
