"""Whether this process can do its work: one function per thing it needs, each raising when that is not there."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from branch.tasks import HEARTBEAT_KEY

logger = structlog.get_logger(__name__)
HEARTBEAT_LIMIT_SECONDS = 60
BROKER_TIMEOUT_SECONDS = 2


class Unhealthy(Exception):
    """Something needed is not there; the message is for the log."""


def database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def broker() -> None:
    with current_app.connection_for_write(connect_timeout=BROKER_TIMEOUT_SECONDS) as link:
        link.ensure_connection(max_retries=1, timeout=BROKER_TIMEOUT_SECONDS, errback=None)


def worker() -> None:
    seen = cache.get(HEARTBEAT_KEY)
    if seen is None or time.time() - seen > HEARTBEAT_LIMIT_SECONDS:
        raise Unhealthy(f"no worker was seen for {HEARTBEAT_LIMIT_SECONDS} seconds")


_applied = False


def migrations() -> None:
    """Every migration of this version is applied; once seen, it is so for the life of the process."""
    global _applied
    if _applied:
        return
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        raise Unhealthy(f"{len(waiting)} migrations are not applied")
    _applied = True


CHECKS: dict[str, Callable[[], None]] = {
    "database": database,
    "broker": broker,
    "worker": worker,
    "migrations": migrations,
}


def run_checks() -> dict[str, bool]:
    """Each check by name and whether it passed; why one failed goes to the log, not to whoever asks."""
    return {name: _passes(name, check) for name, check in CHECKS.items()}


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except Exception as error:
        logger.warning("not ready", check=name, error=str(error))
        return False
    return True
