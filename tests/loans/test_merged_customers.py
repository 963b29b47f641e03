"""Loans booked on two files of one customer: one borrower before limits, gates and pages; no row of money moves."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from celery import current_app

from branch.domain.refusals import Unmet
from branch.services.parameters import set_parameter
from customers.models import ClusterMember, Customer, Lead
from customers.queries.prescreens import standings_of
from customers.services import leads, merges
from loans.models import Application, Drawdown, Loan
from loans.queries.applications import earlier_loans
from loans.queries.campaigns import Booked, booked_by
from loans.queries.clusters import clusters_of
from loans.queries.exposure import Exposure, exposures_of, own_limit
from loans.services import drawdowns
from loans.services.cluster_room import require_cluster_room
from tests.cast import OPENING
from tests.concurrency.test_money import at_once, refusals
from tests.customers.cluster_making import active_cluster, member_row, taken_in
from tests.customers.making import make_customer, qualified_lead, uscc_of
from tests.customers.test_campaigns import make_campaign
from tests.loans.given import AMOUNT, checked_drawdown, effective_line, everything, paid_out_loan, signed_contract


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **kwargs: None)


def limit(cast: SimpleNamespace, value: str) -> None:
    set_parameter(
        actor=cast.actor("zhou"), code="exposure.firm_limit", value=Decimal(value), effective_date=OPENING, reason="试"
    )


def merge(cast: SimpleNamespace, kept: int, other: int) -> None:
    Customer.objects.filter(pk=other).update(uscc=None)
    merges.merge_customers(actor=cast.actor("zhou"), customer_id=kept, other_id=other, reason="同一家")


@pytest.mark.django_db
def test_what_both_owe_is_what_the_customer_owes(cast):
    loan = paid_out_loan(cast)
    drawdown = checked_drawdown(cast, effective_line(cast, serial=2))
    kept, other = loan.customer_id, drawdown.customer_id
    limit(cast, "599999.99")
    merge(cast, kept, other)

    with pytest.raises(Unmet) as refused:
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert refused.value.facts["used"] == "300000.00"
    assert exposures_of([kept]) == {kept: Exposure(owed=AMOUNT, undrawn=AMOUNT)}
    assert earlier_loans(Customer.objects.get(pk=other)) == 1

    merges.undo_merge(actor=cast.actor("zhou"), customer_id=other, reason="两家")
    drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert exposures_of([kept]) == {kept: Exposure(owed=AMOUNT)}


@pytest.mark.django_db
def test_merging_and_undoing_touches_no_row_of_lending(cast):
    loan = paid_out_loan(cast)
    other = effective_line(cast, serial=2).customer_id
    Customer.objects.filter(pk=other).update(uscc=None)
    before = everything()[2:]
    merges.merge_customers(actor=cast.actor("zhou"), customer_id=loan.customer_id, other_id=other, reason="同一家")
    assert everything()[2:] == before
    merges.undo_merge(actor=cast.actor("zhou"), customer_id=other, reason="两家")
    assert everything()[2:] == before


@pytest.mark.django_db
def test_a_bad_loan_on_one_file_is_told_of_both(cast):
    loan = paid_out_loan(cast)
    other = effective_line(cast, serial=2).customer_id
    Loan.objects.filter(pk=loan.pk).update(asset_class="loss")
    assert standings_of([other]) == {other: "good"}
    merge(cast, loan.customer_id, other)
    assert standings_of([other, loan.customer_id]) == {other: "bad", loan.customer_id: "bad"}


@pytest.mark.django_db
def test_a_file_of_the_merged_one_stands_under_the_kept_ones_cluster_and_limit(cast):
    """The code, and with it the membership, has gone over to the file that stays; so does what kind it is."""
    contract = signed_contract(cast, serial=2)
    kept, other = make_customer(cast.actor("lin"), 70, kind="farm_household", uscc=None), contract.customer
    cluster = active_cluster(cast.actor, proposed_cap=Decimal(400_000), proposed_member_cap=Decimal(300_000))
    taken_in(cast.actor, cluster, [member_row(1)])
    Customer.objects.filter(pk=other.pk).update(uscc=uscc_of(2))
    ClusterMember.objects.update(uscc=uscc_of(2), customer=None)
    merges.merge_customers(actor=cast.actor("zhou"), customer_id=kept.pk, other_id=other.pk, reason="同一家")

    of_file = Customer.objects.get(pk=other.pk)
    assert clusters_of(of_file) == clusters_of(Customer.objects.get(pk=kept.pk)) == (cluster.code,)
    with pytest.raises(Unmet):
        require_cluster_room(of_file, Decimal(500_000))
    assert own_limit(of_file) == own_limit(kept)


@pytest.mark.django_db
def test_a_campaign_has_what_was_lent_on_any_file_of_its_lead(cast):
    lin = cast.actor("lin")
    loan = paid_out_loan(cast)
    campaign = make_campaign(lin)
    lead = qualified_lead(lin, campaign_id=campaign.pk, name="三号铺", phone="13700137000")
    lead = leads.convert_lead(actor=lin, lead_id=lead.pk, kind="sole_trader", uscc=uscc_of(90))
    assert lead.customer_id
    Application.objects.filter(pk=loan.application_id).update(submitted_at=loan.application.created_at)
    Lead.objects.filter(pk=lead.pk).update(created_at=loan.application.created_at - timedelta(days=1))
    assert booked_by([campaign.pk])[campaign.pk] == Booked()

    merge(cast, loan.customer_id, lead.customer_id)
    assert booked_by([campaign.pk])[campaign.pk] == Booked(1, 1, 1, loan.principal)

    merges.undo_merge(actor=cast.actor("zhou"), customer_id=lead.customer_id, reason="两家")
    merge(cast, lead.customer_id, loan.customer_id)
    assert booked_by([campaign.pk])[campaign.pk] == Booked(1, 1, 1, loan.principal)


@pytest.mark.django_db(transaction=True)
def test_a_release_and_a_merge_at_once_do_not_pass_the_limit_unseen(cast):
    """Whichever comes first: a release after the merge is refused, one before it stands and is seen by the next."""
    loan = paid_out_loan(cast)
    drawdown = checked_drawdown(cast, effective_line(cast, serial=2))
    kept, other = loan.customer_id, drawdown.customer_id
    Customer.objects.filter(pk=other).update(uscc=None)
    limit(cast, "599999.99")
    wu, zhou = cast.actor("wu"), cast.actor("zhou")

    results = at_once(
        lambda: drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk),
        lambda: merges.merge_customers(actor=zhou, customer_id=kept, other_id=other, reason="同一家"),
    )

    assert [type(one) for one in refusals(results)] in ([], [Unmet])
    released = Drawdown.objects.get(pk=drawdown.pk).state != "checked"
    assert released is (refusals(results) == [])
    assert Customer.objects.get(pk=other).merged_into_id == kept


@pytest.mark.django_db(transaction=True)
def test_two_merges_across_one_another_leave_no_circle(cast):
    one = paid_out_loan(cast).customer_id
    two = effective_line(cast, serial=2).customer_id
    Customer.objects.filter(pk__in=(one, two)).update(uscc=None)
    zhou = cast.actor("zhou")

    results = at_once(
        lambda: merges.merge_customers(actor=zhou, customer_id=one, other_id=two, reason="同一家"),
        lambda: merges.merge_customers(actor=zhou, customer_id=two, other_id=one, reason="同一家"),
    )

    assert len(refusals(results)) == 1
    assert Customer.objects.exclude(merged_into=None).count() == 1
