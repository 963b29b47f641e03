"""The bank that pages are measured on is like a real one: found by pieces of names, with figures by month."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.web.tables import CappedPaginator
from customers.domain.names import bigrams
from customers.models import Customer, ExternalRecord
from desk.bench.customers import make_bank

LISTS = ("", "?q=五金", "?sort=name", "?sort=-annual_sales", "?kind=company&annual_sales__gte=100")


@pytest.fixture
def bank(db, client):
    client.force_login(make_bank(60, 1200))
    return client


def test_customers_have_the_pieces_their_names_have(bank):
    customers = list(Customer.objects.all())
    assert len(customers) == 60
    assert all(sorted(customer.name_bigrams) == bigrams(customer.name) for customer in customers)
    assert ExternalRecord.objects.count() == 1200
    wanted = customers[0].name[:2]
    page = bank.get("/customers/", {"q": wanted})
    assert page.context["table"].paginator.count == sum(wanted in bigrams(one.name) for one in customers)


def test_every_list_and_the_page_answer_in_a_fixed_number_of_queries(bank):
    counts = set()
    for place in LISTS:
        bank.get(f"/customers/{place}")
        with CaptureQueriesContext(connection) as queries:
            assert bank.get(f"/customers/{place}").status_code == 200
        counts.add(len(queries))
    assert len(counts) == 1
    assert bank.get(f"/customers/{Customer.objects.earliest('pk').pk}/").status_code == 200


def test_a_list_counts_no_further_than_anybody_pages(bank, monkeypatch):
    monkeypatch.setattr(CappedPaginator, "MOST", 40)
    with CaptureQueriesContext(connection) as queries:
        page = bank.get("/customers/?page=2")
    assert page.context["table"].paginator.count == 40
    assert "40" in page.content.decode()
    counting = [one["sql"] for one in queries.captured_queries if "COUNT(*)" in one["sql"]]
    assert any("LIMIT 40" in sql for sql in counting)
    monkeypatch.setattr(CappedPaginator, "MOST", 100)
    assert bank.get("/customers/").context["table"].paginator.count == 60
