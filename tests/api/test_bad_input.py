"""Whatever is sent, the answer is a problem with the field named, never a crash; and nothing changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext
from rest_framework.test import APIClient

from branch.domain.refusals import Refusal
from branch.models import Event
from customers.models import Lead
from tests.api.asking import LEAD, LEADS, assert_problem
from tests.api.conftest import Api


def send(client: APIClient, raw: bytes | str, path: str = LEADS, content_type: str = "application/json") -> Any:
    return client.generic("POST", path, raw, content_type=content_type)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "nope",
        '{"name": "a",}',
        '{"name": NaN}',
        '{"name": Infinity}',
        b"\xff\xfe",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"employees": ' + "9" * 5000 + "}",
    ],
    ids=["empty", "cut off", "word", "comma", "NaN", "Infinity", "no UTF-8", "deep list", "deep object", "digits"],
)
def test_no_json(lin: APIClient, raw: bytes | str) -> None:
    assert_problem(send(lin, raw), 400)
    assert Lead.objects.count() == 0


@pytest.mark.parametrize("raw", ["[]", "[1]", '"text"', "1", "null", "true", json.dumps([LEAD])])
def test_a_body_that_is_no_object(lin: APIClient, raw: str) -> None:
    assert_problem(send(lin, raw), 400, "invalid-input")


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", "application/x-www-form-urlencoded", ""])
def test_another_content_type(lin: APIClient, content_type: str) -> None:
    assert_problem(send(lin, json.dumps(LEAD), content_type=content_type), 415, "unsupported-media-type")


def test_multipart_is_read_too(lin: APIClient) -> None:
    assert lin.post(LEADS, LEAD, format="multipart").status_code == 201


def test_multipart_that_is_none(lin: APIClient) -> None:
    assert_problem(send(lin, b"--x", content_type="multipart/form-data"), 400)
    assert_problem(send(lin, b"garbage", content_type="multipart/form-data; boundary=x"), 400)


def test_unknown_fields_are_named(lin: APIClient) -> None:
    body = assert_problem(lin.post(LEADS, LEAD | {"state": "lost", "owner": 1}, format="json"), 400, "invalid-input")
    assert sorted(body["errors"]) == ["owner", "state"]
    assert Lead.objects.count() == 0


def test_missing_fields_are_named(lin: APIClient) -> None:
    body = assert_problem(lin.post(LEADS, {}, format="json"), 400, "invalid-input")
    assert sorted(body["errors"]) == ["contact_name", "name", "source"]


#: Values no field of these takes: whatever its kind, the field is named.
NOTHING_TAKES = [{"a": 1}, [1], ["x", {"y": []}], "\x00", "a\x00b", "\ud800"]


@pytest.mark.parametrize("value", NOTHING_TAKES, ids=repr)
@pytest.mark.parametrize(
    "field", ["name", "contact_name", "phone", "source", "wanted_amount", "next_action_date", "note"]
)
def test_a_value_no_field_takes(lin: APIClient, field: str, value: Any) -> None:
    body = assert_problem(send(lin, json.dumps(LEAD | {field: value})), 400, "invalid-input")
    assert list(body["errors"]) == [field]
    assert Lead.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", True),
        ("name", "x" * 121),
        ("name", "   "),
        ("source", "moon"),
        ("source", 3),
        *(("wanted_amount", v) for v in ("NaN", "Infinity", "-1", "0", "1.001", "1e20", "9" * 30, "1" + "0" * 400)),
        ("wanted_amount", "x"),
        ("wanted_amount", 1e308),
        ("wanted_amount", True),
        *(("next_action_date", v) for v in ("2026-02-30", "31.12.2026", "10000-01-01", "0000-00-00", "tomorrow", 5)),
    ],
)
def test_a_value_out_of_bounds(lin: APIClient, field: str, value: Any) -> None:
    body = assert_problem(lin.post(LEADS, LEAD | {field: value}, format="json"), 400, "invalid-input")
    assert list(body["errors"]) == [field]
    assert Lead.objects.count() == 0


@pytest.mark.parametrize("name", ["𠮷野家", "Ünïcödé", "a\u202eb", "👩‍🌾", "e\u0301", "x" * 120])
def test_any_name_a_person_may_have(lin: APIClient, name: str) -> None:
    """Stored and given back as it was sent."""
    answer = lin.post(LEADS, LEAD | {"name": name}, format="json")
    assert answer.status_code == 201
    assert lin.get(f"{LEADS}{answer.json()['id']}/").json()["name"] == name


@pytest.mark.parametrize("value", [True, 1.5, 1e308, [1], {"id": 1}, "x", "9" * 30, -1])
def test_a_choice_that_is_none(api: Api, lin: APIClient, value: Any) -> None:
    """True is no customer, even where one has the number 1."""
    body = assert_problem(lin.post("/api/v1/applications/", {"customer_id": value}, format="json"), 400)
    assert list(body["errors"]) == ["customer_id"]


def test_field_names_may_be_anything(lin: APIClient) -> None:
    for name in ("\ud800", "\x00", "x" * 10_000, "name\n", "__proto__"):
        assert_problem(send(lin, json.dumps(LEAD | {name: 1})), 400, "invalid-input")


@pytest.mark.parametrize(
    "pk", ["0", "9" * 18, "9" * 19, "9" * 400, "-1", "1.0", "abc", "%00", "１", "²", "1%2F2", "..", "%ED%A0%80"]
)
def test_an_address_of_nothing(lin: APIClient, pk: str) -> None:
    for path in (f"{LEADS}{pk}/", f"{LEADS}{pk}/events/", f"{LEADS}{pk}/contact/"):
        response = lin.generic("POST" if "contact" in path else "GET", path, "{}", content_type="application/json")
        assert_problem(response, 404, "not-found")


@pytest.mark.parametrize("path", ["/api/", "/api/v1/", "/api/v2/leads/", "/api/v1/nothing/", "/api/v1/leads/x/y/z/"])
def test_a_route_that_is_none(lin: APIClient, path: str) -> None:
    """A problem too, for visitors as well."""
    assert_problem(lin.get(path), 404, "not-found")
    assert_problem(APIClient().get(path), 404, "not-found")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_slash_forgotten(lin: APIClient, method: str) -> None:
    """Sent on as what it was: a POST that came out as a GET would look done, and nothing would be."""
    response = lin.generic(method, LEADS.rstrip("/"), "{}", content_type="application/json")
    assert (response.status_code, response["Location"]) == (308, LEADS)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH"])
def test_a_method_that_is_none(lin: APIClient, method: str) -> None:
    response = lin.generic(method, LEADS, "{}", content_type="application/json")
    assert_problem(response, 405, "method-not-allowed")
    assert "GET" in response["Allow"]


def test_options_and_head(lin: APIClient) -> None:
    for path in (LEADS, "/api/v1/auth/token/", "/api/v1/attachments/"):
        assert lin.options(path).status_code == 200
    assert lin.head(LEADS).status_code == 200


@pytest.mark.parametrize("accept", ["text/html", "application/xml"])
def test_another_format_wanted(lin: APIClient, accept: str) -> None:
    assert_problem(lin.get(LEADS, headers={"Accept": accept}), 406, "not-acceptable")
    assert_problem(lin.get(f"{LEADS}?format=xml"), 404, "not-found")


def test_too_large(lin: APIClient) -> None:
    assert_problem(send(lin, b'{"name": "' + b"x" * (13 * 1024 * 1024) + b'"}'), 413, "too-large")


def test_nested_rows_are_looked_into(api: Api, lin: APIClient) -> None:
    """Figures in bulk: bad rows come back with their reason, or the body is refused; none breaks the rest."""
    customer = lin.post(
        "/api/v1/customers/",
        {"kind": "sole_trader", "name": "恒润", "uscc": "92330212MA0000001B", "contact_name": "王"},
        format="json",
    )
    path = f"/api/v1/customers/{customer.json().get('id', 0)}/records/"
    good = {"metric": "water_m3", "source": "grid", "period_month": "2026-01", "value": "1"}
    events = Event.objects.count()
    bad: tuple[Any, ...] = (
        None, 1, "x", {}, [], [None], [[]], [1], [{}], [good | {"value": "1e999"}], [good | {"value": "NaN"}],
        [good | {"value": {}}], [good | {"period_month": "9999-99"}], [good | {"period_month": 3}],
        [good | {"metric": []}], [good | {"source": "x" * 9999}], [good | {"source": "\x00"}],
    )  # fmt: skip
    for rows in bad:
        response = send(lin, json.dumps({"records": rows}), path)
        assert response.status_code in (200, 400, 404), response.content
    assert Event.objects.count() == events


@pytest.mark.parametrize("code", ["zh-hans", "en"])
def test_every_refusal_is_told_in_the_language_asked_for(code: str) -> None:
    titles = {refusal.title for refusal in every_kind_of(Refusal)}
    assert len(titles) > 10
    with translation.override(code):
        assert [title for title in titles if (gettext(title) == title) != (code == "en")] == []


def every_kind_of(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from every_kind_of(one)


@pytest.mark.parametrize("host", ["evil.example\r\nX: y", "a b", "["])
def test_a_host_that_is_none(cast: Any, host: str) -> None:
    assert_problem(APIClient().get("/api/v1/me/", headers={"Host": host}), 400, "invalid-input")
