"""What every test of the API's contract says."""

from __future__ import annotations

from typing import Any

LEAD = {"name": "梅林五金", "contact_name": "陈", "source": "visit"}
LEADS = "/api/v1/leads/"


def body_of(response: Any) -> Any:
    return response.json()


def assert_problem(response: Any, status: int, type_: str = "") -> dict[str, Any]:
    """Problem details (RFC 9457) with the status they say; the body."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    assert "{" not in body["title"], "a place nobody filled"
    assert body["detail"]
    assert body["type"].startswith("/problems/")
    if type_:
        assert body["type"] == f"/problems/{type_}"
    return body
