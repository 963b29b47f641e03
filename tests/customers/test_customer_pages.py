"""The pages and the API of leads, customers and outside figures: what each shows, to whom, and what it does."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from branch.models import Event, Notification, OutboxMessage, ParameterValue, RoleAssignment, User
from branch.services import outbox
from customers.models import Customer, ExternalRecord, Lead
from customers.services import leads
from tests.cast import PEOPLE
from tests.customers.making import (
    make_customer,
    make_lead,
    profile,
    qualified_lead,
    register_sources,
    resident_id_of,
    state_of_world,
    uscc_of,
)

PERSONAL = (resident_id_of(1), "13800138000", "江北五金城 B 区 12 号", "6222020200012345678")


@pytest.fixture(autouse=True)
def no_second_factor(cast):
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))


@pytest.fixture
def visitor(cast):
    def signed_in(username):
        client = Client(headers={"accept-language": "en"})
        client.force_login(User.objects.get(username=username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def api(cast):
    def signed_in(username):
        client = APIClient()
        client.force_authenticate(User.objects.get(username=username))
        return client

    return signed_in


@pytest.fixture
def meter(cast):
    user = User.objects.create_user("meter", password="demo", office=cast.offices.CD)
    RoleAssignment.objects.create(user=user, role="integration", office=cast.offices.CD, start_date=date(2020, 1, 1))
    return user


def deliver_all():
    for pk in outbox.waiting():
        outbox.deliver(pk)


# --- leads ---------------------------------------------------------------------------------------------------


def test_a_lead_goes_from_capture_to_customer_over_the_api(cast, api):
    lin = api("lin")
    answer = lin.post(
        "/api/v1/leads/", {"name": "梅林五金", "contact_name": "林美玉", "phone": "13800138000", "source": "visit"}
    )
    assert answer.status_code == 201
    lead = answer.json()
    assert (lead["state"], lead["phone"]) == ("new", "138****8000")
    where = f"/api/v1/leads/{lead['id']}"

    assert lin.post(f"{where}/contact/", {"note": "约周三"}).json()["state"] == "contacted"
    assert lin.post(f"{where}/qualify/", {"wanted_amount": "300,000.00"}).json()["wanted_amount"] == "300000.00"
    values = {name: value for name, value in profile().items() if name not in ("phone", "contact_name")}
    converted = lin.post(f"{where}/convert/", values | {"contact_name": "林美玉"}).json()

    assert converted["state"] == "converted"
    customer = Customer.objects.get(pk=converted["customer"])
    assert customer.phone == "13800138000"


def test_a_wrong_code_stands_beside_its_field(cast, visitor):
    lead = qualified_lead(cast.actor("lin"))
    before = state_of_world()

    answer = visitor("lin").post(
        f"/leads/{lead.pk}/convert/", profile(uscc=uscc_of(1)[:-1] + "I", annual_sales="8,600,000.00")
    )

    assert answer.status_code == 400
    assert "uscc" in answer.context["form"].errors
    assert state_of_world() == before


def test_who_opens_leads(cast, visitor, api):
    lead = make_lead(cast.actor("lin"))
    readers = {"lin", "zhou", "feng"}

    for name in PEOPLE:
        page, row = visitor(name).get(f"/leads/{lead.pk}/"), api(name).get(f"/api/v1/leads/{lead.pk}/")
        assert (page.status_code == 200) is (name in readers), name
        assert (row.status_code == 200) is (name in readers), name
        if name not in readers:
            assert "梅林" not in page.content.decode() + str(row.data)


def test_only_who_is_to_call_reads_the_number(cast, visitor):
    lead = make_lead(cast.actor("lin"))

    assert "tel:13800138000" in visitor("lin").get(f"/leads/{lead.pk}/").content.decode()
    for name in ("zhou", "feng"):
        page = visitor(name).get(f"/leads/{lead.pk}/").content.decode()
        assert "13800138000" not in page
        assert "138****8000" in page


def test_the_lead_list_is_searched_filtered_and_exported(cast, visitor):
    lin = cast.actor("lin")
    make_lead(lin, name="永泰塑料厂")
    lost = make_lead(lin, name="城南水产行")
    leads.lose_lead(actor=lin, lead_id=lost.pk, reason="不借")
    client = visitor("lin")

    assert "永泰" in client.get("/leads/?q=永泰").content.decode()
    assert "城南" not in client.get("/leads/?q=永泰").content.decode()
    assert "永泰" not in client.get("/leads/?state=lost").content.decode()
    exported = b"".join(client.get("/leads/export.csv")).decode()
    assert "永泰塑料厂" in exported
    assert "13800138000" not in exported
    assert "林美玉" not in exported


def test_who_is_handed_a_lead_is_told(cast, api):
    colleague = User.objects.create_user("ma", password="demo", office=cast.offices.HW)
    RoleAssignment.objects.create(
        user=colleague, role="account_manager", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    lead = make_lead(cast.actor("lin"))

    answer = api("zhou").post(f"/api/v1/leads/{lead.pk}/reassign/", {"owner_id": colleague.pk, "reason": "休假"})
    assert answer.status_code == 200
    deliver_all()

    told = Notification.objects.get()
    assert (told.user, told.url) == (colleague, f"/leads/{lead.pk}/")


# --- customers -----------------------------------------------------------------------------------------------


def test_personal_data_is_masked_in_page_api_list_and_export(cast, visitor, api):
    customer = make_customer(cast.actor("lin"))

    for name in ("lin", "zhao", "zhou", "feng"):
        client = visitor(name)
        shown = client.get(f"/customers/{customer.pk}/").content.decode()
        shown += client.get("/customers/").content.decode()
        shown += b"".join(client.get("/customers/export.csv")).decode()
        shown += str(api(name).get(f"/api/v1/customers/{customer.pk}/").data)
        for value in PERSONAL:
            assert value not in shown
        assert "138****8000" in shown


def test_the_form_for_corrections_does_not_show_what_it_keeps(cast, visitor):
    customer = make_customer(cast.actor("lin"))
    client = visitor("lin")

    page = client.get(f"/customers/{customer.pk}/update/").content.decode()
    for value in PERSONAL:
        assert value not in page
    sent = profile(name="梅林新名", identity_number="", phone="", address="", repayment_account="", annual_sales="9")
    assert client.post(f"/customers/{customer.pk}/update/", sent).status_code == 302

    customer = Customer.objects.get()
    assert (customer.name, customer.identity_number) == ("梅林新名", resident_id_of(1))
    assert customer.annual_sales == 9


def test_the_form_goes_back_to_where_it_was_opened(cast, visitor):
    customer = make_customer(cast.actor("lin"))
    client = visitor("lin")
    sent = profile(annual_sales="9")

    inside = client.post(f"/customers/{customer.pk}/update/", sent | {"next": "/applications/7/"})
    outside = client.post(f"/customers/{customer.pk}/update/", sent | {"next": "//evil.example/"})

    assert inside["Location"] == "/applications/7/"
    assert outside["Location"] == f"/customers/{customer.pk}/"


def test_a_look_at_personal_data_is_answered_and_recorded(cast, visitor, api):
    customer = make_customer(cast.actor("lin"))

    page = visitor("sun").post(f"/customers/{customer.pk}/reveal/", {"field": "phone", "reason": "核对"})
    assert "13800138000" in page.content.decode()
    assert page["Cache-Control"] == "no-store"
    body = api("sun").post(f"/api/v1/customers/{customer.pk}/reveal/", {"field": "address", "reason": "核对"}).json()
    assert body == {"value": "江北五金城 B 区 12 号"}

    looks = Event.objects.filter(name="customer.reveal").order_by("id")
    assert [(e.actor_name, e.after["field"]) for e in looks] == [("sun", "phone"), ("sun", "address")]
    assert api("outsider").post(f"/api/v1/customers/{customer.pk}/reveal/", {}).status_code == 404
    assert looks.count() == 2


def test_an_update_over_the_api_is_guarded_by_its_version(cast, api):
    customer = make_customer(cast.actor("lin"))
    where, lin = f"/api/v1/customers/{customer.pk}/", api("lin")
    tag = lin.get(where)["ETag"]

    assert lin.patch(where, {"employees": 38}, headers={"if-match": tag}, format="json").status_code == 200
    assert lin.patch(where, {"employees": 40}, headers={"if-match": tag}, format="json").status_code == 412
    assert Customer.objects.get().employees == 38


def test_customers_are_found_in_the_list_by_two_characters(cast, visitor, api):
    make_customer(cast.actor("lin"))
    make_customer(cast.actor("lin"), 2, name="永泰塑料厂")

    assert [row["name"] for row in api("lin").get("/api/v1/customers/?q=塑料").json()["results"]] == ["永泰塑料厂"]
    page = visitor("lin").get("/customers/?q=塑料").content.decode()
    assert "永泰" in page
    assert "梅林" not in page


# --- outside figures -----------------------------------------------------------------------------------------

ROWS = [
    {"metric": "electricity_kwh", "source": "grid", "period_month": "2026-01", "value": "21460.5"},
    {"metric": "steam", "source": "grid", "period_month": "2026-01", "value": 1},
]


def test_a_client_system_sends_by_code_and_reads_nothing(cast, api, meter):
    register_sources(grid="国网")
    customer = make_customer(cast.actor("lin"))
    client = api("meter")

    answer = client.post("/api/v1/external-records/", {"uscc": uscc_of(1), "records": ROWS}, format="json")

    assert answer.status_code == 200
    assert answer.json()["counts"] == {"accepted": 1, "replaced": 0, "unchanged": 0, "overtaken": 0, "rejected": 1}
    assert [row["outcome"] for row in answer.json()["rows"]] == ["accepted", "rejected"]
    assert client.get("/api/v1/external-records/").status_code == 403
    assert client.get(f"/api/v1/customers/{customer.pk}/").status_code == 403
    assert ExternalRecord.objects.get().value == Decimal("21460.500")


def test_a_code_of_another_branch_is_not_known_to_the_client(cast, api, meter):
    make_customer(cast.actor("outsider"))

    answer = api("meter").post("/api/v1/external-records/", {"uscc": uscc_of(1), "records": ROWS}, format="json")

    assert answer.status_code == 404
    assert not ExternalRecord.objects.exists()


def spreadsheet(rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


HEAD, LINE = ["指标", "来源", "月份", "数值"], ["electricity_kwh", "国网", "2026-01", 21460]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "指标,来源,月份,数值\nelectricity_kwh,国网,2026-01,21460\n".encode()),
        ("a.csv", "指标,来源,月份,数值\nelectricity_kwh,国网,2026-01,21460\n".encode("gb18030")),
        ("a.csv", "\ufeffmetric,source,month,value\r\nelectricity_kwh,国网,2026-01,21460\r\n".encode()),
        ("a.xlsx", spreadsheet([HEAD, LINE])),
        ("a.xlsx", spreadsheet([HEAD, [*LINE[:2], date(2026, 1, 1), 21460]])),
    ],
)
def test_a_spreadsheet_is_taken_in_on_the_customers_page(cast, visitor, name, content):
    register_sources(grid="国网")
    customer = make_customer(cast.actor("lin"))

    answer = visitor("lin").post(f"/customers/{customer.pk}/records/", {"file": SimpleUploadedFile(name, content)})

    assert answer.status_code == 200
    row = ExternalRecord.objects.get()
    assert (row.source_id, row.period_month, row.value) == ("grid", date(2026, 1, 1), Decimal(21460))
    assert "国网" in visitor("lin").get(f"/customers/{customer.pk}/").content.decode()


@pytest.mark.parametrize("content", [b"", b"metric,source\nx,y\n", b"PK\x03\x04 no spreadsheet"])
def test_a_file_that_is_no_table_is_refused_beside_its_field(cast, visitor, content):
    customer = make_customer(cast.actor("lin"))
    upload = SimpleUploadedFile("a.xlsx", content) if content else SimpleUploadedFile("a.csv", b"\n")

    answer = visitor("lin").post(f"/customers/{customer.pk}/records/", {"file": upload})

    assert answer.status_code == 422
    assert answer.context["form"].errors["file"]
    assert not ExternalRecord.objects.exists()


def test_every_page_of_the_part_opens_in_chinese(cast, visitor):
    customer, lead = make_customer(cast.actor("lin")), make_lead(cast.actor("lin"))
    client = visitor("lin")
    client.cookies["django_language"] = "zh-hans"
    places = ["/leads/", "/leads/create/", f"/leads/{lead.pk}/", f"/leads/{lead.pk}/contact/", "/customers/"]
    places += ["/customers/create/", f"/customers/{customer.pk}/", f"/customers/{customer.pk}/records/"]
    places += [f"/customers/{customer.pk}/reveal/?field=phone", "/external-records/", "/external-records/create/"]

    for place in places:
        assert client.get(place).status_code == 200, place
    assert Lead.objects.count() == 1
    assert OutboxMessage.objects.count() == 0
