"""One page of a customer: who looked, its size class with the figures, and a fixed number of queries."""

from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import CustomerLook
from customers.services import customers
from tests.customers.making import make_customer


def test_a_look_is_noted_once_a_day_for_page_and_api(cast, actor, client):
    customer = make_customer(actor("lin"))
    client.force_login(cast.sun)
    for url in (f"/customers/{customer.pk}/", f"/customers/{customer.pk}/", f"/api/v1/customers/{customer.pk}/"):
        assert client.get(url).status_code == 200
    client.force_login(cast.outsider)
    assert client.get(f"/customers/{customer.pk}/").status_code == 404

    look = CustomerLook.objects.get()
    assert (look.customer, look.user, look.date) == (customer, cast.sun, cast.OPENING)


def test_who_looked_is_for_the_auditor_and_the_owner(cast, actor, client):
    customer = make_customer(actor("lin"))
    customers.reveal_personal(actor=actor("sun"), customer_id=customer.pk, field="phone", reason="回访核对")
    for person, sees in ((cast.lin, True), (cast.feng, True), (cast.sun, False)):
        client.force_login(person)
        answer = client.get(f"/customers/{customer.pk}/")
        page = answer.content.decode()
        assert answer.status_code == 200, person
        assert ('id="looks"' in page) == sees
        assert not sees or "查看了个人信息: 回访核对" in page


def test_the_size_class_stands_with_its_figures_and_what_is_missing(cast, actor, client):
    known = make_customer(actor("lin"), 1, employees=25)
    open_ = make_customer(actor("lin"), 2, employees=25, annual_sales=None)
    client.force_login(cast.lin)

    page = client.get(f"/customers/{known.pk}/").content.decode()
    assert "<b>小型</b>" in page
    assert "860" in page
    assert "<b>小型</b>" not in client.get(f"/customers/{open_.pk}/").content.decode()


def test_the_page_takes_the_same_queries_however_much_there_is(cast, actor, client):
    lin = actor("lin")
    customer = make_customer(lin)
    client.force_login(cast.lin)
    url = f"/customers/{customer.pk}/"
    client.get(url)
    counts = []
    for more in (1, 6):
        for number in range(more):
            customers.reveal_personal(actor=lin, customer_id=customer.pk, field="phone", reason=f"核对{number}")
        with CaptureQueriesContext(connection) as queries:
            client.get(url)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 80
