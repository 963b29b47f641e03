"""One page of a customer: who looked, its size class with the figures, and a fixed number of queries."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from customers.models import CustomerLook, Lead
from customers.services import consents, customers, leads, records, relations, visits
from loans.models import Investigation
from postloan.models import LoanDay
from postloan.nouns.panels import how_it_repays
from tests.customers.making import make_customer, register_sources
from tests.loans.given import paid_out_loan


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


def test_its_leads_stand_with_visits_and_campaign_for_who_sees_them(cast, actor, client):
    lin = actor("lin")
    customer = make_customer(lin)
    lead = leads.capture_lead(actor=lin, name="老客户再来", contact_name="陈", source="existing")
    visits.record_visit(
        actor=lin, lead_id=lead.pk, visited_at=timezone.now() - timedelta(hours=1), place="五金城", outcome="interested"
    )
    Lead.objects.filter(pk=lead.pk).update(customer=customer)
    for person, sees in ((cast.lin, True), (cast.feng, True), (cast.sun, False)):
        client.force_login(person)
        page = client.get(f"/customers/{customer.pk}/").content.decode()
        assert ('id="leads"' in page) == sees, person
        assert not sees or f'/lead-visits/?lead={lead.pk}">1</a>' in page


def test_the_page_takes_the_same_queries_however_much_there_is(cast, actor, client):
    lin = actor("lin")
    customer = make_customer(lin)
    client.force_login(cast.lin)
    url = f"/customers/{customer.pk}/"
    client.get(url)
    register_sources(grid="国网")
    counts = []
    for more in (range(1), range(1, 7)):
        for number in more:
            customers.reveal_personal(actor=lin, customer_id=customer.pk, field="phone", reason=f"核对{number}")
            consents.record_consent(
                actor=lin, customer_id=customer.pk, scope="tax", given_by_name=f"林{number}",
                given_on=date(2026, 3, 1), expires_on=date(2027, 3, 1),
            )  # fmt: skip
            relations.add_relation(
                actor=lin, customer_id=customer.pk, kind="guarantor",
                other={"party_kind": "person", "name": f"保证人{number}"},
            )  # fmt: skip
            metric = ("electricity_kwh", "water_m3", "gas_m3", "tax_declared", "wages", "headcount", "shipments")[
                number
            ]
            row = {"metric": metric, "source": "grid", "period_month": "2026-01", "value": 5}
            records.receive_records(actor=lin, customer_id=customer.pk, records=[row])
        with CaptureQueriesContext(connection) as queries:
            page = client.get(url).content.decode()
        counts.append(len(queries))
    assert all(word in page for word in ("保证人6", "林6", "series-6"))
    assert counts[0] == counts[1] < 70


def test_repayment_is_told_over_all_loans(cast, client):
    loan = paid_out_loan(cast)
    before = cast.OPENING - timedelta(days=40)
    loan.instalments.filter(number=1).update(
        due_date=before, principal_paid=F("principal"), interest_paid=F("interest"), fee_paid=F("fee")
    )
    loan.instalments.filter(number=2).update(due_date=before + timedelta(days=30))
    for days in (0, 7, 3):
        LoanDay.objects.create(
            loan=loan, customer_id=loan.customer_id, date=before + timedelta(days=days), outstanding_principal=1,
            overdue_amount=0, days_past_due=days, asset_class="normal", class_rule="x", provision=0,
        )  # fmt: skip

    panel = how_it_repays(loan.customer, cast.actor("lin"))

    assert panel is not None
    assert [value for _label, value in panel.context["rows"]] == [2, 1, 1, 7, 2, 0]
    assert how_it_repays(loan.customer, cast.actor("outsider")) is None


def test_grades_of_each_investigation_stand_newest_first(cast, client):
    loan = paid_out_loan(cast)
    for grade in ("B", "A"):
        file = loan.application
        file.pk, file.number = None, f"XW-{grade}"
        file._state.adding = True
        file.save()
        Investigation.objects.create(
            office=file.office, application=file, customer=loan.customer, owner=cast.lin, findings={"risk_grade": grade}
        )
    client.force_login(cast.lin)
    page = client.get(f"/customers/{loan.customer_id}/").content.decode()
    assert page.index("<b>A</b>") < page.index("<b>B</b>")
