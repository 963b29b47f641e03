"""The undisturbed life all deaths are compared with, and a world to die in for the tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import setup_databases, teardown_databases

from branch.sandbox_bank.process import BankProcess
from tests.kill import database
from tests.kill.child import Place
from tests.kill.crash import workers
from tests.kill.walk import Record, Undisturbed
from tests.kill.world import Books, World, open_branch
from tests.loans.bank import TOKEN


@pytest.fixture(scope="session")
def test_database(django_db_setup: None, django_db_blocker: Any, django_db_keepdb: bool) -> Iterator[None]:
    """The test database, which pytest-django only makes where a test of the run is marked django_db."""
    with django_db_blocker.unblock():
        is_there = connection.settings_dict["NAME"].startswith("test_")
        made = [] if is_there else setup_databases(0, interactive=False, keepdb=django_db_keepdb)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            teardown_databases(made, 0)


@pytest.fixture(scope="session")
def everything(
    test_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A bank and workers on the test database, which is only used by `world` and `record`."""
    files = tmp_path_factory.mktemp("files")
    with BankProcess(tmp_path_factory.mktemp("bank"), token=TOKEN) as bank:
        settings = {"CORE_BANK_URL": bank.url, "CORE_BANK_TOKEN": TOKEN, "FILES_DIR": str(files)}
        settings["PROVIDER_ORIGINS"] = "https://tax.example"
        with workers(Place(connection.settings_dict["NAME"], settings)) as made:
            yield World(Books(bank), made, files)
    with django_db_blocker.unblock():
        # A database with somebody in it can't be dropped.
        database.wait_until_gone(set())


@pytest.fixture(scope="session")
def record(everything: World, django_db_blocker: Any) -> Record:
    with django_db_blocker.unblock():
        empty = database.keep()
        try:
            open_branch()
            database.align_sequences()
            walk = Undisturbed(everything, empty)
            walk.go()
        finally:
            database.put_back(empty)
    return walk.record


@pytest.fixture(scope="module")
def world(everything: World, record: Record, django_db_blocker: Any) -> Iterator[World]:
    """To be brought to a stage of the record; empty before and after."""
    with django_db_blocker.unblock():
        empty = database.keep()
        try:
            yield everything
        finally:
            database.put_back(empty)
