"""A list before a browser: its file sent, a customer found on it, the hit proposed and cleared by a second person."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.utils import translation
from playwright.sync_api import Page, expect

from branch.models import User
from branch.queries.actors import actor_for
from customers.models import RecordImport, ScreeningHit
from customers.services import imports, watchlists
from customers.tasks import screen_book
from tests.browser.person import DESKTOP, PHONE, Stage
from tests.customers.making import make_customer, resident_id_of

FILE = "姓名,身份证号,案号,原因\n梅林五金制品厂有限公司1,,（2025）浙0212执1号,未履行\n林美玉,{number},案2,未履行\n"


@pytest.mark.parametrize(("width", "language"), [(DESKTOP, "zh-CN"), (PHONE, "en")])
def test_a_list_comes_in_and_two_people_settle_a_hit(stage: Stage, width: dict[str, int], language: str) -> None:
    stage.viewport, stage.language = width, language
    lin = actor_for(User.objects.get(username="lin"))
    customer = make_customer(lin)
    zhou = actor_for(User.objects.get(username="zhou"))
    watchlist = watchlists.create_watchlist(actor=zhou, code="court", name="失信名单", kind="dishonest_debtor")
    content = FILE.format(number=resident_id_of(1)).encode()
    sent = watchlists.send_list(actor=zhou, watchlist_id=watchlist.pk, file=content)

    keeper = stage("zhou")
    page = keeper.open(f"/record-imports/{sent.pk}/")
    expect(page.locator("#import-result")).to_contain_text("***")
    shot(page, "watchlist-import", width)
    page.locator("form.action-form button[type=submit]").click()
    expect(page.locator("#import-progress")).to_be_visible()
    imports.run_import(sent.pk)
    assert RecordImport.objects.get(pk=sent.pk).state == "done"
    screen_book(only_if_due=False)
    for path, name in ((f"/watchlists/{watchlist.pk}/", "watchlist"), ("/watchlist-entries/", "entries")):
        shot(keeper.open(path), name, width)
    hit = ScreeningHit.objects.filter(customer=customer).latest("score")

    reviewer = stage("sun")
    shot(reviewer.open("/screening-hits/"), "hits", width)
    page = reviewer.open(f"/screening-hits/{hit.pk}/")
    with translation.override("zh-hans" if language == "zh-CN" else language):
        expect(page.locator("main")).to_contain_text(translation.gettext("Side by side"))
    shot(page, "hit", width)
    reviewer.press("propose", outcome="clear", reason="不是同一家")
    second = stage("he")
    second.open(f"/screening-hits/{hit.pk}/")
    second.press("clear", reason="同意")
    hit.refresh_from_db()
    assert hit.state == "cleared"

    owner = stage("lin")
    page = owner.open(f"/screening-hits/{hit.pk}/")
    expect(page.locator("main")).not_to_contain_text("未履行")
    shot(page, "hit-of-the-owner", width)
    shot(owner.open(f"/customers/{customer.pk}/"), "customer", width)
    assert not stage.faults()


def shot(page: Page, name: str, width: dict[str, int]) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"{name}-{width['width']}.png", full_page=True)
