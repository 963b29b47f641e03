"""The cluster of the demo branch stands as it is told: all members pre-screened, every outcome seen, leads made."""

from __future__ import annotations

import pytest

from customers.models import Cluster, ClusterMember, Lead, PrescreenRun, RecordImport
from desk.demo import clusters, people, policies
from tests.cast import OPENING


@pytest.mark.django_db
def test_the_demo_cluster_has_something_of_everything() -> None:
    people.found_branch(OPENING)
    policies.publish_policies()
    clusters.tell_cluster()
    run = PrescreenRun.objects.get()
    assert (run.state, run.members_done, Cluster.objects.get().state) == ("done", 48, "active")
    assert all(run.counts.get(outcome) for outcome in ("fit", "refer", "unfit"))
    assert [row.counts["accepted"] for row in RecordImport.objects.order_by("pk")] == [48, 16]
    assert Lead.objects.filter(source="cluster").count() == 5
    assert ClusterMember.objects.exclude(financeable_amount=None).count() == 16
