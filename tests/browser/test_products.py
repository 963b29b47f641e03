"""A product manager changes an offer with the example beside it, hands it in; another puts it on sale."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import expect

from desk.demo import people
from loans.models import Product, ProductVersion
from loans.services import applications
from tests.browser.person import DESKTOP, PHONE, Stage, id_in
from tests.customers.making import make_customer

SHOTS = Path("var/screenshots")


@pytest.mark.parametrize(
    ("language", "viewport", "save", "same"),
    [
        ("zh-CN", DESKTOP, "起草下一版本", "1 处变更"),
        ("en-US", PHONE, "Draft the next version", "one change"),
    ],
    ids=["zh-1440", "en-390"],
)
def test_a_product_from_draft_to_sale_and_off_it(stage: Stage, language: str, viewport: dict, save: str, same: str):
    stage.language, stage.viewport = language, viewport
    product = Product.objects.get(code="ST")
    first = ProductVersion.objects.get(product=product, state="active")
    zhou = stage("zhou")
    page = zhou.open(f"/product-versions/{first.pk}/revise/")
    example = page.locator("#example")
    expect(example.locator(".quote-head")).to_be_visible()

    # Typing a margin moves the rate and shows one change; so does an offer that can't be made say so at once.
    before = example.locator(".quote-head b").nth(1).inner_text()
    page.fill("[name=margin_bp]", "140")
    expect(example.locator(".quote-head b").nth(1)).not_to_have_text(before)
    expect(example.locator("#changes .card-top")).to_contain_text(same)
    page.fill("[name=overdue_uplift__percent]", "60")
    expect(example.locator(".missing-row")).to_have_count(1)
    page.fill("[name=overdue_uplift__percent]", "40")
    expect(example.locator(".quote-head")).to_be_visible()

    # A field shows where it says something; a fee typed in the last line asks for another.
    expect(page.locator("[data-name=due_day]")).to_be_hidden()
    page.select_option("[name=due_day_rule]", "fixed")
    page.fill("[name=due_day]", "20")
    lines = page.locator(".fee-line").count()
    last = page.locator(".fee-line").nth(lines - 1)
    for part, value in {"name_zh": "手续费", "name_en": "Handling fee", "value": "1"}.items():
        last.locator(f"[name$=__{part}]").fill(value)
    expect(page.locator(".fee-line")).to_have_count(lines + 1)
    expect(example.locator("#changes .card-top")).not_to_contain_text(same)
    zhou.fits()
    page.wait_for_load_state("networkidle")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"product-editor-{language}.png", full_page=viewport is PHONE)

    with page.expect_navigation():
        page.locator(".editor-actions button[type=submit]").click()
    draft = ProductVersion.objects.get(pk=id_in(page.url))
    assert (draft.state, draft.margin_bp, draft.due_day, draft.number) == ("draft", 140, 20, first.number + 1)
    assert draft.fees[-1] == {
        "name_zh": "手续费", "name_en": "Handling fee", "kind": "percent", "value": "0.01", "on": "start",
    }  # fmt: skip
    expect(page.locator("#changes .diff dt")).to_have_count(4)
    zhou.fits()
    page.screenshot(path=SHOTS / f"product-version-{language}.png", full_page=viewport is PHONE)
    zhou.press("submit")

    # Who drafted it can't put it on sale; a second person does, and takes it off again.
    where = f"/product-versions/{draft.pk}/"
    qian = stage("qian")
    qian.open(where)
    qian.press("activate")
    qian.sees_state("active")
    assert ProductVersion.objects.get(pk=first.pk).state == "retired"
    qian.press("retire", reason="换代")
    qian.sees_state("retired")
    assert stage.faults() == []


def test_a_file_takes_what_its_product_leaves_open(stage: Stage):
    """The loan on shop premises lets the customer choose a due day, a principal grace and a plan of their own."""
    stage.viewport = PHONE
    customer = make_customer(people.actor("lin"))
    product = Product.objects.get(code="SE")
    file = applications.draft_application(
        actor=people.actor("lin"), customer_id=customer.pk, product_id=product.pk, amount=Decimal("200000.00"),
        instalments=24, repayment_method="equal_principal", guarantee_mode="mortgage", purpose="购置商铺",
        stated_annual_sales=Decimal("8600000.00"),
    )  # fmt: skip
    lin = stage("lin")
    page = lin.open(f"/applications/{file.pk}/")

    lin.type_in("#filing", due_day="15", principal_grace="3")
    file.refresh_from_db()
    assert (file.due_day, file.principal_grace) == (15, 3)
    lin.type_in("#filing", principal_grace="0", repayment_method="agreed_plan")
    lin.type_in("#filing", plan="2026-12-31 50,000\n2027-06-30 150000.00")
    expect(page.locator("#filing-side .quote-head")).to_be_visible()
    lin.fits()
    page.screenshot(path=SHOTS / "filing-plan.png", full_page=True)

    file.refresh_from_db()
    assert file.plan == [
        {"due_date": "2026-12-31", "principal": "50000.00"}, {"due_date": "2027-06-30", "principal": "150000.00"},
    ]  # fmt: skip
    assert (file.instalments, file.quote["maturity_date"]) == (2, "2027-06-30")
    assert stage.faults() == []


def test_prime_rates_are_imported_on_a_page(stage: Stage, tmp_path: Path):
    stage.viewport = PHONE
    rates = tmp_path / "lpr.csv"
    rates.write_text("date,lpr_1y_pct,lpr_5y_plus_pct\n2025-06-20,3.00,3.50\n2025-05-20,3.10,3.50\n", encoding="utf-8")
    qian = stage("qian")
    page = qian.open("/products/lpr-import/")

    qian.fill(page.locator("form.action-form"), file=str(rates), source="National Interbank Funding Center")
    page.locator("form.action-form button[type=submit]").click()

    expect(page.locator("tr[data-outcome=added]")).to_have_count(1)
    expect(page.locator("tr[data-outcome=refused]")).to_have_count(1)
    qian.fits()
    page.screenshot(path=SHOTS / "lpr-import.png", full_page=True)
    assert stage.faults() == []
