"""A worker keeps its connection to the database from task to task, unless it is no good any more."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from celery.fixups.django import DjangoWorkerFixup  # type: ignore[attr-defined]
from django.db import connection

from branch.models import Office
from branch.tasks import heartbeat
from config.celery import app, close_what_is_old


def backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def between_tasks(transactional_db: None) -> Callable[[], None]:
    """What happens after a task and before the next, as Celery does it in a worker."""
    fixup = DjangoWorkerFixup(app)

    def happen() -> None:
        for _moment in ("after", "before"):
            fixup.close_database()
            close_what_is_old(task=heartbeat)

    return happen


def test_the_next_task_finds_the_same_connection(between_tasks: Callable[[], None]) -> None:
    before = backend()
    between_tasks()
    assert backend() == before


def test_a_connection_past_its_age_is_made_anew(between_tasks: Callable[[], None]) -> None:
    before = backend()
    connection.close_at = 0
    between_tasks()
    assert backend() != before


def test_after_the_database_ended_the_connection_the_next_task_has_another(between_tasks: Callable[[], None]) -> None:
    before = backend()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [before])
    other.close()
    between_tasks()
    assert Office.objects.count() == 0
    assert backend() != before
