"""The record is tested as the two roles it is kept with: the owner tampers, the application may not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import environ
import pytest
from django.db import connection
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.models import BusinessDay, Office
from branch.queries.seals import head_as_data
from branch.services.events import record
from branch.services.seals import export_head, seal_day
from tests.cast import OPENING


@contextmanager
def as_app_role() -> Iterator[None]:
    """Everything inside goes to the test database as the application's own role."""
    url = environ.Env().db_url("DATABASE_URL")
    kept = connection.settings_dict
    connection.close()
    connection.settings_dict = kept | {"USER": url["USER"], "PASSWORD": url["PASSWORD"]}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = kept


def sql(statement: str, *params: Any) -> int:
    """Run a statement as the tables' owner, as somebody with the database in hand would; rows touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.rowcount


def write_events(office: Office, count: int) -> list[int]:
    return [
        record("office.tested", office, actor=system_actor(), after={"n": n, "amount": "1.10"}).pk for n in range(count)
    ]


def close_today() -> date:
    """End the open day the short way and open the next; the day that ended."""
    today = BusinessDay.objects.exclude(state=BusinessDay.State.CLOSED).get()
    today.state, today.closed_at = BusinessDay.State.CLOSED, timezone.now()
    today.save()
    BusinessDay.objects.create(date=today.date + timedelta(days=1))
    return today.date


@pytest.fixture
def sealed(cast: SimpleNamespace) -> SimpleNamespace:
    """Three closed and sealed days of four events each, and two events on the open day."""
    days: dict[date, list[int]] = {}
    for _ in range(3):
        ids = write_events(cast.offices.CD, 4)
        day = close_today()
        seal_day(day)
        days[day] = ids
    return SimpleNamespace(
        days=days, first=OPENING, last=OPENING + timedelta(days=2), open_ids=write_events(cast.offices.CD, 2)
    )


@pytest.fixture
def head_file(tmp_path: Any) -> Callable[[], str]:
    """Write the head down outside, as an operator would; the file's path."""

    def write() -> str:
        path = tmp_path / "head.json"
        path.write_text(json.dumps(head_as_data(export_head())))
        return str(path)

    return write
