"""The same request twice does it once; a key never stands for two requests, nor for one that failed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from branch.models import Event, IdempotentAnswer
from customers.models import Lead
from tests.api.asking import LEAD, LEADS, assert_problem
from tests.api.conftest import Api, client_of


def post(client: APIClient, path: str, body: Any, key: str) -> Any:
    return client.post(path, body, format="json", headers={"Idempotency-Key": key})


def test_same_key_and_body(lin: APIClient) -> None:
    first, again = post(lin, LEADS, LEAD, "k1"), post(lin, LEADS, LEAD, "k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first["ETag"] == again["ETag"]
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Lead.objects.count() == 1
    assert Event.objects.filter(name="lead.capture").count() == 1


def test_another_body(lin: APIClient) -> None:
    post(lin, LEADS, LEAD, "k1")
    assert_problem(post(lin, LEADS, LEAD | {"name": "别家"}, "k1"), 409, "idempotency-key-reused")
    assert Lead.objects.count() == 1


def test_another_route(lin: APIClient) -> None:
    lead = post(lin, LEADS, LEAD, "k1").json()["id"]
    assert_problem(post(lin, f"{LEADS}{lead}/contact/", {}, "k1"), 409, "idempotency-key-reused")
    assert Lead.objects.get().state == "new"


def test_a_key_is_its_callers(api: Api) -> None:
    """Two people may happen on the same key."""
    for name in ("lin", "outsider"):
        assert post(api(name), LEADS, LEAD, "k1").status_code == 201
    assert Lead.objects.count() == 2


def test_an_error_leaves_no_key(lin: APIClient) -> None:
    """What failed may be sent again, corrected, with the key it had."""
    assert_problem(post(lin, LEADS, {"name": "x"}, "k1"), 400, "invalid-input")
    assert IdempotentAnswer.objects.count() == 0
    assert post(lin, LEADS, LEAD, "k1").status_code == 201


def test_a_refused_sign_in_leaves_no_key(cast: Any) -> None:
    """Nor loses what a refusal says beside its body."""
    visitor = APIClient()
    wrong = post(visitor, "/api/v1/auth/token/", {"username": "lin", "password": "no"}, "k1")
    assert_problem(wrong, 401, "sign-in-failed")
    assert wrong["WWW-Authenticate"] == "Token"
    assert IdempotentAnswer.objects.count() == 0


def test_one_token_for_one_sign_in(cast: Any) -> None:
    visitor, given = APIClient(), {"username": "lin", "password": "demo"}
    first, again = (post(visitor, "/api/v1/auth/token/", given, "k1") for _ in range(2))
    assert first.status_code == 200
    assert first.json() == again.json()
    other = given | {"password": "demo "}
    assert_problem(post(visitor, "/api/v1/auth/token/", other, "k1"), 409, "idempotency-key-reused")


def test_visitors_keys_do_not_meet(cast: Any) -> None:
    """Whoever signs in from another place is not refused because a stranger took the same key."""
    given = {"username": "lin", "password": "demo"}
    for place, name in (("192.0.2.1", "lin"), ("192.0.2.2", "zhao")):
        visitor = APIClient(REMOTE_ADDR=place)
        assert post(visitor, "/api/v1/auth/token/", given | {"username": name}, "1").status_code == 200


def test_a_kept_answer_is_not_readable_at_rest(lin: APIClient) -> None:
    """It may hold a token or a name."""
    post(lin, LEADS, LEAD, "k1")
    with connection.cursor() as cursor:
        cursor.execute("SELECT body FROM branch_idempotentanswer")
        assert LEAD["name"] not in str(cursor.fetchone()[0])


@pytest.mark.parametrize("key", ["x" * 201, "a\tb"])
def test_a_key_that_is_none(lin: APIClient, key: str) -> None:
    assert_problem(post(lin, LEADS, LEAD, key), 400, "invalid-input")
    assert Lead.objects.count() == 0


def test_multipart_is_compared_without_its_boundary(lin: APIClient) -> None:
    """The same form sent again has another boundary."""
    first, again = (
        lin.generic(
            "POST",
            LEADS,
            _multipart(LEAD, b),  # type: ignore[arg-type]
            f"multipart/form-data; boundary={b}",
            HTTP_IDEMPOTENCY_KEY="k1",
        )
        for b in ("one", "two")
    )
    assert first.status_code == 201
    assert again["Idempotency-Replayed"] == "true"


def _multipart(fields: dict[str, str], boundary: str) -> bytes:
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_the_same_time(cast: Any) -> None:
    """Whoever comes second waits and gets the first one's answer."""

    def send(client: APIClient) -> tuple[int, Any]:
        try:
            response = post(client, LEADS, LEAD, "k1")
            return response.status_code, response.json()["id"]
        finally:
            connection.close()

    clients = [client_of("lin") for _ in range(5)]
    with ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(send, clients))
    assert set(answers) == {(201, Lead.objects.get().pk)}
    assert Event.objects.filter(name="lead.capture").count() == 1
