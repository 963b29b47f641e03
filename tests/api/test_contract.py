"""The bank after one loan's life: every answer is as described, and nothing that can be sent breaks anything.

Values come from the description itself, seeded, so that a run can be repeated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command
from django.db import transaction
from django.test import override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.throttling import SimpleRateThrottle

from branch.domain.roles import Role
from branch.models import Office, ParameterValue, RoleAssignment, User
from branch.sandbox_bank.process import BankProcess
from branch.web.noun import NOUNS
from desk.demo import people, policies
from desk.walk.client import Answer, Api
from desk.walk.life import LoanLife
from desk.walk.walker import Walker
from tests.api.conftest import Client, client_of
from tests.api.described import operations, resolved
from tests.cast import OPENING
from tests.loans.bank import TOKEN

#: Nouns of which one loan's life leaves nothing behind; their lists are looked at all the same.
WITHOUT_ROWS = {"calendar", "collection-cases"}
#: Where a body ends the session that asks.
LEFT_OUT = {"/api/v1/auth/logout/", "/api/v1/auth/logout-all/"}
OPERATIONS = [(p, m, o) for p, m, o in operations() if p not in LEFT_OUT]


class InProcess(Api):
    """The walk's client without a server: each answer is held against the description, each worker's part done."""

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        client = Client(raise_request_exception=False)
        content_type = headers.pop("Content-Type")
        response = client.generic(method, path, data or b"", content_type=content_type, headers=headers)
        return Answer(response.status_code, response.json() if response.content else {}, 0)


@pytest.fixture(scope="module")
def lived(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """Once for all of these tests, and gone after them; the client of somebody with every role."""
    bank = BankProcess(tmp_path_factory.mktemp("bank"), token=TOKEN)
    files = str(tmp_path_factory.mktemp("files"))
    current_app.loader.import_default_modules()
    with (
        django_db_blocker.unblock(),
        bank,
        override_settings(CORE_BANK_URL=bank.url, CORE_BANK_TOKEN=TOKEN, FILES_DIR=files),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(current_app, "send_task", lambda name, args=(), **how: current_app.tasks[name].apply(args))
        patch.setattr(SimpleRateThrottle, "allow_request", lambda *args: True)
        try:
            people.found_branch(OPENING)
            policies.publish_policies()
            LoanLife(Walker(InProcess("http://bank"), write=lambda line: None)).walk()
            yield somebody_with_every_role()
        finally:
            call_command("flush", verbosity=0, interactive=False)


def somebody_with_every_role() -> Client:
    head_office = Office.objects.get(parent=None)
    person = User.objects.create(username="everybody", password="!", display_name="众", office=head_office)
    for role in set(Role) - {Role.BORROWER, Role.INTEGRATION}:
        RoleAssignment.objects.create(user=person, role=role, office=head_office, start_date=date(2020, 1, 1))
    # The second factor is tested by itself.
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=OPENING)
    return client_of("everybody")


@pytest.fixture
def everybody(lived: Client, db: None) -> Client:
    return lived


@pytest.mark.parametrize("plural", [noun.plural for noun in NOUNS.values()])
def test_a_thing_is_as_described(everybody: Client, plural: str) -> None:
    """In its list, by itself, and its timeline; the client looks at the answers."""
    at = f"/api/v1/{plural}/"
    rows = everybody.get(at).json()["results"]
    assert bool(rows) == (plural not in WITHOUT_ROWS)
    for row in rows[:1]:
        assert everybody.get(f"{at}{row['id']}/").status_code == 200
        assert everybody.get(f"{at}{row['id']}/events/").status_code == 200


# --- anything

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


def places(client: Client, path: str) -> st.SearchStrategy[str]:
    """The path with the number of a thing there is, or of none."""
    noun = re.match(r"/api/v1/([\w-]+)/\{", path)
    numbers = ["0", "9" * 18]
    if noun and noun[1] in {noun.plural for noun in NOUNS.values()}:
        numbers += [str(row["id"]) for row in client.get(f"/api/v1/{noun[1]}/").json()["results"][:2]] * 2
    return st.sampled_from(numbers).map(lambda pk: re.sub(r"\{(id|pk)\}", pk, path).replace("{day}", "2026-03-02"))


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=[f"{m} {p}" for p, m, _o in OPERATIONS])
def test_no_operation_breaks(everybody: Client, path: str, method: str, operation: dict[str, Any]) -> None:
    """Refused or done, as described; never a crash."""

    @settings(
        max_examples=8,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(places(everybody, path), query_of(operation), body_of(operation))
    def ask(at: str, query: dict[str, str], body: Any) -> None:
        with transaction.atomic():
            if method == "get":
                response = everybody.get(at, query)
            else:
                response = everybody.generic(method.upper(), at, json.dumps(body), content_type="application/json")
            transaction.set_rollback(True)
        assert response.status_code < 500, response.content

    ask()
