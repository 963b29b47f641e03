"""Lost updates: whoever changes what somebody else changed meanwhile is told so, and nothing is lost."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from customers.models import Lead
from tests.api.asking import LEAD, LEADS, assert_problem


@pytest.fixture
def at(lin: APIClient) -> str:
    return f"{LEADS}{lin.post(LEADS, LEAD, format='json').json()['id']}/"


def test_the_tag_follows_the_version(lin: APIClient, at: str) -> None:
    first = lin.get(at)
    assert first["ETag"] == f'"{first.json()["version"]}"'
    changed = lin.patch(at, {"note": "改"}, format="json", headers={"If-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]
    assert lin.get(at)["ETag"] == changed["ETag"]


@pytest.mark.parametrize("stale", ['"0"', 'W/"7"', '"99999999999999999999"', "3", '"a"', '"²"', '"' + "9" * 5000 + '"'])
def test_a_stale_or_foreign_tag(lin: APIClient, at: str, stale: str) -> None:
    before = lin.get(at).json()
    headers = {"If-Match": stale.encode().decode("latin-1")}
    assert_problem(lin.patch(at, {"note": "改"}, format="json", headers=headers), 412, "stale-version")
    assert_problem(lin.post(f"{at}contact/", {}, format="json", headers=headers), 412, "stale-version")
    assert lin.get(at).json() == before


def test_two_who_read_the_same(lin: APIClient, at: str) -> None:
    """The second to write is refused, and what the first wrote stands."""
    tag = {"If-Match": lin.get(at)["ETag"]}
    assert lin.patch(at, {"note": "甲"}, format="json", headers=tag).status_code == 200
    assert_problem(lin.patch(at, {"note": "乙"}, format="json", headers=tag), 412, "stale-version")
    assert Lead.objects.get().note == "甲"


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}])
def test_without_a_tag_the_last_one_wins(lin: APIClient, at: str, headers: dict[str, str]) -> None:
    assert lin.patch(at, {"note": "改"}, format="json", headers=headers).status_code == 200
