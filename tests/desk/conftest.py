"""Pages as a signed-in person sees them, and a loan on its way."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.life import Life, set_up_branch
from tests.loans.bank import bank  # noqa: F401 - a fixture


@pytest.fixture(autouse=True, scope="session")
def nouns() -> None:
    """Every page of every noun is known, as it is wherever requests are answered."""
    assert get_resolver().url_patterns


@pytest.fixture
def sits(cast: SimpleNamespace, client: Client) -> Callable[[str], Client]:
    """`sits("lin")` is a browser in which Lin has signed in, reading English."""

    def sit(username: str) -> Client:
        browser = Client()
        browser.cookies["django_language"] = "en"
        browser.force_login(getattr(cast, username))
        return browser

    return sit


@pytest.fixture
def life(cast: SimpleNamespace) -> Callable[..., Life]:
    """`life("decide")` has gone through every step up to and with that one; further serials are further firms."""
    set_up_branch(cast)

    def live(until: str, serial: int = 1, **terms: Any) -> Life:
        one = Life(cast.actor, serial, **terms)
        for step in one.TO_RELEASE[: one.TO_RELEASE.index(until) + 1]:
            getattr(one, step)()
        return one

    return live
