"""A world and who asks in it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from django.test import override_settings
from rest_framework.throttling import SimpleRateThrottle

from tests.access.calls import Caller
from tests.access.world import World


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def caller(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Without a limit on how often is asked, and without a log of it."""
    monkeypatch.setattr(logging.getLogger("django_structlog.middlewares.request"), "disabled", True)
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)
    with override_settings(USERSESSIONS_TRACK_ACTIVITY=False):
        yield Caller(world)
