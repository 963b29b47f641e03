"""Every operation of the API's description, with values it describes and values it does not: never a crash.

The values come from the description itself, seeded, so that a run can be repeated.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.access.table import STAFF
from tests.access.test_nouns import LOOKS
from tests.access.world import World
from tests.api.conftest import client_of
from tests.api.described import operations, resolved

#: Where a body ends the session that asks.
LEFT_OUT = {"/api/v1/auth/logout/", "/api/v1/auth/logout-all/"}
OPERATIONS = [(p, m, o) for p, m, o in operations() if p not in LEFT_OUT]

json_text = st.text(st.characters(codec="utf-8"), max_size=20)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | json_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_text, inner, max_size=3),
    max_leaves=5,
)
EDGES: dict[str, list[Any]] = {
    "integer": [0, -1, 1, 2**31, 2**63, 10**30],
    "number": [0, -1, 1e308, 0.1],
    "boolean": [True, False],
    "string": ["", " ", "0", "1.00", "-1", "NaN", "2026-03-02", "9999-12-31", "0001-01-01", "\x00", "五金", "x" * 5000],
}


def value_of(part: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A value the description allows, one at its edge, or anything at all."""
    part = resolved(part)
    for several in ("oneOf", "anyOf", "allOf"):
        if several in part:
            return st.one_of(*(value_of(one) for one in part[several]))
    if "enum" in part:
        return st.sampled_from(part["enum"]) | anything
    kinds = part.get("type", "string")
    kind = next(k for k in (kinds if isinstance(kinds, list) else [kinds]) if k != "null")
    if kind == "array":
        return st.lists(value_of(part.get("items", {})), max_size=3) | anything
    if kind == "object" and "properties" in part:
        return _object_of(part) | anything
    return (st.sampled_from(EDGES[kind]) | anything) if kind in EDGES else anything


def _object_of(part: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: value_of(field) for name, field in part["properties"].items()}
    required = {name: fields.pop(name) for name in part.get("required", []) if name in fields}
    return st.fixed_dictionaries(required, optional=fields)


def body_of(operation: dict[str, Any]) -> st.SearchStrategy[Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return st.just({}) | anything
    return value_of(content["application/json"]["schema"])


def query_of(operation: dict[str, Any]) -> st.SearchStrategy[dict[str, str]]:
    named = [p for p in operation.get("parameters", []) if p["in"] == "query"]
    values = {p["name"]: value_of(p.get("schema", {})).map(str) for p in named}
    return st.fixed_dictionaries({}, optional=values)


def places(world: World, path: str) -> st.SearchStrategy[str]:
    """The path with the number of a thing there is, or of none."""
    noun = re.match(r"/api/v1/([\w-]+)/\{", path)
    there = [str(world.thing(noun[1], state).pk) for plural, state in LOOKS if noun and plural == noun[1]]
    numbers = ["0", "9" * 18, *there, *there]
    return st.sampled_from(numbers).map(lambda pk: re.sub(r"\{(id|pk)\}", pk, path).replace("{day}", "2026-03-02"))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[f"{m} {p}" for p, m, _o in OPERATIONS])
def test_no_operation_breaks(world: World, path: str, method: str, operation: dict[str, Any]) -> None:
    """Refused or done, as described, to somebody with every role; never a crash."""
    everybody = client_of(world.holding(*((role, "top") for role in STAFF)).username)

    @settings(
        max_examples=5,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(places(world, path), query_of(operation), body_of(operation))
    def ask(at: str, query: dict[str, str], body: Any) -> None:
        with transaction.atomic():
            if method == "get":
                response = everybody.get(at, query)
            else:
                response = everybody.generic(method.upper(), at, json.dumps(body), content_type="application/json")
            transaction.set_rollback(True)
        assert response.status_code < 500, response.content

    ask()
