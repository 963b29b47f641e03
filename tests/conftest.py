"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from branch.domain.actor import Actor
from tests.cast import make_cast


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    return make_cast()


@pytest.fixture
def actor(cast: SimpleNamespace) -> Callable[[str], Actor]:
    return cast.actor
