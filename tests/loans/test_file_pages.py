"""The pages and the API of products, applications and investigations: what each shows, to whom, and what it does."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from branch.models import Event, FileDuty, Notification, ParameterValue, User
from branch.services import outbox
from customers.services.records import receive_records
from loans.models import Application, Investigation, LprRate, ProductVersion
from loans.services import applications, investigations
from tests.cast import PEOPLE
from tests.customers.making import make_customer, register_sources
from tests.loans.making import (
    FACTS,
    OFFER,
    TERMS,
    draft_file,
    draft_version,
    investigated_file,
    product_on_sale,
    signed_file,
    submitted_file,
)


@pytest.fixture(autouse=True)
def on_sale(cast, actor):
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))
    return product_on_sale(actor)


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


def deliver_all():
    for pk in outbox.waiting():
        outbox.deliver(pk)


def world():
    return (
        list(Application.objects.order_by("pk").values()),
        list(Investigation.objects.order_by("pk").values()),
        list(ProductVersion.objects.order_by("pk").values()),
        list(FileDuty.objects.order_by("pk").values()),
        Event.objects.count(),
    )


def typed(client, where, version, **values):
    """What the page sends when one field was changed."""
    return client.post(where, {"partial": "1", "version": version} | values, headers={"hx-request": "true"})


def plain(value):
    """A fact as JSON carries it."""
    return str(value) if isinstance(value, Decimal | date) else value


# --- filing --------------------------------------------------------------------------------------------------


def test_a_file_goes_from_draft_to_both_signatures_over_the_api(cast, actor, api):
    customer = make_customer(actor("lin"))
    lin, zhao = api("lin"), api("zhao")

    drafted = lin.post("/api/v1/applications/", {"customer_id": customer.pk}, format="json")
    assert drafted.status_code == 201
    file = drafted.json()
    assert (file["number"], file["state"], file["missing"]) == ("XW-2026-000001", "draft", ["application.purpose"])
    where = f"/api/v1/applications/{file['id']}"

    terms = {name: plain(value) for name, value in TERMS.items()}
    file = lin.patch(f"{where}/", terms, headers={"if-match": drafted["ETag"]}, format="json").json()
    assert (file["amount"], file["missing"]) == ("800000.00", [])
    assert file["quote"]["annual_rate"] == "0.043500"
    assert lin.post(f"{where}/submit/").json()["state"] == "submitted"
    file = lin.post(f"{where}/investigate/").json()
    visit = f"/api/v1/investigations/{file['investigation']}"

    facts = {name: plain(value) for name, value in FACTS.items()}
    found = lin.patch(f"{visit}/", facts, format="json").json()
    assert (found["findings"]["risk_grade"], found["missing"]) == ("B", [])
    assert lin.post(f"{visit}/sign/").json()["state"] == "signed_by_owner"
    assert lin.post(f"{visit}/sign-second/").status_code == 403
    assert zhao.post(f"{visit}/sign-second/").json()["state"] == "signed_by_second"
    assert lin.get(f"{where}/").json()["quote"]["grade"] == "B"


def test_each_keystroke_is_saved_and_priced_anew(actor, visitor):
    application = draft_file(actor, purpose="")
    where = f"/applications/{application.pk}/update/"

    answer = typed(visitor("lin"), where, application.version, amount="500,000")

    page = answer.content.decode()
    assert answer.status_code == 200
    application = Application.objects.get()
    assert (application.amount, application.purpose) == (Decimal("500000.00"), "")
    assert f'id="version" name="version" value="{application.version}"' in page
    assert 'id="filing-side"' in page
    assert re.search(r"Saved \d\d:\d\d", page)
    assert "One thing missing" in page


def test_a_field_that_is_wrong_is_marked_and_the_others_stay(actor, visitor):
    application = draft_file(actor)
    before = world()

    answer = typed(visitor("lin"), f"/applications/{application.pk}/update/", application.version, amount="12x")

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Not saved" in page
    assert 'id="version"' not in page
    assert re.search(r'id="error-amount"[^>]*><div>', page)
    assert world() == before


def test_a_page_that_is_behind_is_told_and_saves_nothing(actor, visitor):
    application = draft_file(actor)
    stale = application.version
    applications.update_application(actor=actor("lin"), application_id=application.pk, purpose="另一窗口")
    before = world()

    answer = typed(visitor("lin"), f"/applications/{application.pk}/update/", stale, purpose="这一窗口")

    assert answer.status_code == 412
    assert "Somebody changed this meanwhile" in answer.content.decode()
    assert world() == before


def test_the_filing_page_shows_what_is_known_what_is_missing_and_the_price(actor, visitor):
    customer = make_customer(actor("lin"), address="")
    months = [f"2025-{m:02d}" for m in range(3, 13)] + ["2026-01", "2026-02"]
    register_sources(tax="税务")
    receive_records(
        actor=actor("lin"),
        customer_id=customer.pk,
        records=[{"metric": "tax_declared", "source": "税务", "period_month": m, "value": 550000} for m in months],
    )
    application = draft_file(actor, customer)

    page = visitor("lin").get(f"/applications/{application.pk}/").content.decode()

    assert "3302 **** " in page
    assert "6222020200012345678" not in page
    assert f"/customers/{customer.pk}/update/?next=/applications/{application.pk}/" in page
    assert "4.35%" in page
    assert "6,600,000.00" in page
    assert "23.3%" in page


def test_only_the_owner_of_a_draft_sees_the_form(actor, visitor):
    application = draft_file(actor)

    assert 'data-autosave="application-' in visitor("lin").get(f"/applications/{application.pk}/").content.decode()
    for name in ("zhao", "sun", "zhou", "feng"):
        page = visitor(name).get(f"/applications/{application.pk}/")
        assert page.status_code == 200
        assert "data-autosave" not in page.content.decode()


def test_who_opens_a_file_and_its_investigation(actor, visitor, api):
    investigation = investigated_file(actor)
    readers = {"lin", "zhao", "sun", "qian", "zhou", "feng"}
    places = (f"applications/{investigation.application_id}", f"investigations/{investigation.pk}")

    for name in PEOPLE:
        for place in places:
            page, row = visitor(name).get(f"/{place}/"), api(name).get(f"/api/v1/{place}/")
            assert (page.status_code == 200) is (name in readers), (name, place)
            assert (row.status_code == 200) is (name in readers), (name, place)
            if name not in readers:
                assert "梅林" not in page.content.decode() + str(row.data)


def test_what_a_person_may_do_is_offered_and_nothing_else(actor, api):
    application = submitted_file(actor)

    def offered(name):
        return set(api(name).get(f"/api/v1/applications/{application.pk}/").json()["allowed_actions"])

    assert "investigate" in offered("lin")
    assert not offered("lin") & {"submit", "update", "accept-offer"}
    assert not offered("zhao") | offered("feng")


def test_a_new_application_starts_from_the_customers_page(on_sale, actor, visitor, api):
    customer = make_customer(actor("lin"))

    answer = visitor("lin").post(f"/customers/{customer.pk}/apply/", {"product_id": on_sale.product_id})

    application = Application.objects.get()
    assert answer["Location"] == f"/applications/{application.pk}/"
    page = visitor("lin").get(f"/customers/{customer.pk}/").content.decode()
    assert application.number in page
    other = api("outsider").post(f"/api/v1/customers/{customer.pk}/apply/", {"product_id": on_sale.product_id})
    assert other.status_code == 404
    assert Application.objects.count() == 1


def test_files_of_others_do_not_show_on_the_customers_page(actor, visitor):
    application = draft_file(actor)

    page = visitor("wu").get(f"/customers/{application.customer_id}/").content.decode()

    assert application.number not in page


# --- investigating -------------------------------------------------------------------------------------------


def test_facts_are_saved_one_by_one_and_findings_follow(actor, visitor):
    application = submitted_file(actor)
    applications.start_investigation(actor=actor("lin"), application_id=application.pk)
    investigation = Investigation.objects.get()
    client, where = visitor("lin"), f"/investigations/{investigation.pk}/update/"

    typed(client, where, investigation.version, repays_on_time="2")
    investigation = Investigation.objects.get()
    page = typed(client, where, investigation.version, taxed_sales="6,622,000").content.decode()

    investigation = Investigation.objects.get()
    assert (investigation.repays_on_time, investigation.taxed_sales) == (2, Decimal("6622000.00"))
    assert investigation.known_in_trade is None
    assert 'id="finding-tax"' in page
    assert "23.0%" in page
    assert 'id="visit-side"' in page


def test_a_rating_is_one_of_three(actor, api):
    investigation = investigated_file(actor)
    before = world()

    answer = api("lin").patch(f"/api/v1/investigations/{investigation.pk}/", {"margin_holds": 5}, format="json")

    assert answer.status_code == 400
    assert "margin_holds" in answer.json()["errors"]
    assert world() == before


def test_the_second_investigator_is_asked_and_the_owner_told(cast, actor):
    investigation = signed_file(actor)
    deliver_all()

    lines = list(Notification.objects.filter(kind__startswith="investigation.").order_by("id"))
    assert [(n.user, n.kind) for n in lines] == [
        (cast.zhao, "investigation.to_sign"),
        (cast.lin, "investigation.signed"),
    ]
    assert {n.url for n in lines} == {f"/investigations/{investigation.pk}/"}
    assert lines[0].params == {"number": "XW-2026-000001"}


def test_signing_from_the_page_and_what_it_then_shows(actor, visitor):
    investigation = investigated_file(actor)

    assert visitor("lin").post(f"/investigations/{investigation.pk}/sign/").status_code == 302
    page = visitor("zhao").get(f"/investigations/{investigation.pk}/").content.decode()
    assert f"/investigations/{investigation.pk}/sign-second/" in page
    assert visitor("zhao").post(f"/investigations/{investigation.pk}/sign-second/").status_code == 302

    assert Investigation.objects.get().state == "signed_by_second"
    page = visitor("sun").get(f"/investigations/{investigation.pk}/").content.decode()
    assert "data-autosave" not in page
    assert "经营稳定" in page
    assert "23.0%" in page


def test_the_list_of_a_second_investigator_counts_what_waits_for_him(actor):
    from loans.nouns.investigations import INVESTIGATION_NOUN

    def waiting(name):
        assert INVESTIGATION_NOUN.open_work is not None
        return INVESTIGATION_NOUN.open_work(INVESTIGATION_NOUN.rows(actor(name)), actor(name))

    investigation = investigated_file(actor)
    assert not waiting("zhao").exists()
    assert waiting("lin").exists()

    investigations.sign_as_owner(actor=actor("lin"), investigation_id=investigation.pk)

    assert waiting("zhao").exists()
    assert not waiting("lin").exists()


# --- products ------------------------------------------------------------------------------------------------


def test_a_version_is_drafted_and_put_on_sale_over_the_api(on_sale, api):
    qian, zhou = api("qian"), api("zhou")
    offer = {name: plain(value) for name, value in OFFER.items()}
    drafted = qian.post(
        "/api/v1/product-versions/", offer | {"product_id": on_sale.product_id, "margin_bp": 60}, format="json"
    )
    assert drafted.status_code == 201
    version = drafted.json()
    assert version["grade_margins_bp"] == {"A": 0, "B": 40, "C": 90}
    assert version["required_documents"] == ["设备购销合同"]
    where = f"/api/v1/product-versions/{version['id']}"

    assert qian.post(f"{where}/submit/").json()["state"] == "submitted"
    refused = qian.post(f"{where}/activate/")
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/separation-of-duties")
    assert zhou.post(f"{where}/activate/").json()["state"] == "active"
    assert qian.get(f"/api/v1/products/{on_sale.product_id}/").json()["active_version"] == version["id"]


def test_a_version_is_edited_on_its_page(on_sale, actor, visitor):
    version = draft_version(actor("qian"), on_sale.product)
    client, where = visitor("qian"), f"/product-versions/{version.pk}/update/"
    form = client.get(where).content.decode()
    assert 'name="grade_margins_bp__B" value="40"' in form
    assert "设备购销合同" in form

    sent = {name: value for name, value in OFFER.items() if not isinstance(value, dict | list)}
    sent |= {"repayment_methods": ["equal_instalment"], "guarantee_modes": ["credit"], "margin_bp": 70}
    sent |= {"grade_margins_bp__A": "0", "grade_margins_bp__B": "30", "required_documents": "合同\n发票\n"}
    sent |= {"guarantee_discounts_bp__mortgage": "", "prepayment_allowed": "on", "penalty_compounds": "on"}
    assert client.post(where, sent).status_code == 302

    version = ProductVersion.objects.get(pk=version.pk)
    assert (version.margin_bp, version.grade_margins_bp) == (70, {"A": 0, "B": 30})
    assert (version.required_documents, version.guarantee_discounts_bp) == (["合同", "发票"], {})
    assert version.repayment_methods == ["equal_instalment"]
    page = client.get(f"/product-versions/{version.pk}/").content.decode()
    assert page.count("changed</span>") == 6


TYPED = {
    "customer_kinds": ["company", "sole_trader"], "size_classes": ["micro"], "risk_grades": ["A", "B"],
    "industries": "五金\n零售\n", "clusters": "JB-HW", "min_amount": "10,000", "max_amount": "3,000,000.00",
    "min_term_days": "1", "max_term_days": "1100", "repayment_methods": ["flat", "agreed_plan", "pay_as_you_use"],
    "frequencies": ["month:1", "month:3"], "day_count": "actual/360", "due_day_rule": "fixed", "due_day": "20",
    "month_end": "roll", "holiday_roll": "following", "interest_follows_holiday": "on", "instalment_rounding": "1.00",
    "max_principal_grace": "3", "max_interest_grace": "1", "guarantee_modes": ["credit", "mortgage"],
    "guarantee_caps__credit__share": "30", "guarantee_caps__credit__max_amount": "500,000",
    "guarantee_caps__mortgage__share": "", "required_documents": "合同", "margin_bp": "70", "repeat_discount_bp": "0",
    "grade_margins_bp__A": "0", "rate_floor__percent": "3.45", "rate_cap__percent": "12", "rate_kind": "floating",
    "repricing": "every_months", "repricing_months": "6", "offer_validity_days": "30",
    "fees__0__name_zh": "手续费", "fees__0__name_en": "Fee", "fees__0__kind": "percent", "fees__0__value": "0.5",
    "fees__0__on": "start", "fees__1__name_zh": "", "fees__1__name_en": "", "fees__1__kind": "fixed",
    "fees__1__value": "", "fees__1__on": "each", "overdue_uplift__percent": "40", "misuse_uplift__percent": "80",
    "grace_days": "3", "allocation_order__0": "interest", "allocation_order__1": "principal",
    "allocation_order__2": "penalty", "allocation_order__3": "fee", "allocation_sequence": "bucket_first",
    "prepayment_allowed": "on", "surplus": "lower_instalment", "payoff_interest": "to_period_end",
}  # fmt: skip


def test_every_field_of_the_page_reaches_the_version(on_sale, visitor):
    client, where = visitor("qian"), f"/product-versions/{on_sale.pk}/revise/"

    answer = client.post(where, TYPED)

    assert answer.status_code == 302
    version = ProductVersion.objects.latest("id")
    assert (version.industries, version.clusters) == (["五金", "零售"], ["JB-HW"])
    assert (version.rate_floor, version.rate_cap) == (Decimal("0.0345"), Decimal("0.12"))
    assert version.guarantee_caps == {"credit": {"share": "0.3", "max_amount": "500000"}}
    assert version.fees == [{"name_zh": "手续费", "name_en": "Fee", "kind": "percent", "value": "0.005", "on": "start"}]
    assert (version.overdue_uplift, version.misuse_uplift, version.penalty_compounds) == (
        Decimal("0.4"), Decimal("0.8"), False,
    )  # fmt: skip
    assert version.allocation_order == ["interest", "principal", "penalty", "fee"]
    assert (version.rate_kind, version.repricing, version.repricing_months) == ("floating", "every_months", 6)
    assert (version.due_day, version.month_end, version.max_principal_grace) == (20, "roll", 3)
    form = client.get(f"/product-versions/{version.pk}/update/").content.decode()
    for shown in (
        'name="rate_floor__percent" value="3.45"',
        'name="guarantee_caps__credit__share" value="30"',
        'name="fees__0__value" value="0.5"',
        'name="fees__1__name_zh"',
        'name="overdue_uplift__percent" value="40"',
    ):
        assert shown in form


def test_what_was_typed_stands_on_the_page_that_refuses_it(on_sale, visitor):
    before = world()
    sent = TYPED | {"rate_cap__percent": "3", "fees__0__value": "half"}

    answer = visitor("qian").post(f"/product-versions/{on_sale.pk}/revise/", sent)

    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'name="rate_cap__percent" value="3"' in page
    assert 'name="fees__0__value" value="half"' in page
    assert world() == before


def test_an_offer_is_tried_on_an_example_before_it_is_saved(on_sale, visitor, api):
    before = world()
    sent = TYPED | {"product_id": on_sale.product_id, "example_amount": "100,000", "example_method": "flat"}

    page = visitor("qian").post("/product-versions/example/", sent, headers={"HX-Request": "true"})

    html = page.content.decode()
    assert page.status_code == 200
    assert "LPR" in html
    # A due day on the 20th makes twelve instalments longer than a year: 3.50 % over five years + 0.70 %.
    assert "4.20%" in html
    assert "<ins>" in html
    asked = {"product_id": on_sale.product_id, "margin_bp": 100, "example_amount": "100000.00", "example_grade": "B"}
    answer = api("qian").post("/api/v1/product-versions/example/", asked, format="json")
    assert answer.status_code == 200
    assert answer.json()["changed"] == ["margin_bp"]
    # 3.00 % + 1.00 % + 0.40 % of the grade.
    assert answer.json()["quote"]["annual_rate"] == "0.044000"
    assert len(answer.json()["quote"]["rows"]) == 12
    refused = api("qian").post("/api/v1/product-versions/example/", asked | {"overdue_uplift": "0.6"}, format="json")
    assert list(refused.json()["errors"]) == ["overdue_uplift"]
    assert api("lin").post("/api/v1/product-versions/example/", asked, format="json").status_code == 403
    assert visitor("lin").post("/product-versions/example/", sent).status_code == 403
    assert world() == before


def test_a_version_is_taken_off_sale(on_sale, api):
    where = f"/api/v1/product-versions/{on_sale.pk}/retire/"

    assert api("lin").post(where, {"reason": "停售"}).status_code == 403
    assert api("qian").post(where, {}).status_code == 400
    assert api("qian").post(where, {"reason": "停售"}).json()["state"] == "retired"


def test_the_next_version_starts_from_the_one_on_sale(on_sale, api, visitor):
    form = visitor("qian").get(f"/product-versions/{on_sale.pk}/revise/").content.decode()
    assert 'value="85"' in form

    answer = api("qian").post(f"/api/v1/product-versions/{on_sale.pk}/revise/", {"margin_bp": 60}, format="json")

    assert answer.status_code == 201
    version = answer.json()
    assert (version["number"], version["state"], version["margin_bp"]) == (2, "draft", 60)
    assert (version["max_amount"], version["prepayment_allowed"]) == ("3000000.00", True)
    assert api("lin").post(f"/api/v1/product-versions/{on_sale.pk}/revise/", {}, format="json").status_code == 403
    assert ProductVersion.objects.count() == 2


@pytest.mark.parametrize("margins", [{"A": 1.5}, {"A": True}, ["A"], {"A": "many"}, {"Z": 1}])
def test_margins_are_whole_numbers_by_grade(on_sale, api, margins):
    offer = {name: plain(value) for name, value in OFFER.items()}
    before = world()

    answer = api("qian").post(
        "/api/v1/product-versions/",
        offer | {"product_id": on_sale.product_id, "grade_margins_bp": margins},
        format="json",
    )

    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == ["grade_margins_bp"]
    assert world() == before


def test_the_prime_rate_is_recorded_once(api):
    row = {"published_date": "2026-02-20", "one_year": "3.00", "five_year": "3.50", "source": "NIFC"}

    assert api("qian").post("/api/v1/products/lpr/", row).json() == {"added": 1, "unchanged": 0}
    assert api("qian").post("/api/v1/products/lpr/", row).json() == {"added": 0, "unchanged": 1}
    assert api("qian").post("/api/v1/products/lpr/", row | {"one_year": "3.10"}).status_code == 400
    assert api("lin").post("/api/v1/products/lpr/", row).status_code == 403
    assert LprRate.objects.count() == 2


def test_prime_rates_come_in_as_a_file_with_a_report_row_by_row(on_sale, api, visitor):
    LprRate.objects.all().delete()
    LprRate.objects.create(published_date=date(2025, 5, 20), one_year=Decimal("3.00"), source="NIFC")
    text = (
        "公布日期,一年期,五年期以上\n2025-04-21,3.10,3.60\n2025-05-20,3.00,\n2025-05-20,3.10,\n2025-06-31,3.00,3.50\n"
    )
    upload = SimpleUploadedFile("lpr.csv", text.encode("gb18030"), "text/csv")

    page = visitor("qian").post("/products/lpr-import/", {"file": upload, "source": "NIFC"}).content.decode()

    assert re.findall(r'data-outcome="(\w+)"', page) == ["added", "unchanged", "refused", "refused"]
    assert list(LprRate.objects.order_by("published_date").values_list("one_year", "five_year", "source")) == [
        (Decimal("3.10"), Decimal("3.60"), "NIFC"), (Decimal("3.00"), None, "NIFC"),
    ]  # fmt: skip
    form = visitor("qian").get("/products/lpr-import/").content.decode()
    assert "2025-04-21" in form
    rows = [{"published_date": "2025-06-20", "one_year": "3.00", "five_year": "3.50", "source": "NIFC"}]
    answer = api("qian").post("/api/v1/products/lpr-import/", {"rows": rows}, format="json").json()
    assert (answer["added"], answer["refused"], answer["rows"][0]["outcome"]) == (1, 0, "added")
    assert api("lin").post("/api/v1/products/lpr-import/", {"rows": rows}, format="json").status_code == 403


@pytest.mark.parametrize(
    "content", ["", "date,rate\n2025-06-20,3.00\n", "PK\x03\x04 no workbook"], ids=["empty", "no heading", "no file"]
)
def test_what_is_no_table_of_prime_rates_adds_nothing(on_sale, visitor, content):
    before = world()
    upload = SimpleUploadedFile("lpr.csv", content.encode(), "text/csv")

    answer = visitor("qian").post("/products/lpr-import/", {"file": upload, "source": "NIFC"})

    assert answer.status_code == 422
    assert world() == before


def test_who_is_told_of_a_version(cast, on_sale, actor, api):
    Notification.objects.all().delete()
    deliver_all()
    Notification.objects.all().delete()
    version = draft_version(actor("qian"), on_sale.product)
    api("qian").post(f"/api/v1/product-versions/{version.pk}/submit/")
    api("zhou").post(f"/api/v1/product-versions/{version.pk}/reject/", {"reason": "上限过高"})
    deliver_all()

    told = list(Notification.objects.order_by("id").values_list("user__username", "kind"))
    assert told == [("zhou", "product_version.to_activate"), ("qian", "product_version.sent_back")]


def test_every_page_of_the_part_opens_in_chinese(on_sale, actor, visitor):
    investigation = investigated_file(actor)
    file, visit = f"/applications/{investigation.application_id}/", f"/investigations/{investigation.pk}/"
    draft = f"/applications/{draft_file(actor, investigation.customer).pk}/"
    version = f"/product-versions/{draft_version(actor('qian'), on_sale.product).pk}/"
    places = {
        "lin": ["/applications/", "/applications/create/", file, draft, f"{draft}update/", f"{draft}submit/"],
        "zhao": ["/investigations/", visit, f"{visit}update/", file],
        "qian": ["/products/", "/products/create/", "/products/lpr/", f"/products/{on_sale.product_id}/"],
        "zhou": ["/product-versions/", "/product-versions/create/", version, visit, file],
    }
    assert visitor("qian").get(f"{version}update/").status_code == 200
    before = world()

    for name, paths in places.items():
        client = visitor(name)
        client.cookies["django_language"] = "zh-hans"
        for path in paths:
            assert client.get(path).status_code == 200, path

    assert world() == before
