"""Documents with a last day: noted on the way in, corrected on the record, shown with the customer, missed in time."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from branch.domain.actor import Actor
from branch.domain.documents import Standing, standing_of
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.models import Attachment, Event
from branch.queries.business_date import business_date
from branch.queries.documents import document_rule
from branch.queries.one_look import one_look
from branch.services.attachments import attach, correct_document
from branch.web.panels import Panel
from customers.models import Customer
from customers.nouns.documents import documents as documents_panel
from customers.nouns.documents import gap_sentences
from customers.queries.documents import wanted_of, with_documents_due
from desk.queries.my_day import my_day
from tests.customers.making import make_customer
from tests.life import PDF, Life, set_up_branch

TODAY = date(2026, 3, 2)


@pytest.fixture(autouse=True)
def files_dir(settings, tmp_path):
    settings.FILES_DIR = str(tmp_path)


@pytest.fixture
def customer(cast) -> Customer:
    return make_customer(cast.actor("lin"))


def add(cast, subject, kind="licence", expires_on=None, title="营业执照", who="lin") -> Attachment:
    return attach(actor=cast.actor(who), subject=subject, kind=kind, title=title, upload=PDF, expires_on=expires_on)


def documents(customer: Customer, actor: Actor) -> Panel:
    panel = documents_panel(customer, actor)
    assert panel is not None
    return panel


def in_days(days: int) -> date:
    return business_date() + timedelta(days=days)


@pytest.mark.parametrize(
    ("expires_on", "standing"),
    [
        (None, Standing.UNDATED),
        (date(2026, 3, 1), Standing.EXPIRED),
        (date(2026, 3, 2), Standing.SOON),
        (date(2026, 4, 1), Standing.SOON),
        (date(2026, 4, 2), Standing.VALID),
    ],
)
def test_a_document_holds_on_its_last_day(expires_on, standing):
    assert standing_of(expires_on, TODAY, 30) == standing


def test_the_last_day_is_corrected_and_the_former_one_stays_on_record(cast, customer):
    document = add(cast, customer, expires_on=date(2026, 5, 1))
    assert Event.objects.get(name="attachment.add").after["expires_on"] == "2026-05-01"

    correct_document(actor=cast.actor("lin"), attachment_id=document.pk, expires_on=date(2027, 5, 1), reason="看错年份")

    event = Event.objects.get(name="attachment.correct")
    assert (event.before, event.after["expires_on"]) == ({"expires_on": "2026-05-01"}, "2027-05-01")
    assert (event.reason, event.subject_type, event.subject_id) == ("看错年份", "customer", str(customer.pk))
    document.refresh_from_db()
    assert document.expires_on == date(2027, 5, 1)


@pytest.mark.parametrize(
    ("who", "refusal"), [("feng", PermissionRefused), ("outsider", NotFound)], ids=["reads only", "another branch"]
)
def test_who_may_not_add_may_not_correct(cast, customer, who, refusal):
    document = add(cast, customer, expires_on=date(2026, 5, 1))
    with pytest.raises(refusal):
        correct_document(actor=cast.actor(who), attachment_id=document.pk, expires_on=None, reason="试")
    document.refresh_from_db()
    assert document.expires_on == date(2026, 5, 1)
    assert not Event.objects.filter(name="attachment.correct").exists()


@pytest.mark.parametrize("day", [date(1989, 12, 31), date(2100, 1, 1)])
def test_a_day_no_paper_ends_on_is_refused(cast, customer, day):
    with pytest.raises(InvalidInput) as refused:
        add(cast, customer, expires_on=day)
    assert set(refused.value.fields) == {"expires_on"}
    assert not Attachment.objects.exists()


def test_what_holds_longest_counts_and_a_household_needs_no_licence(cast, customer):
    def standings() -> dict[str, Standing | None]:
        return {wanted.kind: wanted.standing for wanted in wanted_of(customer, document_rule())}

    assert standings() == {"licence": None, "identity": None}
    add(cast, customer)
    assert standings()["licence"] == Standing.UNDATED
    add(cast, customer, expires_on=in_days(-1))
    assert standings()["licence"] == Standing.EXPIRED
    add(cast, customer, expires_on=in_days(10))
    assert standings()["licence"] == Standing.SOON
    add(cast, customer, expires_on=in_days(400))
    assert standings() == {"licence": Standing.VALID, "identity": None}
    customer.kind = "farm_household"
    assert standings() == {"identity": None}


def test_the_page_lists_every_file_the_reader_may_see_in_as_many_queries(cast, client, customer):
    add(cast, customer, expires_on=in_days(-3))
    with one_look(), CaptureQueriesContext(connection) as few:
        documents(customer, cast.actor("lin"))
    for number in range(5):
        add(cast, customer, kind="document", title=f"租约{number}", expires_on=in_days(40 * number))
    customer = Customer.objects.select_related("office").get(pk=customer.pk)
    with one_look(), CaptureQueriesContext(connection) as many:
        panel = documents(customer, cast.actor("lin"))
    assert len(many) == len(few) == 9, (
        "roles and their reader, files, rule, kinds of things, counts, required kinds, rows"
    )
    assert [row["document"].title for row in panel.context["rows"]][-1] == "营业执照"
    assert panel.context["total"] == 6

    client.force_login(cast.lin)
    with translation.override("en"):
        page = client.get(f"/customers/{customer.pk}/", headers={"accept-language": "en"}).content.decode()
    assert "Business licence: expired on" in page
    assert "Identity document: none on file." in page
    assert "Expired 3 days ago" in page
    listed = client.get(f"/documents/?customer_id={customer.pk}&standing=expired").content.decode()
    assert "营业执照" in listed
    assert "租约4" not in listed
    assert client.get(f"/documents/export.csv?customer_id={customer.pk}").status_code == 200


def test_documents_of_a_file_stand_with_the_customer_for_who_sees_the_file(cast):
    set_up_branch(cast)
    life = Life(cast.actor).walk("submit")
    add(cast, life.application, kind="purpose", title="采购合同")

    def titles(who: str) -> list[str]:
        return [row["document"].title for row in documents(life.customer, cast.actor(who)).context["rows"]]

    assert titles("lin") == ["采购合同"]
    assert titles("he") == [], "a post-loan officer sees the customer and not the file"


def test_documents_of_a_lead_go_with_it_to_the_customer(cast):
    life = Life(cast.actor)
    for step in ("capture", "contact", "qualify"):
        getattr(life, step)()
    document = add(cast, life.lead, kind="document", title="名片")
    assert document.customer_id is None
    life.convert()
    document.refresh_from_db()
    assert document.customer_id == life.customer.pk


def test_the_account_manager_is_told_in_time_and_no_longer_than_needed(cast, customer):
    def due() -> list[tuple[str, date]]:
        rows = with_documents_due(Customer.objects.all(), document_rule())
        return [(row.document_kind, row.document_due) for row in rows]

    add(cast, customer, expires_on=in_days(31))
    assert due() == []
    old = add(cast, customer, kind="identity", title="身份证", expires_on=in_days(-300))
    assert due() == [("identity", old.expires_on)]
    (pile,) = [work for work in my_day(cast.actor("lin"), business_date()) if work.code == "documents"]
    assert [(line.name, line.late) for line in pile.lines] == [(customer.name, True)]
    assert "documents" not in {work.code for work in my_day(cast.actor("zhao"), business_date())}

    add(cast, customer, kind="identity", title="身份证", expires_on=in_days(900))
    assert due() == [], "a later one is on file"
    add(cast, customer, kind="document", title="保单", expires_on=in_days(-31))
    assert due() == [], "what is not required is let go after the days of notice"
    add(cast, customer, kind="document", title="保单", expires_on=in_days(-30))
    assert due() == [("document", in_days(-30))]


def test_a_contract_to_be_signed_says_what_is_missing_and_is_signed_all_the_same(cast, client):
    set_up_branch(cast)
    life = Life(cast.actor).walk("generate_contract")
    client.force_login(cast.lin)
    at = f"/contracts/{life.contract.pk}/"
    assert "Identity document: none on file." in client.get(at, headers={"accept-language": "en"}).content.decode()
    assert len(gap_sentences(life.customer)) == 2
    life.sign_contract()
    assert "none on file" not in client.get(at, headers={"accept-language": "en"}).content.decode()


def test_over_page_and_api(cast, client: Client, customer):
    client.force_login(cast.lin)
    facts = {"subject_type": "customer", "subject_id": customer.pk, "kind": "licence", "title": "执照"}

    def sent(day: str) -> None:
        client.post("/attachments/", {**facts, "file": SimpleUploadedFile("a.pdf", PDF), "expires_on": day})

    sent("2026-02-30")
    sent("1900-01-01")
    assert not Attachment.objects.exists()
    sent("2026-12-31")
    document = Attachment.objects.get()
    assert document.expires_on == date(2026, 12, 31)

    answer = client.post(
        "/api/v1/attachments/", {**facts, "file": SimpleUploadedFile("a.pdf", PDF), "expires_on": "2026-03-10"}
    )
    assert (answer.status_code, answer.json()["expires_on"]) == (201, "2026-03-10")
    listed = client.get(f"/api/v1/documents/?customer_id={customer.pk}&standing=soon").json()["results"]
    assert [(row["id"], row["standing"]) for row in listed] == [(answer.json()["id"], "soon")]
    corrected = client.post(
        f"/api/v1/documents/{document.pk}/correct/",
        {"expires_on": None, "reason": "长期有效"},
        content_type="application/json",
    )
    assert (corrected.status_code, corrected.json()["expires_on"]) == (200, None)
    page = client.post(f"/documents/{document.pk}/correct/", {"expires_on": "2027-01-31", "reason": "补录"})
    assert page.status_code == 302
    document.refresh_from_db()
    assert document.expires_on == date(2027, 1, 31)
    assert client.get(f"/documents/{document.pk}/").status_code == 200
