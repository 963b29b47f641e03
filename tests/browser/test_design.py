"""The design language in a real browser: every component at every width, keys, the drawer, what is typed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

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


def kept(page: Page) -> dict[str, str]:
    """What this tab keeps of unsent forms, by form."""
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries(Object.entries({...sessionStorage}).filter(([key]) => key.startsWith('typed:')))"
    )
    return found


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


def test_the_drawer_leaves_the_focus_to_whoever_types(stage: Stage) -> None:
    # Given a slow phone, on which the drawer is still sliding in when its form is there
    stage.viewport = PHONE
    page = stage("lin").open("/leads/")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.click("[data-offer=create]")
    amount = page.locator("#drawer-body [name=wanted_amount]")
    amount.focus()
    # When somebody types over the moment it stands
    amount.press_sequentially("1234567.8", delay=80)
    expect(page.locator("#drawer.show:not(.showing)")).to_be_visible()
    # Then every digit arrived; Escape closes it and gives the focus back
    expect(amount).to_have_value("1,234,567.8")
    expect(amount).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("[data-offer=create]").first).to_be_focused()


def test_at_a_desk_one_types_at_once_and_corrects_money_like_any_text(stage: Stage) -> None:
    page = stage("lin").open("/leads/")
    page.click("[data-offer=create]")
    expect(page.locator("#drawer-body [name=name]")).to_be_focused()
    page.keyboard.type("新店")
    expect(page.locator("#drawer-body [name=name]")).to_have_value("新店")
    amount = page.locator("#drawer-body [name=wanted_amount]")
    for what, typed, keys, left in (
        ("backwards over a comma", "1234567", ["ArrowLeft"] * 3 + ["Backspace"] * 2, "123,567"),
        ("forwards over a comma", "1234567", ["Home", "ArrowRight", "Delete", "Delete"], "134,567"),
        ("wide digits", "１２３４５。６", [], "12,345.6"),
        ("no number is left as typed", "12a", [], "12a"),
    ):
        amount.clear()
        amount.press_sequentially(typed)
        for key in keys:
            amount.press(key)
        expect(amount, what).to_have_value(left)
    # A click beside the fields leaves the drawer its keys
    page.click("#drawer-title")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()


def test_errors_stand_in_the_drawer_and_a_sent_form_is_forgotten(stage: Stage) -> None:
    lin = stage("lin")
    page = lin.open("/leads/")
    page.click("[data-offer=create]")
    page.fill("#drawer-body [name=name]", "新店")
    page.click("#drawer-body button[type=submit]")
    # Refused: the errors stand there, and what was typed is still kept
    expect(page.locator("#drawer-body .error-list a")).to_have_count(1)
    expect(page.locator("#drawer-body [name=name]")).to_have_value("新店")
    assert "新店" in kept(page)["typed:/leads/create/"]
    page.fill("#drawer-body [name=contact_name]", "陈")
    with page.expect_navigation(url=re.compile(r"/leads/\d+/")):
        page.click("#drawer-body button[type=submit]")
    # Accepted: nothing of it comes back
    assert kept(page) == {}
    lin.open("/leads/")
    page.click("[data-offer=create]")
    expect(page.locator("#drawer-body [name=name]")).to_have_value("")
    assert stage.faults() == []


@pytest.mark.parametrize("where", ["/leads/create/", "/leads/"], ids=["on a page", "in the drawer"])
def test_a_session_that_ended_leads_through_signing_in_and_keeps_what_was_typed(stage: Stage, where: str) -> None:
    lin = stage("lin")
    page = lin.open(where)
    if where == "/leads/":
        page.click("[data-offer=create]")
    page.fill(".action-form [name=name]", "还没存的店")
    page.context.clear_cookies(name="sessionid")
    page.click(".action-form button[type=submit]")
    expect(page.locator("input[name=login]")).to_be_visible()
    page.fill("input[name=login]", "lin")
    page.fill("input[name=password]", "demo")
    page.click("button[type=submit].btn-primary")
    expect(page.locator(".page-head")).to_be_visible()
    if where == "/leads/":
        page.click("[data-offer=create]")
    expect(page.locator(".action-form [name=name]")).to_have_value("还没存的店")


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
