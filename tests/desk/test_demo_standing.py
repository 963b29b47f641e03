"""What the demo branch knows of its running borrowers stands as it is told."""

from __future__ import annotations

import pytest

from branch.models import Attachment
from branch.queries.business_date import business_date
from branch.queries.documents import document_rule
from customers.models import Consent, Customer, ScreeningHit
from customers.queries.documents import with_documents_due
from customers.queries.relations import network_of
from desk.demo import people, policies, standing, stories
from desk.demo.people import actor
from loans.queries.guarantees import rings_of
from tests.cast import OPENING


@pytest.mark.django_db
def test_owners_a_circle_papers_consents_and_two_hits(settings, tmp_path) -> None:
    settings.FILES_DIR = str(tmp_path)
    people.found_branch(OPENING)
    policies.publish_policies()
    for firm in stories.RUNNING:
        stories.Story(firm).tell("receive_records")

    standing.tell_standing()

    (circle,) = rings_of(actor("lin"))
    assert circle.is_circle
    assert len(circle.members) == 3
    third = stories.Story(stories.RUNNING[2]).customer
    owners = {third.contact_name, stories.RUNNING[3].contact}
    network = network_of(third, actor("lin"))
    assert {network.name_of(owner.node) for owner in network.owners} == owners
    assert sorted(ScreeningHit.objects.values_list("state", flat=True)) == ["cleared", "open"]
    assert Attachment.objects.exclude(expires_on=None).count() == len(standing.PAPERS)
    due = with_documents_due(Customer.objects.all(), document_rule(business_date()))
    assert due.count() == 3
    assert Consent.objects.filter(scope="credit_bureau").count() == 2
