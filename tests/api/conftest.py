"""Clients of the API as members of the cast, signed in by token."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from branch.models import User

Api = Callable[[str], APIClient]


@pytest.fixture(autouse=True)
def unlimited(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """How often one may ask is tested by itself."""
    if "throttled" not in request.keywords:
        monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)


def client_of(username: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    _token, secret = AuthToken.objects.create(user=User.objects.get(username=username))
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def api(cast: SimpleNamespace) -> Api:
    return client_of


@pytest.fixture
def lin(api: Api) -> APIClient:
    return api("lin")
