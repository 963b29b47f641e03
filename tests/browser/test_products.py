"""A product manager changes an offer with the example beside it, hands it in; another puts it on sale."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from loans.models import Product, ProductVersion
from tests.browser.person import DESKTOP, PHONE, Stage, id_in

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
