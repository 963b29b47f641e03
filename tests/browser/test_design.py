"""The design language in a real browser: every component at every width, keys, the drawer, what is typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.person import PHONE, Stage

pytestmark = pytest.mark.browser

WIDTHS = (1440, 1024, 768, 390, 360)


def test_every_component_fits_every_width_in_both_themes(stage: Stage) -> None:
    lin = stage("lin")
    for width in WIDTHS:
        lin.page.set_viewport_size({"width": width, "height": 900})
        lin.open("/styleguide/")
        for _theme in range(2):
            lin.page.evaluate("document.querySelector('[data-theme-switch]').click()")
            lin.fits()
    assert stage.faults() == []


def test_targets_on_a_phone_are_large_enough(stage: Stage) -> None:
    """At least 24 px each way (WCAG 2.5.8), and 44 px for buttons and fields."""
    stage.viewport = PHONE
    page = stage("lin").open("/styleguide/")
    sizes = page.evaluate(
        "selector => [...document.querySelectorAll(selector)].filter(e => e.offsetParent)"
        ".map(e => [e.outerHTML.slice(0, 80), e.offsetHeight])",
        "main .btn, main .form-control, main .form-select, .tab",
    )
    assert len(sizes) > 10
    assert [(what, height) for what, height in sizes if height < 44] == []


def test_the_search_key_and_what_it_finds(stage: Stage) -> None:
    lin = stage("lin")
    lin.open("/leads/")
    lin.press("create", name="梅林五金制品有限公司", contact_name="陈", source="visit")
    lin.page.keyboard.press("Control+k")
    expect(lin.page.locator("#find")).to_be_focused()
    lin.page.keyboard.type("五金")
    lin.page.keyboard.press("Enter")
    expect(lin.page.locator(".work-name", has_text="梅林五金制品有限公司")).to_be_visible()


def test_the_theme_stays(stage: Stage) -> None:
    lin = stage("lin")
    page = lin.open("/")
    before = page.locator("html").get_attribute("data-bs-theme")
    page.click(".topbar [data-theme-switch]")
    after = page.locator("html").get_attribute("data-bs-theme")
    assert {before, after} == {"light", "dark"}
    lin.open("/leads/")
    assert page.locator("html").get_attribute("data-bs-theme") == after


def test_money_is_grouped_as_typed_and_what_was_typed_is_not_lost(stage: Stage) -> None:
    # Given a form in the drawer
    lin = stage("lin")
    page = lin.open("/leads/")
    page.click("[data-offer=create]")
    amount = page.locator("#drawer-body [name=wanted_amount]")
    # When an amount is typed digit by digit, one of them corrected in the middle
    amount.press_sequentially("1234567.8")
    expect(amount).to_have_value("1,234,567.8")
    expect(page.locator("#drawer-body .money-hint").first).to_contain_text("123.46")
    for _step in range(4):
        amount.press("ArrowLeft")
    amount.press("Backspace")
    expect(amount).to_have_value("123,467.8")
    # And the page is left and opened again
    lin.open("/customers/")
    lin.open("/leads/")
    page.click("[data-offer=create]")
    # Then it is still there
    expect(page.locator("#drawer-body [name=wanted_amount]")).to_have_value("123,467.8")


def test_errors_stand_in_the_drawer_and_a_sent_form_is_forgotten(stage: Stage) -> None:
    lin = stage("lin")
    page = lin.open("/leads/")
    page.click("[data-offer=create]")
    page.fill("#drawer-body [name=name]", "新店")
    page.click("#drawer-body button[type=submit]")
    expect(page.locator("#drawer-body .error-list a")).to_have_count(1)
    expect(page.locator("#drawer-body [name=name]")).to_have_value("新店")
    page.fill("#drawer-body [name=contact_name]", "陈")
    with page.expect_navigation(url=re.compile(r"/leads/\d+/")):
        page.click("#drawer-body button[type=submit]")
    lin.open("/leads/")
    page.click("[data-offer=create]")
    expect(page.locator("#drawer-body [name=name]")).to_have_value("")
    assert stage.faults() == []


def test_a_session_that_ended_leads_through_signing_in_and_keeps_what_was_typed(stage: Stage) -> None:
    lin = stage("lin")
    page = lin.open("/leads/create/")
    page.fill("[name=name]", "还没存的店")
    page.context.clear_cookies(name="sessionid")
    page.click("main button[type=submit]")
    expect(page.locator("input[name=login]")).to_be_visible()
    page.fill("input[name=login]", "lin")
    page.fill("input[name=password]", "demo")
    page.click("button[type=submit].btn-primary")
    expect(page.locator("[name=name]")).to_have_value("还没存的店")


def test_a_chart_can_be_read_as_a_table_and_a_number_opens_its_evidence(stage: Stage) -> None:
    page = stage("lin").open("/styleguide/")
    page.click("[data-chart-table=guide-bar]")
    expect(page.locator("#guide-bar-table td").first).to_have_text("Leads")
    expect(page.locator("#guide-bar")).to_be_hidden()
    page.locator(".deviation-row .evidence").first.click()
    expect(page.locator("#drawer-body .formula")).to_be_visible()
    expect(page.locator("#drawer.show:not(.showing)")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert stage.faults() == []


def test_a_hidden_column_stays_hidden(stage: Stage) -> None:
    lin = stage("lin")
    lin.open("/leads/")
    lin.press("create", name="一号店", contact_name="陈", source="visit")

    def shown() -> Any:
        return lin.page.locator(".xw-table thead th:visible").count()

    page = lin.open("/leads/")
    before = shown()
    page.click(".page-offers [data-bs-toggle=dropdown]")
    page.locator("[data-columns] input").first.uncheck()
    assert shown() == before - 1
    lin.open("/leads/")
    assert shown() == before - 1


def test_without_a_connection_it_says_so(stage: Stage) -> None:
    page = stage("lin").open("/leads/")
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
