"""The calculator in a real browser: live figures, rows of what happens, old and new side by side, on desk and phone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from branch.models import Office, User
from branch.queries.actors import actor_for
from loans.models import Loan
from tests.browser.person import DESKTOP, PHONE, Stage
from tests.loans.given import paid_out_loan

pytestmark = pytest.mark.browser


def add_row(page: Page, kind: str, **values: str) -> None:
    before = page.locator(".event-row").count()
    page.click("[data-add-row]")
    expect(page.locator(".event-row")).to_have_count(before + 1)
    row = page.locator(".event-row").nth(before)
    expect(row.locator("select")).to_be_focused()
    row.locator("select").select_option(kind)
    for name, value in values.items():
        row.locator(f"[name=event-{name}]").fill(value)


def test_figures_follow_what_is_typed_and_survive_a_reload(stage: Stage) -> None:
    stage.language = "en"
    lin = stage("lin")
    page = lin.open("/calculator/")
    for name, value in {
        "principal": "10000",
        "annual_rate": "12",
        "instalments": "3",
        "start_date": "2026-01-15",
    }.items():
        page.fill(f"[name={name}]", value)
    page.select_option("[name=day_count]", "30/360")
    expect(page.locator("#figures")).to_contain_text("3,400.22")
    expect(page.locator("[name=principal]")).to_have_value("10,000")
    expect(page.locator("#plan-chart canvas")).to_be_visible()
    # A slip: its field says so, the figures stay and say of when they are
    page.fill("[name=instalments]", "0")
    expect(page.locator("#error-instalments")).not_to_be_empty()
    expect(page.locator("#calculator-stale")).to_contain_text("Correct the marked fields")
    expect(page.locator("#figures")).to_contain_text("3,400.22")
    page.fill("[name=instalments]", "6")
    expect(page.locator("#error-instalments")).to_be_empty()
    expect(page.locator("#plan tbody tr")).to_have_count(6)
    # The chart reads as a table too, and the cost of a year opens what it rests on
    page.click("[data-chart-table=plan-chart]")
    expect(page.locator("#plan-chart-table tbody tr")).to_have_count(6)
    page.click(".evidence >> nth=0")
    expect(page.locator("#drawer-body")).to_contain_text("10,000.00")
    page.keyboard.press("Escape")
    # All of it stands in the address
    page.reload()
    expect(page.locator("[name=instalments]")).to_have_value("6")
    expect(page.locator("#plan tbody tr")).to_have_count(6)
    assert stage.faults() == []


def test_what_if_stands_beside_the_old_plan_row_by_row(stage: Stage) -> None:
    stage.language = "en"
    lin = stage("lin")
    page = lin.open("/calculator/")
    page.fill("[name=start_date]", "2026-01-15")
    add_row(page, "repayment", date="2026-04-20", amount="100000")
    expect(page.locator("#calculator-result")).to_contain_text("Interest saved")
    saved = page.locator("#change-facts .kpi-value").first
    by_a_shorter_term = saved.inner_text()
    page.select_option("[name=surplus]", "lower_instalment")
    expect(saved).not_to_have_text(by_a_shorter_term)
    expect(page.locator("#calculator-result")).to_contain_text("as before")
    without_the_change = saved.inner_text()
    add_row(page, "rate_change", date="2026-06-15", annual_rate="8")
    expect(saved).not_to_have_text(without_the_change)
    expect(page.locator("#calculator-result")).to_contain_text("instead of")
    # Each kind of event shows its own field alone
    second = page.locator(".event-row").nth(1)
    expect(second.locator("[name=event-annual_rate]")).to_be_visible()
    expect(second.locator("[name=event-amount]")).to_be_hidden()
    page.locator("[data-remove-row]").nth(1).click()
    expect(page.locator(".event-row")).to_have_count(1)
    expect(saved).to_have_text(without_the_change)
    lin.fits()
    assert stage.faults() == []


def test_it_fits_a_phone_and_both_themes(stage: Stage) -> None:
    stage.viewport = PHONE
    lin = stage("lin")
    page = lin.open("/calculator/")
    add_row(page, "repayment", date="2026-08-20", amount="50000")
    expect(page.locator("#schedule-change")).to_be_visible()
    for _theme in range(2):
        page.evaluate("document.querySelector('[data-theme-switch]').click()")
        lin.fits()
    small = page.evaluate(
        "[...document.querySelectorAll('#calculator :is(.btn, .form-control, .form-select)')]"
        ".filter(e => e.offsetParent && e.offsetHeight < 44).map(e => e.outerHTML.slice(0, 80))"
    )
    assert small == []
    assert stage.faults() == []


def paid_out(**facts: Any) -> Loan:
    """A loan of Lin's, made by the demo branch's own people."""
    people = {user.username: user for user in User.objects.all()}
    offices = SimpleNamespace(**{office.code: office for office in Office.objects.all()})
    cast = SimpleNamespace(**people, offices=offices, actor=lambda name: actor_for(people[name]))
    return paid_out_loan(cast, **facts)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["1440 px, English", "390 px, Chinese"])
def test_what_if_in_the_drawer_of_a_loan(stage: Stage, viewport: dict[str, int]) -> None:
    stage.language, stage.viewport = ("en" if viewport is DESKTOP else "zh-CN"), viewport
    loan = paid_out()
    lin = stage("lin")
    page = lin.open(f"/loans/{loan.pk}/")
    button = page.locator("[data-offer=what-if]")
    if not button.first.is_visible():
        page.locator(".page-offers [data-bs-toggle=dropdown]").first.click()
    button.first.click()
    form = page.locator("#drawer-body form.action-form")
    # What is tried asks for its own fields alone
    expect(form.locator("[name=amount]")).to_be_visible()
    expect(form.locator("[name=annual_rate]")).to_be_hidden()
    form.locator("button[type=submit]").click()
    expect(form.locator(".invalid-feedback").first).to_be_visible()
    form.locator("[name=amount]").fill("50000")
    form.locator("button[type=submit]").click()
    expect(page.locator("#drawer-body #schedule-change")).to_be_visible()
    expect(page.locator("#drawer-body #change-facts .kpi-value").first).not_to_have_text("0.00")
    lin.fits()
    page.locator("#drawer-body [hx-get]").click()
    page.locator("#drawer-body [name=what]").select_option("rate_change")
    expect(page.locator("#drawer-body [name=annual_rate]")).to_be_visible()
    expect(page.locator("#drawer-body [name=amount]")).to_be_hidden()
    assert stage.faults() == []
