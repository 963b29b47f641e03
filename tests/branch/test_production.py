"""Production starts whole or not at all: each case is a process of its own with its own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from branch.checks import demo_people_found
from branch.models import User

ROOT = Path(settings.BASE_DIR)
WSGI = [sys.executable, "-c", "import config.wsgi; print('started')"]
WORKER = [sys.executable, "-m", "celery", "-A", "config", "worker", "--pool", "solo", "-Q", "never-used"]
BEAT = [sys.executable, "-m", "celery", "-A", "config", "beat", "--schedule", "/dev/null"]
CHECK = [sys.executable, "manage.py", "check", "--database", "default"]
pytestmark = pytest.mark.django_db(transaction=True)


def environment(**changes: str | None) -> dict[str, str]:
    """A production environment on the test database; None takes a variable away."""
    place = connection.settings_dict
    login = f"{quote(place['USER'], safe='')}:{quote(place['PASSWORD'], safe='')}"
    url = f"postgres://{login}@{place['HOST']}:{place['PORT']}/{place['NAME']}"
    whole = {
        "PATH": os.environ["PATH"],
        "XIAOWEI_MODE": "production",
        "SECRET_KEY": "a-secret-key-for-this-test-of-more-than-forty-characters",
        "FIELD_KEYS": "one-field-key",
        "LOOKUP_KEY": "one-lookup-key",
        "ALLOWED_HOSTS": "bank.example",
        "DATABASE_URL": url,
        "REDIS_URL": settings.REDIS_URL,
        "FILES_DIR": "/tmp",
    } | changes
    return {name: value for name, value in whole.items() if value is not None}


def run(command: list[str], **changes: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def a_demo_person() -> Iterator[None]:
    User.objects.create(username="lin", display_name="林", is_demo=True)
    try:
        yield
    finally:
        User.objects.all().delete()


def test_a_whole_environment_starts() -> None:
    assert run(WSGI).stdout == "started\n"
    assert run(CHECK).returncode == 0


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "DATABASE_URL", "REDIS_URL", "ALLOWED_HOSTS"]
)
def test_a_missing_setting_is_named(name) -> None:
    result = run(WSGI, **{name: None})
    assert result.returncode != 0
    assert f"{name} is not set" in result.stderr


def test_a_short_secret_and_an_unknown_mode_are_named() -> None:
    assert "SECRET_KEY is shorter" in run(WSGI, SECRET_KEY="short").stderr
    assert "XIAOWEI_MODE is 'live'" in run(WSGI, XIAOWEI_MODE="live").stderr


@pytest.mark.parametrize("command", [WSGI, WORKER, BEAT, CHECK], ids=["web", "worker", "beat", "check"])
def test_nothing_starts_in_production_where_a_demo_person_is_found(command) -> None:
    with a_demo_person():
        result = run(command)

    assert result.returncode != 0
    assert "started" not in result.stdout
    assert "Demo people exist in this database: lin" in result.stdout + result.stderr


def test_the_same_database_starts_in_demo_mode() -> None:
    with a_demo_person():
        assert run(WSGI, XIAOWEI_MODE="demo").stdout == "started\n"


def test_a_database_before_its_first_migration_is_no_reason_to_refuse(monkeypatch) -> None:
    monkeypatch.setattr(connection.introspection, "table_names", list)
    assert demo_people_found() == []
