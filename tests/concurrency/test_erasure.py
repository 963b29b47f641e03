"""Erasing while something else happens to the same customer: real threads, real transactions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import Unmet, WrongState
from customers.models import Customer, Lead
from customers.services import leads, retention
from loans.models import Application
from loans.services import applications
from tests.concurrency.test_money import at_once, refusals
from tests.customers.making import make_customer, make_lead
from tests.loans.making import TERMS, product_on_sale

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("first", ["erase", "file"])
def test_an_application_is_filed_or_the_customer_is_erased(cast: SimpleNamespace, first: str) -> None:
    product_on_sale(cast.actor)
    lin, zhou = cast.actor("lin"), cast.actor("zhou")
    for number in range(1, 5):
        customer = make_customer(lin, number)
        retention.ask_customer_erasure(actor=lin, customer_id=customer.pk, channel="counter")
        calls: list[Any] = [
            lambda pk=customer.pk: retention.erase_customer(actor=zhou, customer_id=pk, reason="本人要求"),
            lambda pk=customer.pk: applications.draft_application(actor=lin, customer_id=pk, **TERMS),
        ]

        results = at_once(*(calls if first == "erase" else reversed(calls)))

        [refusal] = refusals(results)
        is_erased = Customer.objects.get(pk=customer.pk).erased_on is not None
        has_file = Application.objects.filter(customer=customer).exists()
        assert is_erased != has_file
        assert isinstance(refusal, WrongState if is_erased else Unmet)


def test_two_managers_erase_once(cast: SimpleNamespace) -> None:
    lin, zhou = cast.actor("lin"), cast.actor("zhou")
    customer = make_customer(lin)
    retention.ask_customer_erasure(actor=lin, customer_id=customer.pk, channel="counter")

    results = at_once(*[lambda: retention.erase_customer(actor=zhou, customer_id=customer.pk, reason="本人要求")] * 3)

    assert [type(one) for one in refusals(results)] == [WrongState, WrongState]


def test_a_lead_is_erased_or_talks_again(cast: SimpleNamespace) -> None:
    lin, zhou = cast.actor("lin"), cast.actor("zhou")
    lead = make_lead(lin)
    leads.lose_lead(actor=lin, lead_id=lead.pk, code="price")
    retention.ask_lead_erasure(actor=lin, lead_id=lead.pk, channel="phone")

    at_once(
        lambda: leads.reopen_lead(actor=lin, lead_id=lead.pk),
        lambda: retention.erase_lead(actor=zhou, lead_id=lead.pk, reason="本人要求"),
    )

    lead = Lead.objects.get()
    # Whoever comes second finds what the first one did: a lead talking again is erased all the same, at its wish.
    assert lead.erased_on is not None
    assert (lead.state, lead.phone) == ("lost", "")
