"""Loans booked on two files of one customer: one borrower before limits, gates and pages; no row of money moves."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace

import pytest
from celery import current_app

from branch.domain.refusals import Unmet
from branch.services.parameters import set_parameter
from customers.models import Customer
from customers.queries.prescreens import standings_of
from customers.services import merges
from loans.models import Drawdown, Loan
from loans.queries.applications import earlier_loans
from loans.queries.exposure import Exposure, exposures_of
from loans.services import drawdowns
from tests.cast import OPENING
from tests.concurrency.test_money import at_once, refusals
from tests.loans.given import AMOUNT, checked_drawdown, effective_line, everything, paid_out_loan


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
