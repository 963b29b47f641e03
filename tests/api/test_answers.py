"""Every route is described, and every answer is as described: each list, each thing, each use case."""

from __future__ import annotations

import json
import re

import pytest

from branch.models import User
from branch.web.noun import NOUNS
from tests.access.reach import EVERYBODY, acts_on, may, sees
from tests.access.routes import all_routes
from tests.access.table import ACT, Act
from tests.access.test_nouns import LOOKS, addresses
from tests.access.world import World
from tests.api.conftest import Client, client_of
from tests.api.described import operations


def test_every_route_is_described() -> None:
    """With its methods; the description itself and its page are not operations."""
    routes = {
        (re.sub(r"<\w+>", "{}", f"/{path}"), method.lower())
        for path, methods in all_routes().items()
        if path.startswith("api/v1/") and path not in ("api/v1/schema/", "api/v1/docs/")
        for method in methods
    }
    assert {(re.sub(r"\{\w+\}", "{}", path), method) for path, method, _operation in operations()} == routes


@pytest.mark.parametrize(("plural", "state"), LOOKS)
def test_a_thing_is_as_described(world: World, plural: str, state: str) -> None:
    """In its list, by itself, and its timeline."""
    thing = world.thing(plural, state)
    client = client_as(world.holding(next(grant for grant in EVERYBODY if sees(grant, plural, state))))
    at = f"/api/v1/{plural}/"
    assert thing.pk in [row["id"] for row in client.get(at).json()["results"]]
    assert client.get(f"{at}{thing.pk}/").status_code == 200
    assert client.get(f"{at}{thing.pk}/events/").status_code == 200


@pytest.mark.parametrize(("plural", "name"), sorted(ACT))
def test_what_a_use_case_answers_is_as_described(world: World, plural: str, name: str) -> None:
    for _name, act in (found for found in acts_on(plural) if found[0] == name):
        _carry_out(world, plural, name, act)


def _carry_out(world: World, plural: str, name: str, act: Act) -> None:
    thing = world.thing(plural, act.state) if act.on == "item" else None
    grant = max((grant for grant in EVERYBODY if may(grant, plural, act)), key=lambda grant: grant[1] == "top")
    user = world.holding(grant)
    world.prepare(plural, name, user, grant[0], thing)
    _page, at, method = addresses(plural, name, act, thing)
    body = json.dumps(world.filled(act.body, thing))
    response = client_as(user).generic(method, at, body, content_type="application/json")
    assert response.status_code == act.gives, response.content[:300]


def test_every_noun_is_looked_at() -> None:
    assert {plural for plural, _state in LOOKS} == {noun.plural for noun in NOUNS.values()}


def client_as(user: User) -> Client:
    return client_of(user.username)
