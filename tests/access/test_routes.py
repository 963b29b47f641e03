"""Every route of the program has a line in the table, and every line a route."""

from __future__ import annotations

from tests.access.reach import acts_on
from tests.access.routes import ANY, all_routes
from tests.access.table import OTHER, READ, SIGNING_IN

GET, GET_POST = frozenset({"GET"}), frozenset({"GET", "POST"})


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
    for path, lines in OTHER.items():
        routes[path] = frozenset(line.method for line in lines) if path.startswith("api/v1/") else ANY
    return routes | dict.fromkeys(SIGNING_IN, ANY)


def test_every_route_has_a_line() -> None:
    assert set(all_routes()) - set(expected_routes()) == set()


def test_every_line_has_a_route() -> None:
    assert set(expected_routes()) - set(all_routes()) == set()


def test_methods() -> None:
    """The API takes the methods the table names and no other."""
    found, expected = all_routes(), expected_routes()
    assert {path: sorted(found[path]) for path in found if found[path] != expected.get(path)} == {}
