"""A database of its own for measuring, made by the owner and removed afterwards; nothing of a bank is touched."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import environ
from django.core.management.base import CommandError
from django.db import connection


@contextmanager
def scratch_database() -> Iterator[None]:
    """Everything inside goes to an empty database with all tables, named after this process."""
    env = environ.Env()
    given = connection.settings_dict
    owner = env.db_url("DATABASE_OWNER_URL") if env.str("DATABASE_OWNER_URL", "") else given
    connection.close()
    connection.settings_dict = given | {
        "USER": owner["USER"],
        "PASSWORD": owner["PASSWORD"],
        "TEST": given["TEST"] | {"NAME": f"xiaowei_bench_{os.getpid()}"},
    }
    creation = connection.creation
    _make()
    connection.settings_dict["NAME"] = connection.settings_dict["TEST"]["NAME"]
    try:
        yield
    finally:
        creation.destroy_test_db(given["NAME"], verbosity=0)
        connection.close()
        connection.settings_dict = given


def _make() -> None:
    """In a process of its own: migrations leave a heap behind in which what is measured would find its room."""
    child = os.fork()
    if child == 0:
        try:
            connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        raise CommandError("The database to measure in could not be made.")
