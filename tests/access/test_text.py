"""Names that are markup stand on every list and page as what they are: text."""

from __future__ import annotations

import pytest

from tests.access import world as worlds
from tests.access.calls import Caller
from tests.access.table import BM, PM, READ
from tests.access.world import World

TAG = "<script>alert(1)</script>\"'><img src=x>"


@pytest.mark.parametrize("plural", READ)
def test_text_is_text(world: World, caller: Caller, monkeypatch: pytest.MonkeyPatch, plural: str) -> None:
    """What people type is names, titles, purposes and findings; numbers are made by the program."""
    monkeypatch.setattr(worlds, "TYPED", TAG)
    reader = world.person("reader", BM, "HO")
    world.give(reader, PM, "HO")
    thing = world.thing(plural)
    user = world.owner if plural == "notifications" else reader
    for path in (f"/{plural}/", f"/{plural}/{thing.pk}/"):
        page = caller(user, "GET", path)
        assert page.status == 200
        assert "<script>alert" not in page.text
        assert "<img src=x>" not in page.text
