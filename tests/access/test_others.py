"""Routes that are no noun's: what a visitor, somebody without a role, and each role get."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.access.calls import Caller, traces
from tests.access.reach import EVERYBODY, acts_on, reaches
from tests.access.table import ACT, OTHER, READ, SIGNING_IN, Other
from tests.access.test_nouns import addresses, agree, each, lists, pages
from tests.access.world import World

LINES = [(path, line) for path, lines in OTHER.items() for line in lines]


@pytest.fixture(autouse=True)
def everything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readiness is tested by itself; here no worker beats."""
    monkeypatch.setattr("branch.api.health.run_checks", lambda: {"everything": True})


@pytest.mark.parametrize(("path", "line"), LINES, ids=[f"{line.method} /{path}" for path, line in LINES])
def test_route(world: World, caller: Caller, path: str, line: Other) -> None:
    at = f"/{line.sample or path}"
    assert "<" not in at, "the line needs a sample"
    assert caller.undone(None, line.method, at).status == line.visitor
    nobody = world.person("nobody")
    caller.client(nobody)
    assert caller.undone(nobody, line.method, at).status == line.signed_in
    if not line.roles:
        return
    allowed = [grant for grant in EVERYBODY if reaches(line.roles.get(grant[0]), grant[1], "")]
    denied = [grant for grant in EVERYBODY if grant not in allowed]
    wrong = [
        f"{grant}: {status}"
        for grant in allowed
        if caller.client(world.holding(grant))
        and (status := caller.undone(world.holding(grant), line.method, at).status) != line.allowed
    ]
    before = traces()
    wrong += each(
        denied,
        world,
        lambda user: [] if (a := caller(user, line.method, at)).denies and not a.leaks else [f"{a.status}"],
    )
    agree(wrong)
    assert traces() == before


@pytest.mark.parametrize("path", SIGNING_IN)
def test_signing_in(world: World, caller: Caller, path: str) -> None:
    """The pages around signing in, as a visitor and signed in; none of them may break."""
    visitor, signed_in, sample = SIGNING_IN[path]
    at = f"/{sample or path}"
    assert caller.undone(None, "GET", at).status == visitor
    person = world.person("somebody")
    caller.client(person)
    assert caller.undone(person, "GET", at).status == signed_in


@pytest.mark.parametrize("plural", READ)
def test_visitor(world: World, caller: Caller, plural: str) -> None:
    """A visitor is led to the sign-in page, or challenged by the API, everywhere; nothing changes or leaks."""
    thing = world.thing(plural)
    before = traces(thing)
    calls: list[tuple[str, str, dict[str, Any]]]
    calls = [("GET", path, {}) for path in (*pages(plural, thing), *lists(plural))]
    for name, act in acts_on(plural):
        target = world.thing(plural, act.state) if act.on == "item" else None
        page, api, method = addresses(plural, name, act, target)
        body = world.filled(act.body, target)
        calls += [("GET", page, {}), ("POST", page, body), (method, api, body)]
    wrong = []
    for method, path, body in calls:
        answer = caller(None, method, path, body)
        if answer.status != (401 if path.startswith("/api/") else 302) or answer.leaks:
            wrong.append(f"{method} {path}: {answer.status}")
    agree(wrong)
    assert traces(thing) == before or plural in {of for of, _name in ACT}


def test_metrics_are_for_this_machine(world: World) -> None:
    """Not for other addresses, whatever a proxy or a client says."""
    assert Client(REMOTE_ADDR="203.0.113.9").get("/metrics").status_code == 404
    assert Client(headers={"X-Forwarded-For": "203.0.113.9"}).get("/metrics").status_code == 404
    assert (
        Client(REMOTE_ADDR="203.0.113.9", headers={"X-Forwarded-For": "127.0.0.1"}).get("/metrics").status_code == 404
    )
