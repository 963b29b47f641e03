"""A loan accountant at work: the loan page, the repayment desk, a request with its preview, the statement."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import expect

from loans.models import Application, Loan, LoanRequest, Product, Repayment
from loans.queries.loans import due_today
from tests.browser.person import DESKTOP, PHONE, Person, Stage, id_in
from tests.browser.test_calculator import paid_out
from tests.loans.given import move_to

pytestmark = pytest.mark.browser
FIRST_DUE = date(2026, 4, 2)


def preview(person: Person, offer: str, **fields: Any) -> None:
    """Fill in an offered step and ask what it would move, without doing it."""
    page = person.page
    button = page.locator(f"[data-offer='{offer}']").first
    if not button.is_visible():
        page.locator(".page-offers [data-bs-toggle=dropdown]").first.click()
    button.click()
    form = page.locator("#drawer-body form.action-form")
    person.fill(form, **fields)
    form.locator("[name=preview]").click()
    expect(page.locator("#drawer-body [data-movement] .is-moved").first).to_be_visible()
    person.fits()


@pytest.mark.parametrize(
    ("language", "viewport", "paid"),
    [("zh-CN", DESKTOP, "已还"), ("en", PHONE, "Paid")],
    ids=["zh-1440", "en-390"],
)
def test_a_day_at_the_repayment_desk(stage: Stage, language: str, viewport: dict[str, int], paid: str) -> None:
    loan = paid_out()
    move_to(FIRST_DUE)
    due = due_today(loan)
    stage.language, stage.viewport = language, viewport
    he = stage("he")

    # The desk names who owes today, and leads to the loan, drawn and counted.
    page = he.open("/repayments/")
    page.locator(f"a[href='/loans/{loan.pk}/']").first.click()
    expect(page.locator("#schedule canvas")).to_be_visible()
    expect(page.locator(".kpi-value").nth(1)).to_contain_text(f"{due:,.2f}")
    he.fits()

    # What a repayment would move is seen first, then it is booked; the schedule says so.
    preview(he, "repay", amount=str(due), reference="DESK-1")
    assert not Repayment.objects.exists()
    with page.expect_navigation():
        page.locator("#drawer-body form.action-form button[type=submit]:not([name=preview])").click()
    booked = Repayment.objects.get()
    assert (booked.amount, booked.booked_by and booked.booked_by.username) == (due, "he")
    he.open(f"/loans/{loan.pk}/")
    expect(page.locator(".level-good").first).to_contain_text(paid)
    expect(page.locator(f"a[href='/repayments/{booked.pk}/']")).to_be_visible()

    # A longer term is asked for by one and confirmed by another, who sees the old plan beside the new.
    last = loan.instalments.count()
    he.press("request-extension", extra_instalments=2, reason="淡季")
    asked = LoanRequest.objects.get()
    zhou = stage("zhou")
    page = zhou.open(f"/loan-requests/{asked.pk}/")
    expect(page.locator("tr.is-moved").first).to_be_visible()
    zhou.press("confirm")
    zhou.sees_state("confirmed")
    assert Loan.objects.get(pk=loan.pk).instalments.count() == last + 2

    # The statement has all of it, to the cent, on the page and as files.
    page = zhou.open(f"/loans/{loan.pk}/statement/")
    expect(page.locator("tfoot").last).to_contain_text(f"{loan.principal:,.2f}")
    for link in page.locator("a[href*='statement.']").all():
        with page.expect_download() as file:
            link.click()
        assert file.value.path().stat().st_size > 3000
    assert stage.faults() == []
    assert Decimal(0) < Loan.objects.get(pk=loan.pk).outstanding_principal < loan.principal
    assert id_in(page.url) == loan.pk


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", DESKTOP), ("en", PHONE)], ids=["zh-1440", "en-390"])
def test_a_loan_is_renewed_from_its_page(stage: Stage, language: str, viewport: dict[str, int]) -> None:
    loan = paid_out(serial=900)
    stage.language, stage.viewport = language, viewport
    lin = stage("lin")
    lin.open(f"/loans/{loan.pk}/")
    product = Product.objects.get(code="RN")
    where = lin.press(
        "renew", product_id=str(product.pk), instalments=12, lawful_business="证照齐全", going_concern="订单充足"
    )
    file = Application.objects.get(renews=loan)
    assert where == f"/applications/{file.pk}/"
    panel = lin.page.locator(".card", has=lin.page.locator(f"a[href='/loans/{loan.pk}/']")).last
    expect(panel.locator(".missing-row")).to_have_count(5)
    expect(panel.locator(".ink-orange")).to_have_count(0)
    assert file.amount == loan.outstanding_principal
    assert stage.faults() == []
