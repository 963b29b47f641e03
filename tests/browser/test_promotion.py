"""A campaign at work: an account manager makes it and a link, a visitor asks on a phone, the lead is seen and won."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from branch.queries.business_date import business_date
from customers.models import Campaign, Lead, LeadVisit, ReferralLink
from tests.browser.person import DESKTOP, PHONE, Stage, id_in
from tests.customers.test_campaigns import PNG

pytestmark = pytest.mark.browser


def fits(page: Page) -> None:
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wider <= 0, f"{page.url} is {wider} px wider than the screen"


def ask(browser: Browser, address: str, language: str) -> list[str]:
    """A visitor on a phone fills the page in; what the page complained of."""
    context = browser.new_context(locale=language, viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(address)
    fits(page)
    # Both languages: there and back.
    shown = page.locator("h1").inner_text()
    page.locator("button[name=language]").click()
    expect(page.locator("h1")).not_to_have_text(shown)
    page.locator("button[name=language]").click()
    expect(page.locator("h1")).to_have_text(shown)
    # Nothing is sent without consent, and what was typed is still there.
    page.fill("[name=name]", "永泰塑料厂")
    page.fill("[name=contact_name]", "李")
    page.fill("[name=phone]", "136 0000 0001")
    page.fill("[name=wanted_amount]", "300,000")
    page.click("main button[type=submit]")
    expect(page.locator(".notice-error")).to_be_visible()
    expect(page.locator("[name=phone]")).to_have_value("136 0000 0001")
    fits(page)
    page.check("[name=has_consented]")
    page.click("main button[type=submit]")
    expect(page).to_have_url(re.compile("/done/$"))
    fits(page)
    context.close()
    return faults


@pytest.mark.parametrize(("language", "viewport"), [("zh-CN", DESKTOP), ("en", PHONE)], ids=["zh-1440", "en-390"])
def test_from_a_campaign_to_a_qualified_lead(
    stage: Stage, browser: Browser, tmp_path: Path, language: str, viewport: dict[str, int]
) -> None:
    stage.language, stage.viewport = language, viewport
    today = business_date()
    lin = stage("lin")
    page = lin.page

    lin.open("/campaigns/")
    lin.press(
        "create", name="五金城走访周", kind="door_to_door", budget="3,000", target_industries="五金、建材",
        starts_on=str(today), ends_on=str(today + timedelta(days=20)),
    )  # fmt: skip
    campaign = Campaign.objects.get(name="五金城走访周")
    lin.press("launch")
    lin.sees_state("running")
    lin.press("cost", amount="600", note="传单")

    lin.open("/referral-links/")
    where = lin.press(
        "create", title="五金城北门", campaign_id="五金城走访周", expires_on=str(today + timedelta(days=20))
    )
    link = ReferralLink.objects.get(pk=id_in(where))
    code = page.locator(".referral-code img")
    expect(code).to_be_visible()
    assert code.evaluate("image => image.complete && image.naturalWidth > 0")
    lin.open(f"/referral-links/{link.pk}/poster/")

    assert ask(browser, f"{stage.base}/r/{link.token}/", language) == []
    lead = Lead.objects.get(name="永泰塑料厂")
    assert (lead.owner.username, lead.campaign) == ("lin", campaign)

    # It is seen where it is, with the place and a photo, and is then found fit.
    lin.open(f"/leads/{lead.pk}/")
    button = page.locator("[data-offer=visit]").first
    if not button.is_visible():
        page.locator(".page-offers [data-bs-toggle=dropdown]").first.click()
    button.click()
    form = page.locator("main form.action-form")
    photo = tmp_path / "front.png"
    photo.write_bytes(PNG)
    # What is pressed before the page's script is there does nothing.
    page.wait_for_load_state()
    page.locator("[data-locate]").click()
    expect(form.locator("[name=latitude]")).to_have_value("29.882300")
    seen_at = timezone.localtime() - timedelta(minutes=5)
    values: dict[str, Any] = {
        "visited_at": f"{seen_at:%Y-%m-%dT%H:%M}",
        "place": "五金城 B 区 12 号",
        "outcome": "interested",
    }
    lin.fill(form, **values, note="两台注塑机都在转", photo=str(photo), next_action="送资料清单")
    lin.fits()
    with page.expect_navigation():
        form.locator("button[type=submit]").click()
    made = LeadVisit.objects.get()
    assert (made.lead, made.place) == (lead, "五金城 B 区 12 号")

    lin.open(f"/leads/{lead.pk}/")
    lin.sees_state("contacted")
    expect(page.locator("#visits")).to_contain_text("五金城 B 区 12 号")
    lin.press("qualify", wanted_amount="300000", note="有订单")
    lin.sees_state("qualified")

    # The campaign and the funnel show it, and open what they count.
    lin.open(f"/campaigns/{campaign.pk}/")
    expect(page.locator(".kpi-value").nth(2)).to_have_text("1")
    expect(page.locator(".kpi-value").nth(4)).to_have_text("600.00")
    lin.open(f"/funnel/?since=year&campaign={campaign.pk}")
    expect(page.locator(".funnel b").nth(2)).to_have_text("1")
    page.locator(".funnel a").nth(2).click()
    expect(page.locator(f"a[href='/leads/{lead.pk}/']").first).to_be_visible()
    lin.fits()
    assert stage.faults() == []
