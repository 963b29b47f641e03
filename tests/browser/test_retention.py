"""Erasing before a browser: asked for, forbidden and explained, and done by the branch manager."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from branch.models import User
from branch.queries.actors import actor_for
from customers.models import Customer, ErasureRequest
from customers.services import retention
from tests.browser.person import DESKTOP, PHONE, Stage
from tests.customers.making import make_customer


@pytest.mark.parametrize(("width", "language"), [(DESKTOP, "zh-CN"), (PHONE, "en")])
def test_what_forbids_it_is_explained_and_then_two_people_erase(
    stage: Stage, width: dict[str, int], language: str
) -> None:
    stage.viewport, stage.language = width, language
    lin, he = (actor_for(User.objects.get(username=name)) for name in ("lin", "he"))
    customer = make_customer(lin, kind="sole_trader", name="张记面馆", contact_name="张桂芳")
    retention.hold_customer(actor=he, customer_id=customer.pk, reason="法院调取资料")

    owner = stage("lin")
    page = owner.open(f"/customers/{customer.pk}/")
    owner.press("ask-erasure", channel="counter")
    request = ErasureRequest.objects.get()
    expect(page).to_have_url(f"{owner.base}/erasure-requests/{request.pk}/")
    shot(page, "request", width)
    assert [one["code"] for one in request.obstacles] == ["held"]

    head = stage("zhou")
    page = head.open(f"/customers/{customer.pk}/")
    section = page.locator("#retention")
    section.scroll_into_view_if_needed()
    with translation.override("zh-hans" if language == "zh-CN" else language):
        forbidden, gone = translation.gettext("It can't be erased now"), translation.gettext("Erased on")
    expect(section).to_contain_text(forbidden)
    shot(page, "forbidden", width)
    page.locator("[data-offer='erase']").first.evaluate("button => button.click()")
    drawer = page.locator("#drawer-body")
    expect(drawer).to_contain_text(forbidden)
    shot(page, "forbidden-drawer", width)
    drawer.locator("[name=reason]").fill("本人要求")
    drawer.locator("button[type=submit]").click()
    expect(drawer.locator(".form-errors, .alert, [role=alert]").first).to_be_visible()
    assert Customer.objects.get().erased_on is None

    head.open(f"/customers/{customer.pk}/")
    head.press("lift-hold", reason="已结案")
    head.open(f"/customers/{customer.pk}/")
    head.press("erase", reason="本人要求")
    page = head.open(f"/customers/{customer.pk}/")
    expect(page.locator("#retention")).to_contain_text(gone)
    expect(page.locator("body")).not_to_contain_text("张桂芳")
    expect(page.locator("[data-offer]")).to_have_count(0)
    shot(page, "erased", width)
    assert not stage.faults()


def shot(page: Page, name: str, width: dict[str, int]) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"retention-{name}-{width['width']}.png", full_page=True)
