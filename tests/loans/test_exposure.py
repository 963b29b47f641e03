"""Connected borrowers against the bank's limits: what counts, who is refused, and two of them at once."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app

from branch.domain.refusals import Unmet
from branch.services.parameters import set_parameter
from customers.models import Customer, Party, Relation
from loans.models import Drawdown, Facility
from loans.queries.exposure import Exposure, exposures_of
from loans.services import drawdowns
from tests.cast import OPENING
from tests.concurrency.test_money import at_once, refusals
from tests.loans.given import AMOUNT, checked_drawdown, effective_line, paid_out_loan, released_drawdown


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **kwargs: None)


def limit(cast: SimpleNamespace, code: str, value: str) -> None:
    set_parameter(actor=cast.actor("zhou"), code=code, value=Decimal(value), effective_date=OPENING, reason="试")


def guarantee(one: Customer, two: Customer) -> None:
    ends = [Party.objects.create(kind="firm", customer=customer) for customer in (one, two)]
    Relation.objects.create(office=one.office, customer=one, kind="guarantor", from_party=ends[0], to_party=ends[1])


@pytest.mark.django_db
def test_what_is_owed_on_the_way_undrawn_and_offered_is_told_apart(cast):
    loan = paid_out_loan(cast)
    line = effective_line(cast, serial=2, amount=Decimal(500000))
    released_drawdown(cast, line, Decimal(200000))

    found = exposures_of([loan.customer_id, line.customer_id])

    assert found[loan.customer_id] == Exposure(owed=AMOUNT)
    assert found[line.customer_id] == Exposure(owed=Decimal(200000), undrawn=Decimal(300000))


@pytest.mark.django_db
def test_a_release_is_refused_with_the_figures_where_the_group_grew(cast):
    paid_out_loan(cast)
    drawdown = checked_drawdown(cast, effective_line(cast, serial=2))
    one, two = Customer.objects.order_by("pk")
    limit(cast, "exposure.group_limit", "599999.99")
    guarantee(one, two)

    with pytest.raises(Unmet) as refused:
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)

    assert (refused.value.facts["used"], refused.value.facts["limit"]) == ("300000.00", "599999.99")
    assert Drawdown.objects.get(pk=drawdown.pk).state == "checked"
    limit(cast, "exposure.group_limit", "600000")
    drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


@pytest.mark.django_db
def test_a_single_borrower_has_a_limit_of_its_own(cast):
    drawdown = checked_drawdown(cast)
    limit(cast, "exposure.firm_limit", "299999")
    with pytest.raises(Unmet):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


@pytest.mark.django_db(transaction=True)
def test_two_members_drawing_at_once_do_not_pass_the_limit_together(cast):
    asked = [checked_drawdown(cast, effective_line(cast, serial=serial)) for serial in (1, 2)]
    guarantee(*Customer.objects.order_by("pk"))
    limit(cast, "exposure.group_limit", "500000")
    wu = cast.actor("wu")

    def release(drawdown: Drawdown) -> Any:
        return lambda: drawdowns.release_drawdown(actor=wu, drawdown_id=drawdown.pk)

    results = at_once(*map(release, asked))

    assert [type(refusal) for refusal in refusals(results)] == [Unmet]
    assert sum(Facility.objects.values_list("drawn_amount", flat=True)) == AMOUNT


@pytest.mark.django_db
def test_the_page_tells_the_group_and_only_the_sum_of_who_is_not_seen(cast, client):
    loan = paid_out_loan(cast)
    line = effective_line(cast, serial=2)
    theirs = line.customer
    guarantee(loan.customer, theirs)
    Customer.objects.filter(pk=theirs.pk).update(owner=cast.outsider, office=cast.offices.JB)
    client.force_login(cast.lin)

    page = client.get(f"/customers/{loan.customer_id}/").content.decode()

    assert theirs.name not in page
    assert "600,000.00 / 20,000,000.00" in page
