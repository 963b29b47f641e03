"""A branch manager merges a second file, looks at both, and undoes it, in the browser."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from branch.models import User
from branch.queries.actors import actor_for
from customers.models import Customer
from tests.browser.person import Stage
from tests.customers.making import make_customer, resident_id_of


@pytest.mark.parametrize(("width", "language"), [(1440, "zh-CN"), (390, "en")])
def test_a_second_file_is_merged_and_taken_out_again(stage: Stage, width: int, language: str) -> None:
    lin = actor_for(User.objects.get(username="lin"))
    kept = make_customer(
        lin, 1, kind="farm_household", uscc=None, name="陈记农机", phone="", identity_number=resident_id_of(9)
    )
    other = make_customer(lin, 2, kind="sole_trader", name="陈记农机商行", identity_number=resident_id_of(9))
    stage.language = language
    her = stage("zhou")
    her.page.set_viewport_size({"width": width, "height": 900})

    def shot(name: str) -> None:
        if folder := os.environ.get("SHOTS"):
            her.page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)

    page = her.open(f"/customers/{kept.pk}/merge/")
    page.locator("[name=other_id]").select_option(str(other.pk))
    page.locator("[name=reason]").fill("同一老板，看过执照")
    page.locator("button[name=preview]").click()
    expect(page.locator("[data-preview]")).to_contain_text("陈记农机商行")
    her.fits()
    shot("merge")
    assert Customer.objects.get(pk=other.pk).merged_into is None
    page.locator("form.action-form button[type=submit]:not([name])").click()
    expect(page.locator("#files table")).to_contain_text("陈记农机商行")
    her.fits()
    shot("kept")

    page.locator("#files a", has_text="陈记农机商行").click()
    expect(page.locator("#merged")).to_contain_text("同一老板，看过执照")
    her.fits()
    shot("merged")
    page = her.open(f"/customers/{other.pk}/undo-merge/")
    page.locator("[name=reason]").fill("看错了")
    page.locator("form.action-form button[type=submit]").click()
    expect(page.locator("#exposure")).to_be_visible()
    assert Customer.objects.get(pk=other.pk).merged_into is None
    assert not stage.faults()
