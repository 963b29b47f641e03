"""Fixtures every test may use."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, connections

from branch.domain.actor import Actor
from tests import template
from tests.cast import make_cast


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any, django_db_keepdb: bool
) -> None:
    """What pytest-django makes, it copies."""
    test = connection.settings_dict["TEST"]
    with django_db_blocker.unblock():
        if not (django_db_keepdb and template.is_there(test["NAME"])):
            test["TEMPLATE"] = template.made()


@pytest.fixture
def cast(db: None) -> SimpleNamespace:
    return make_cast()


@pytest.fixture
def actor(cast: SimpleNamespace) -> Callable[[str], Actor]:
    return cast.actor


@pytest.fixture(autouse=True)
def served_and_gone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A live server's request ends its connection to the database.

    Otherwise each thread of the server keeps one for as long as the browser keeps its line open, and the test
    database can't be dropped with somebody in it.
    """
    if "live_server" in request.fixturenames:
        monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@pytest.fixture(autouse=True)
def a_provider(settings: Any) -> None:
    """What a feed may ask in tests; nobody does."""
    settings.PROVIDER_ORIGINS = ["https://tax.example"]
