"""Page forms hold what the API holds: once, the right version, from this site; and pages show text as text."""

from __future__ import annotations

import csv
import io
import re
from io import BytesIO
from types import SimpleNamespace

import pytest
from django.test import Client
from openpyxl import load_workbook

from branch.models import Event
from customers.models import Lead
from tests.api.asking import LEAD

TAG = "<script>alert(1)</script>\"'><img src=x>"


@pytest.fixture
def lin(cast: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(cast.lin)
    return client


@pytest.fixture
def lead(cast: SimpleNamespace) -> Lead:
    return Lead.objects.create(office=cast.offices.HW, owner=cast.lin, **LEAD)


def test_a_form_sent_twice(lin: Client) -> None:
    form = LEAD | {"idempotency_key": "form-1"}
    first, again = lin.post("/leads/create/", form), lin.post("/leads/create/", form)
    assert (first.status_code, again.status_code) == (302, 302)
    assert first["Location"] == again["Location"]
    assert Lead.objects.count() == 1


def test_a_key_with_another_form(lin: Client) -> None:
    lin.post("/leads/create/", LEAD | {"idempotency_key": "form-1"})
    refused = lin.post("/leads/create/", LEAD | {"name": "别家", "idempotency_key": "form-1"})
    assert refused.status_code == 409
    assert Lead.objects.count() == 1


def test_a_refused_form_may_be_sent_again(lin: Client, lead: Lead) -> None:
    """Corrected, with the key it was opened with."""
    refused = lin.post(f"/leads/{lead.pk}/lose/", {"reason": " ", "idempotency_key": "form-1"})
    assert refused.status_code == 400
    assert b'value="form-1"' in refused.content
    sent = lin.post(f"/leads/{lead.pk}/lose/", {"reason": "不借了", "idempotency_key": "form-1"})
    assert sent.status_code == 302


@pytest.mark.parametrize("key", ["x" * 201, "a\x00b"])
def test_a_key_that_is_none(lin: Client, key: str) -> None:
    assert lin.post("/leads/create/", LEAD | {"idempotency_key": key}).status_code == 400
    assert Lead.objects.count() == 0


def test_a_stale_form_says_so(lin: Client, lead: Lead) -> None:
    """What was typed stays in the form; nothing is lost on either side."""
    refused = lin.post(f"/leads/{lead.pk}/update/", LEAD | {"note": "乙", "version": str(lead.version + 1)})
    assert refused.status_code == 412
    assert "乙" in refused.content.decode()
    assert Lead.objects.get().note == ""


@pytest.mark.parametrize("version", ["²", "x", "9" * 5000, "-1", ""])
def test_a_version_that_is_none(lin: Client, lead: Lead, version: str) -> None:
    """Counts as not sent."""
    assert lin.post(f"/leads/{lead.pk}/contact/", {"version": version}).status_code == 302


@pytest.mark.parametrize(
    "path", ["/leads/create/", "/i18n/setlang/", "/attachments/", "/accounts/sign-out-everywhere/"]
)
def test_a_form_from_elsewhere(cast: SimpleNamespace, path: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.lin)
    assert client.post(path, LEAD).status_code == 403
    assert Lead.objects.count() == 0


def test_the_api_asks_the_same_of_a_session(cast: SimpleNamespace) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(cast.lin)
    refused = client.post("/api/v1/leads/", LEAD, content_type="application/json")
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    assert Lead.objects.count() == 0


@pytest.mark.parametrize(
    "there",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
        "\\\\e",
    ],
)
def test_a_form_never_leads_away(lin: Client, lead: Lead, there: str) -> None:
    shown = lin.get(f"/leads/{lead.pk}/contact/", {"next": there}).content.decode()
    assert not re.search(r'(?:href|action)="(?:javascript:|https?:|//|/\\)', shown)
    sent = lin.post(f"/leads/{lead.pk}/contact/", {"next": there})
    assert sent["Location"] == f"/leads/{lead.pk}/"
    assert "Set-Cookie: a" not in str(sent.headers)


def test_a_form_leads_back_to_where_it_was_opened(lin: Client, lead: Lead) -> None:
    sent = lin.post(f"/leads/{lead.pk}/contact/", {"next": "/leads/?state=new"})
    assert sent["Location"] == "/leads/?state=new"


def test_the_language_is_switched_and_kept(lin: Client) -> None:
    for code, word in (("en", "Leads"), ("zh-hans", "线索")):
        switched = lin.post("/i18n/setlang/", {"language": code, "next": "/leads/"})
        assert switched["Location"] == "/leads/"
        page = lin.get("/leads/")
        assert word in page.content.decode()
        assert f'lang="{ {"en": "en", "zh-hans": "zh-Hans"}[code] }"' in page.content.decode()
    away = lin.post("/i18n/setlang/", {"language": "en", "next": "https://evil.example/"})
    assert "evil" not in away["Location"]


ADDRESSES = [
    "per_page=0",
    "per_page=-1",
    "per_page=9999999",
    "page=-1",
    "page=99999999",
    "page=x",
    "sort=nothing",
    "sort=-nothing",
    "sort=name,-state",
    "sort=",
    "state=nope",
    "q=%00",
]


@pytest.mark.parametrize("query", ADDRESSES)
def test_a_lists_address_may_be_anything(lin: Client, lead: Lead, query: str) -> None:
    assert lin.get(f"/leads/?{query}").status_code == 200
    assert lin.get(f"/leads/export.csv?{query}").status_code == 200


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@x", "＝1+1", "\t=1", "＋1"])
def test_exports_hold_no_formulas(lin: Client, lead: Lead, cell: str) -> None:
    Lead.objects.update(name=cell)
    rows = list(csv.reader(io.StringIO(b"".join(lin.get("/leads/export.csv")).decode("utf-8-sig"))))
    assert rows[1][0] == f"'{cell}"
    sheet = load_workbook(BytesIO(b"".join(lin.get("/leads/export.xlsx")))).active
    assert sheet is not None
    assert sheet["A2"].value == f"'{cell}"
    assert sheet["A2"].data_type == "s"


def test_a_workbook_is_made_of_any_name(lin: Client, lead: Lead) -> None:
    """A control character in a name does not keep everybody from the export."""
    Lead.objects.update(name="五金\x0b店")
    sheet = load_workbook(BytesIO(b"".join(lin.get("/leads/export.xlsx")))).active
    assert sheet is not None
    assert sheet["A2"].value == "五金店"


def test_what_was_typed_in_a_search_is_text(lin: Client, lead: Lead) -> None:
    for path in ("/leads/", "/search/"):
        assert "<script>alert" not in lin.get(path, {"q": TAG}).content.decode()
    assert Event.objects.count() == 0
