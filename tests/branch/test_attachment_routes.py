"""Uploading, listing and downloading over the API and on pages."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from knox.models import AuthToken

from branch.models import Attachment, Event
from customers.models import Customer

PDF = b"%PDF-1.7\n1 0 obj\n"
API = "/api/v1/attachments/"


@pytest.fixture(autouse=True)
def files_dir(settings, tmp_path):
    settings.FILES_DIR = str(tmp_path)


@pytest.fixture
def customer(cast) -> Customer:
    return Customer.objects.create(
        office=cast.offices.HW, owner=cast.lin, kind="company", name="鑫达五金", contact_name="陈"
    )


def client_of(user) -> Client:
    _token, secret = AuthToken.objects.create(user=user)
    return Client(headers={"Authorization": f"Token {secret}"})


def browser_of(user) -> Client:
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def form(customer, **changes) -> dict:
    file = SimpleUploadedFile("营业执照.pdf", PDF)
    facts = {
        "subject_type": "customer",
        "subject_id": customer.pk,
        "kind": first_kind(),
        "title": "营业执照",
        "file": file,
    }
    return {name: value for name, value in (facts | changes).items() if value is not None}


def first_kind() -> str:
    """A kind the customer noun takes, whatever it calls them."""
    from branch.web.noun import noun_of

    noun = noun_of(Customer())
    return noun.attachment_kinds[0][0] if noun and noun.attachment_kinds else "licence"


def test_a_document_goes_up_is_listed_and_comes_down(cast, customer) -> None:
    lin = client_of(cast.lin)
    created = lin.post(API, form(customer))

    assert created.status_code == 201, created.content
    facts = created.json()
    assert (facts["media_type"], facts["size_bytes"], facts["title"]) == ("application/pdf", len(PDF), "营业执照")
    assert "storage_name" not in facts
    listed = lin.get(API, {"subject_type": "customer", "subject_id": customer.pk}).json()["results"]
    assert [row["id"] for row in listed] == [facts["id"]]
    assert lin.get(f"{API}{facts['id']}/content/").getvalue() == PDF


@pytest.mark.parametrize("route", ["/api/v1/attachments/{}/content/", "/attachments/{}/"])
def test_a_download_is_never_shown_or_run_by_the_browser(cast, customer, route) -> None:
    pk = client_of(cast.lin).post(API, form(customer)).json()["id"]

    response = browser_of(cast.feng).get(route.format(pk))

    assert response.status_code == 200
    name = quote("营业执照.pdf")
    assert response["Content-Disposition"] == f"attachment; filename=\"{pk}.pdf\"; filename*=UTF-8''{name}"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert response["Content-Type"] == "application/pdf"
    assert "no-store" in response["Cache-Control"]
    assert Event.objects.filter(name="attachment.download", actor_name="feng").count() == 1


def test_a_title_can_not_break_out_of_the_header(cast, customer) -> None:
    pk = client_of(cast.lin).post(API, form(customer, title='a"; x=\r\nSet-Cookie: y=1 ../../b')).json()["id"]
    header = client_of(cast.lin).get(f"{API}{pk}/content/")["Content-Disposition"]
    assert header.startswith(f'attachment; filename="{pk}.pdf"; filename*=UTF-8')
    assert not any(breaking in header.partition("UTF-8")[2] for breaking in ("\r", "\n", "/", '"', ";"))


def test_others_learn_nothing_of_it(cast, customer) -> None:
    pk = client_of(cast.lin).post(API, form(customer)).json()["id"]
    before = (Attachment.objects.count(), Event.objects.count())
    outsider = client_of(cast.outsider)

    there, nowhere = outsider.get(f"{API}{pk}/content/"), outsider.get(f"{API}999999/content/")
    assert there.status_code == nowhere.status_code == 404
    assert there.json() == nowhere.json()
    query = {"subject_type": "customer", "subject_id": customer.pk}
    assert outsider.get(API, query).status_code == 404
    assert outsider.post(API, form(customer)).status_code == 404
    assert client_of(cast.feng).post(API, form(customer)).status_code == 403
    assert Client().get(f"{API}{pk}/content/").status_code == 401
    assert Client().get(f"/attachments/{pk}/").status_code == 302
    assert browser_of(cast.outsider).get(f"/attachments/{pk}/").status_code == 404
    assert (Attachment.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"file": None}, 400, "file"),
        ({"title": None}, 400, "title"),
        ({"kind": "no-such-kind"}, 400, "kind"),
        ({"subject_id": "x"}, 400, "subject_id"),
        ({"subject_id": 999999}, 404, None),
        ({"subject_type": "user", "subject_id": 1}, 404, None),
        ({"subject_type": "attachment", "subject_id": 1}, 404, None),
        ({"file": SimpleUploadedFile("x.pdf", b"<svg/>")}, 400, "upload"),
    ],
)
def test_a_bad_upload_is_refused_by_field(cast, customer, changes, status, field) -> None:
    response = client_of(cast.lin).post(API, form(customer, **changes))
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    if field:
        assert field in response.json()["errors"]
    assert not Attachment.objects.exists()


def test_a_request_that_is_too_large_is_a_problem_not_a_crash(cast, customer) -> None:
    big = SimpleUploadedFile("x.pdf", PDF + b"0" * (13 * 1024 * 1024))
    response = client_of(cast.lin).post(API, form(customer, file=big))
    assert response.status_code in (400, 413)
    assert response["Content-Type"] == "application/problem+json"
    assert not Attachment.objects.exists()


def test_the_same_key_attaches_once(cast, customer) -> None:
    lin = client_of(cast.lin)
    one = lin.post(API, form(customer), headers={"Idempotency-Key": "k"})
    two = lin.post(API, form(customer), headers={"Idempotency-Key": "k"})
    assert one.json() == two.json()
    assert Attachment.objects.count() == 1


def test_the_form_on_a_page_attaches_and_goes_back(cast, customer) -> None:
    browser = browser_of(cast.lin)
    posted = form(customer, title="", idempotency_key="k")

    first = browser.post("/attachments/", posted)
    again = browser.post("/attachments/", form(customer, title="", idempotency_key="k"))

    assert (first.status_code, first["Location"]) == (302, f"/customers/{customer.pk}/")
    assert again.status_code == 302
    assert Attachment.objects.get().title == "营业执照"  # the file's own name, without its ending


def test_the_form_says_why_a_file_was_not_taken(cast, customer) -> None:
    response = browser_of(cast.lin).post("/attachments/", form(customer, file=SimpleUploadedFile("x.exe", b"MZ")))
    assert response.status_code == 302
    assert [message.level_tag for message in get_messages(response.wsgi_request)] == ["error"]
    assert not Attachment.objects.exists()


def test_the_form_is_not_for_strangers(cast, customer) -> None:
    assert browser_of(cast.outsider).post("/attachments/", form(customer)).status_code == 404
    assert Client().post("/attachments/", form(customer)).status_code == 302
    assert not Attachment.objects.exists()
