"""A database of its own for measuring, made by the owner and removed afterwards; nothing of a bank is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import environ
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
    creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        creation.destroy_test_db(given["NAME"], verbosity=0)
        connection.close()
        connection.settings_dict = given
