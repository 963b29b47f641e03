"""A customer's page before a browser: a relation recorded, drawn and in the table, a number shown with a reason."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from branch.models import User
from branch.queries.actors import actor_for
from customers.services import relations
from tests.browser.person import Stage
from tests.customers.making import make_customer, resident_id_of, uscc_of


@pytest.mark.parametrize("width", [1440, 390])
def test_links_are_drawn_and_a_number_is_shown_with_a_reason(stage: Stage, width: int) -> None:
    lin = actor_for(User.objects.get(username="lin"))
    one, two = make_customer(lin, 1), make_customer(lin, 2)
    person: Any = {"party_kind": "person", "name": "王大海", "identity_number": resident_id_of(7)}
    relations.add_relation(actor=lin, customer_id=one.pk, kind="owner", other=person)
    for is_of_other in (False, True):
        firm: Any = {"party_kind": "firm", "name": "二", "uscc": uscc_of(2)}
        relations.add_relation(actor=lin, customer_id=one.pk, kind="guarantor", other=firm, is_of_other=is_of_other)
    her = stage("lin")
    her.page.set_viewport_size({"width": width, "height": 900})

    page = her.open(f"/customers/{one.pk}/")

    expect(page.locator("#links-drawn canvas")).to_be_visible()
    expect(page.locator("#people table").last).to_contain_text(two.name)
    her.fits()
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=Path(folder) / f"customer-{width}.png", full_page=True)
    page.locator("#people a[href*=reveal]").first.click()
    drawer = page.locator("#drawer-body")
    drawer.locator("[name=reason]").fill("核对")
    drawer.locator("button[type=submit]").click()
    expect(drawer).to_contain_text(resident_id_of(7))
    assert not stage.faults()
