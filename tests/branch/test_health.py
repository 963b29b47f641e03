"""Alive, ready, measured."""

from __future__ import annotations

import time

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from branch import health
from branch.tasks import HEARTBEAT_KEY, heartbeat


@pytest.fixture(autouse=True)
def a_worker_beats(db):
    heartbeat()
    yield
    cache.delete(HEARTBEAT_KEY)


def ready():
    response = Client().get("/readyz/")
    return response.status_code, response.json()["checks"]


def test_alive_asks_nothing_else(monkeypatch, django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        assert Client().get("/healthz/").json() == {"status": "alive"}


def test_ready_when_everything_is_there(db) -> None:
    assert ready() == (200, {"database": "ok", "broker": "ok", "worker": "ok", "migrations": "ok"})


def test_not_ready_without_a_worker(db) -> None:
    cache.set(HEARTBEAT_KEY, time.time() - 61)
    assert ready() == (503, {"database": "ok", "broker": "ok", "worker": "failed", "migrations": "ok"})
    cache.delete(HEARTBEAT_KEY)
    assert ready()[1]["worker"] == "failed"


def test_not_ready_without_the_broker(db, monkeypatch) -> None:
    from celery import current_app

    monkeypatch.setattr(current_app.conf, "broker_write_url", "redis://127.0.0.1:1/0")
    started = time.perf_counter()
    status, checks = ready()
    assert (status, checks["broker"]) == (503, "failed")
    assert time.perf_counter() - started < 10


def test_not_ready_without_the_database(db, monkeypatch) -> None:
    def gone() -> None:
        raise OperationalError("server closed the connection, password=secret")

    monkeypatch.setitem(health.CHECKS, "database", gone)
    response = Client().get("/readyz/")
    assert response.status_code == 503
    assert response.json()["checks"]["database"] == "failed"
    assert b"secret" not in response.content


def test_not_ready_while_migrations_wait(db, monkeypatch) -> None:
    monkeypatch.setattr(health, "_applied", False)
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: [("branch", "0099")])
    assert ready()[1]["migrations"] == "failed"
    assert health._applied is False


@pytest.mark.parametrize(
    ("peer", "forwarded", "status"),
    [
        ("127.0.0.1", "", 200),
        ("::1", "", 200),
        ("10.1.2.3", "", 200),
        ("10.2.0.1", "", 404),
        ("203.0.113.9", "", 404),
        ("127.0.0.1", "203.0.113.9", 404),
        ("127.0.0.1", "10.1.9.9", 200),
        ("203.0.113.9", "127.0.0.1", 404),
        ("127.0.0.1", "nonsense", 404),
        ("", "", 404),
    ],
)
def test_metrics_are_for_allowed_addresses_only(db, settings, peer, forwarded, status) -> None:
    settings.METRICS_ALLOWED = ["127.0.0.1/32", "::1/128", "10.1.0.0/16"]
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    response = Client().get("/metrics", REMOTE_ADDR=peer, headers=headers)
    assert response.status_code == status
    if status == 200:
        assert b"django_http_requests_total" in response.content


def test_health_is_read_only(db) -> None:
    for path in ("/healthz/", "/readyz/", "/metrics"):
        assert Client().post(path).status_code == 405
