"""Asking too often is answered with when to come back, and costs nobody else anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import caches
from django.test import override_settings
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from tests.api.asking import LEAD, LEADS, assert_problem
from tests.api.conftest import Api

RATES = {"anon": "2/min", "user": "3/min", "sign-in": "2/min"}
MEMORY = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "throttling"}}


@pytest.fixture(autouse=True)
def unlimited() -> None:
    """Not here."""


@pytest.fixture(autouse=True)
def tight(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", RATES)
    with override_settings(CACHES=MEMORY):
        caches["default"].clear()
        yield


def assert_told_to_wait(response: Any) -> None:
    assert_problem(response, 429, "throttled")
    assert 1 <= int(response["Retry-After"]) <= 61


def test_a_person(api: Api) -> None:
    lin, zhao = api("lin"), api("zhao")
    assert [lin.get(LEADS).status_code for _ in range(3)] == [200] * 3
    assert_told_to_wait(lin.get(LEADS))
    refused = lin.post(LEADS, LEAD, format="json", headers={"Idempotency-Key": "k"})
    assert_told_to_wait(refused)
    assert zhao.get("/api/v1/me/").status_code == 200


@pytest.mark.parametrize(("path", "status"), [("/api/v1/me/", 401)])
def test_a_visitor(db: None, path: str, status: int) -> None:
    """A visitor is told to sign in before anything is counted."""
    answers = [APIClient().get(path) for _ in range(5)]
    assert {answer.status_code for answer in answers} <= {status, 429}


def test_signing_in(cast: Any) -> None:
    given = {"username": "lin", "password": "demo"}
    visitor = APIClient()
    assert [visitor.post("/api/v1/auth/token/", given, format="json").status_code for _ in range(2)] == [200] * 2
    assert_told_to_wait(visitor.post("/api/v1/auth/token/", given, format="json"))
