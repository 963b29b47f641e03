"""Clients of the API as members of the cast, signed in by token. Every answer must be as the API describes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from knox.models import AuthToken
from rest_framework.test import APIClient
from rest_framework.throttling import SimpleRateThrottle

from branch.models import User
from tests.access.calls import undone
from tests.access.world import World
from tests.api.described import operation_at, undescribed

Api = Callable[[str], APIClient]


@pytest.fixture(autouse=True)
def unlimited(monkeypatch: pytest.MonkeyPatch) -> None:
    """How often one may ask is tested by itself."""
    monkeypatch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)


class Client(APIClient):
    """Holds each answer against the description of the operation that gave it."""

    def request(self, **kwargs: Any) -> Any:
        response = super().request(**kwargs)
        operation = operation_at(response.wsgi_request.path, kwargs["REQUEST_METHOD"])
        if operation is not None:
            assert undescribed(operation, response) == "", (operation["operationId"], response.content[:500])
        return response


def client_of(username: str) -> Client:
    client = Client(raise_request_exception=False)
    _token, secret = AuthToken.objects.create(user=User.objects.get(username=username))
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
    return client


@pytest.fixture
def api(cast: SimpleNamespace) -> Api:
    return client_of


@pytest.fixture
def lin(api: Api) -> APIClient:
    return api("lin")


@pytest.fixture(scope="module")
def bank(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """One thing of each kind and state, made when first asked for; never committed."""
    with django_db_blocker.unblock(), undone():
        yield World()


@pytest.fixture
def world(bank: World, db: None) -> World:
    return bank.as_made()
