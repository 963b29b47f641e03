"""The cap of a cluster in lending: what counts against it, where it stops a member, and who may have its products."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.domain.refusals import Unmet
from customers.models import Cluster, ClusterMember, Customer
from customers.queries.prescreens import standings_of
from customers.services import clusters
from loans.models import Application, Contract, Drawdown, Facility, Loan
from loans.queries.clusters import cluster_exposure, clusters_of, products_for
from loans.services import applications, contracts, drawdowns, facilities, offers
from tests.customers.cluster_making import active_cluster, member_row, taken_in
from tests.customers.making import make_customer, uscc_of
from tests.loans.given import effective_line, paid_out_loan, released_drawdown, signed_contract, signed_line
from tests.loans.making import TERMS, product_on_sale


def joined(cluster: Cluster, customer: Customer) -> None:
    """Make the customer a member by its code."""
    if not customer.uscc:
        Customer.objects.filter(pk=customer.pk).update(uscc=uscc_of(50_000 + customer.pk))
        customer.refresh_from_db()
    ClusterMember.objects.create(
        cluster=cluster, name=customer.name, name_key=customer.name, uscc=customer.uscc or "", line=1,
        record_import=cluster.source.imports.get(),
    )  # fmt: skip


@pytest.fixture
def cluster(actor):
    """Of a million, 900,000 a member."""
    cluster = active_cluster(actor, proposed_cap=Decimal(1_000_000), proposed_member_cap=Decimal(900_000))
    taken_in(actor, cluster, [member_row(1)])
    return cluster


def parts(cluster: Cluster) -> tuple[int, ...]:
    exposure = cluster_exposure(cluster)
    return int(exposure.lent), int(exposure.undrawn), int(exposure.approved)


def test_what_is_lent_undrawn_and_approved_counts_each_once_on_its_way(cast, cluster):
    contract = signed_contract(cast, serial=1)
    joined(cluster, contract.customer)
    Contract.objects.filter(pk=contract.pk).update(state="generated")
    assert parts(cluster) == (0, 0, 300_000)
    Contract.objects.filter(pk=contract.pk).update(state="signed")
    line = facilities.open_facility(actor=cast.actor("lin"), contract_id=contract.pk)
    assert parts(cluster) == (0, 300_000, 0)
    facilities.make_effective(actor=cast.actor("wu"), facility_id=line.pk)
    drawdown = released_drawdown(cast, line, Decimal(200_000))
    assert Drawdown.objects.get(pk=drawdown.pk).state == "disbursing"
    assert parts(cluster) == (200_000, 100_000, 0)
    # A stranger's line is none of the cluster's.
    signed_line(cast, serial=2)
    assert cluster_exposure(cluster).total == 300_000


def test_a_loan_counts_until_it_is_over_also_of_a_member_that_left(cast, cluster):
    loan = paid_out_loan(cast)
    joined(cluster, loan.customer)
    assert parts(cluster) == (300_000, 0, 0)
    ClusterMember.objects.update(left_on="2026-02-01")
    assert cluster_exposure(cluster).total == 300_000
    Loan.objects.filter(pk=loan.pk).update(outstanding_principal=120_000)
    assert cluster_exposure(cluster).total == 120_000
    Loan.objects.filter(pk=loan.pk).update(state="written_off")
    assert cluster_exposure(cluster).total == 0
    Loan.objects.filter(pk=loan.pk).update(state="settled", outstanding_principal=0)
    assert cluster_exposure(cluster).total == 0


def test_the_exposure_takes_as_many_queries_for_many_members_as_for_one(cast, cluster):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            cluster_exposure(cluster)
        return len(queries)

    joined(cluster, signed_line(cast, serial=1).customer)
    few = asked()
    for serial in range(2, 6):
        joined(cluster, signed_line(cast, serial=serial).customer)
    assert asked() == few == 9


def filled(cast, cluster: Cluster, amount: int) -> Facility:
    """Another member has a line of this much."""
    line = effective_line(cast, serial=90, amount=Decimal(amount))
    joined(cluster, line.customer)
    return line


@pytest.fixture
def draft(actor, cluster):
    """A file of 800,000 of a member."""
    product_on_sale(actor)
    customer = make_customer(actor("lin"))
    joined(cluster, customer)
    return applications.draft_application(actor=actor("lin"), customer_id=customer.pk, **TERMS)


def test_a_file_over_what_is_left_is_not_handed_in(cast, actor, cluster, draft):
    line = filled(cast, cluster, 200_001)
    with pytest.raises(Unmet) as refused:
        applications.submit_application(actor=actor("lin"), application_id=draft.pk)
    assert refused.value.facts["left"] == "799999.00"
    assert Application.objects.get(pk=draft.pk).state == "draft"
    Facility.objects.filter(pk=line.pk).update(limit_amount=200_000)
    assert applications.submit_application(actor=actor("lin"), application_id=draft.pk).state == "submitted"


def test_a_suspended_cluster_holds_to_its_cap_and_a_closed_one_has_none(cast, actor, cluster, draft):
    filled(cast, cluster, 200_001)
    clusters.suspend_cluster(actor=actor("sun"), cluster_id=cluster.pk, reason="停产")
    with pytest.raises(Unmet):
        applications.submit_application(actor=actor("lin"), application_id=draft.pk)
    clusters.close_cluster(actor=actor("lin"), cluster_id=cluster.pk, reason="散了")
    assert applications.submit_application(actor=actor("lin"), application_id=draft.pk).state == "submitted"


def test_a_member_that_left_is_not_stopped(cast, actor, cluster, draft):
    filled(cast, cluster, 900_000)
    ClusterMember.objects.filter(uscc=draft.customer.uscc).update(left_on="2026-02-01")
    assert applications.submit_application(actor=actor("lin"), application_id=draft.pk).state == "submitted"


def test_the_decision_and_the_signature_look_again(cast, actor, cluster, draft):
    line = filled(cast, cluster, 100_000)
    applications.submit_application(actor=actor("lin"), application_id=draft.pk)
    Application.objects.filter(pk=draft.pk).update(state="in_review")
    Facility.objects.filter(pk=line.pk).update(limit_amount=300_000)
    approve = {"actor": actor("qian"), "application_id": draft.pk, "conditions": [], "reason": "同意"}
    with pytest.raises(Unmet):
        offers.approve_application(amount=Decimal(800_000), **approve)
    # Less than was asked for fits, and counts from now on.
    offers.approve_application(amount=Decimal(700_000), **approve)
    assert cluster_exposure(cluster).total == 1_000_000

    Application.objects.filter(pk=draft.pk).update(state="offer_accepted")
    contract = contracts.generate_contract(actor=actor("lin"), application_id=draft.pk)
    Facility.objects.filter(pk=line.pk).update(limit_amount=300_001)
    with pytest.raises(Unmet):
        contracts.sign_contract(actor=actor("lin"), contract_id=contract.pk)
    Facility.objects.filter(pk=line.pk).update(limit_amount=300_000)
    assert contracts.sign_contract(actor=actor("lin"), contract_id=contract.pk).state == "signed"
    assert cluster_exposure(cluster).total == 1_000_000


def test_a_line_is_not_raised_again_into_room_that_others_took(cast, actor, cluster):
    line = filled(cast, cluster, 600_000)
    lowered = facilities.change_facility_limit(
        actor=actor("zhou"), facility_id=line.pk, limit_amount=Decimal(100_000), reason="降额"
    )
    other = signed_line(cast, serial=91, amount=Decimal(800_000))
    joined(cluster, other.customer)
    with pytest.raises(Unmet):
        facilities.change_facility_limit(
            actor=actor("zhou"), facility_id=lowered.pk, limit_amount=Decimal(300_000), reason="恢复"
        )
    raised = facilities.change_facility_limit(
        actor=actor("zhou"), facility_id=lowered.pk, limit_amount=Decimal(200_000), reason="恢复"
    )
    assert raised.limit_amount == 200_000


def test_a_renewal_takes_the_room_of_the_loan_it_renews(cast, cluster):
    loan = paid_out_loan(cast)
    joined(cluster, loan.customer)
    renewal = signed_contract(cast, serial=2).application
    Application.objects.filter(pk=renewal.pk).update(renews=loan)
    renewal.refresh_from_db()
    assert cluster_exposure(cluster, without=renewal).total == 0


# --- products and standing


def test_products_for_a_cluster_are_for_its_present_members_while_it_is_active(actor, cluster):
    version = product_on_sale(actor, clusters=[cluster.code])
    customer = make_customer(actor("lin"))
    assert clusters_of(customer) == ()
    draft = applications.draft_application(actor=actor("lin"), customer_id=customer.pk, **TERMS)
    with pytest.raises(Exception, match="hardware"):
        applications.submit_application(actor=actor("lin"), application_id=draft.pk)
    joined(cluster, customer)
    assert clusters_of(customer) == ("hardware",)
    assert list(products_for(cluster)) == [version]
    assert applications.submit_application(actor=actor("lin"), application_id=draft.pk).state == "submitted"
    ClusterMember.objects.update(left_on="2026-02-01")
    assert clusters_of(customer) == ()
    ClusterMember.objects.update(left_on=None)
    clusters.suspend_cluster(actor=actor("sun"), cluster_id=cluster.pk, reason="停产")
    assert clusters_of(customer) == ()


@pytest.mark.parametrize(
    ("facts", "standing"),
    [
        ({}, "good"),
        ({"days_past_due": 1}, "watch"),
        ({"asset_class": "special_mention"}, "watch"),
        ({"asset_class": "doubtful"}, "bad"),
        ({"state": "called_in"}, "bad"),
        ({"state": "written_off"}, "bad"),
        ({"state": "settled", "days_past_due": 3, "outstanding_principal": 0}, "good"),
    ],
)
def test_what_loans_say_of_a_customer(cast, facts, standing):
    loan = paid_out_loan(cast)
    Loan.objects.filter(pk=loan.pk).update(**facts)
    assert standings_of([loan.customer_id, 999_999]) == {loan.customer_id: standing, 999_999: "good"}


def test_drawing_what_was_promised_takes_no_new_room(cast, cluster):
    line = filled(cast, cluster, 1_000_000)
    drawn = drawdowns.request_drawdown(
        actor=cast.actor("lin"), facility_id=line.pk, amount=Decimal(1_000_000), payee_name="恒润钢材有限公司",
        payee_account="6228480000000001", purpose="采购",
    )  # fmt: skip
    assert drawn.state == "requested"
    assert cluster_exposure(cluster).total == 1_000_000
