"""Every route of the program has a line in the table, and every line a route."""

from __future__ import annotations

import pytest

from tests.access.reach import acts_on
from tests.access.routes import ANY, all_routes
from tests.access.table import FURTHER, OTHER, READ, SIGNING_IN

GET, POST, GET_POST = frozenset({"GET"}), frozenset({"POST"}), frozenset({"GET", "POST"})


def expected_routes() -> dict[str, frozenset[str]]:
    """What the table asks for: its nouns with their use cases, and the others."""
    routes: dict[str, frozenset[str]] = {}
    for plural in READ:
        names = dict(acts_on(plural))
        routes |= {f"{plural}/": ANY, f"{plural}/export.<form>": ANY, f"{plural}/<pk>/": ANY}
        routes[f"api/v1/{plural}/"] = GET_POST if "create" in names else GET
        changes = any(act.method == "PATCH" for act in names.values())
        routes[f"api/v1/{plural}/<pk>/"] = GET | {"PATCH"} if changes else GET
        routes[f"api/v1/{plural}/<pk>/events/"] = GET
        for name, act in names.items():
            at = f"{plural}/" if act.on == "list" else f"{plural}/<pk>/"
            routes[f"{at}{name}/"] = ANY
            if act.method == "POST" and name != "create":
                routes[f"api/v1/{at}{name}/"] = frozenset({"POST"})
            if act.previews:
                routes[f"api/v1/{at}preview/" if name == "create" else f"api/v1/{at}{name}/preview/"] = POST
    for path in (path for paths in FURTHER.values() for path in paths):
        routes[path] = GET if path.startswith("api/v1/") else ANY
    for path, lines in OTHER.items():
        routes[path] = frozenset(line.method for line in lines) if path.startswith("api/v1/") else ANY
    return routes | dict.fromkeys(SIGNING_IN, ANY)


def test_every_route_has_a_line() -> None:
    if extra := sorted(set(all_routes()) - set(expected_routes())):
        pytest.fail("\n".join(["routes without a line in tests/access/table.py:", *extra]), pytrace=False)


def test_every_line_has_a_route() -> None:
    if extra := sorted(set(expected_routes()) - set(all_routes())):
        pytest.fail("\n".join(["lines in tests/access/table.py without a route:", *extra]), pytrace=False)


def test_methods() -> None:
    """The API takes the methods the table names and no other."""
    found, expected = all_routes(), expected_routes()
    wrong = [
        f"{path}: takes {', '.join(sorted(found[path]))}, the table says {', '.join(sorted(expected[path]))}"
        for path in sorted(set(found) & set(expected))
        if found[path] != expected[path]
    ]
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)
