"""One bank for all of these tests, and who asks in it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from rest_framework.throttling import SimpleRateThrottle

from desk.context import Shell
from tests.access.calls import Caller, undone
from tests.access.world import World


@pytest.fixture(scope="package")
def bank(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Made once, in a transaction around all the tests' own; never committed."""
    with django_db_blocker.unblock(), undone():
        yield World()


@pytest.fixture
def world(bank: World, db: None) -> World:
    """The bank as it was made; what a test adds or changes ends with the test."""
    return bank.as_made()


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Without a limit on how often is asked, a log of it, and the places in the frame.

    The frame is half the cost of a page; tests/desk/test_shell.py and test_numbers_in_the_frame look at it.
    """
    monkeypatch.setattr(logging.getLogger("django_structlog.middlewares.request"), "disabled", True)
    for name, nothing in (("_counts", Counter()), ("groups", ()), ("top", []), ("bar", [])):
        monkeypatch.setattr(Shell, name, nothing)
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)
    with override_settings(USERSESSIONS_TRACK_ACTIVITY=False):
        yield Caller(world)
