"""Lost updates: whoever changes what somebody else changed meanwhile is told so, and nothing is lost."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from rest_framework.test import APIClient

from branch.models import ParameterValue
from customers.models import Lead
from tests.api.asking import LEAD, LEADS, assert_problem
from tests.api.conftest import Api
from tests.life import uscc


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


def test_what_leaves_the_thing_as_it_is_asks_for_the_version_too(lin: APIClient) -> None:
    """Figures are added to the customer who was read, not to one that has changed since."""
    profile = {"kind": "company", "name": "恒润", "uscc": uscc(1), "contact_name": "王"}
    at = f"/api/v1/customers/{lin.post('/api/v1/customers/', profile, format='json').json()['id']}/"
    figures = {"records": [{"metric": "water_m3", "source": "grid", "period_month": "2026-01", "value": "1"}]}
    tag = lin.get(at)["ETag"]
    lin.patch(at, {"employees": 3}, format="json")
    refused = lin.post(f"{at}records/", figures, format="json", headers={"If-Match": tag})
    assert_problem(refused, 412, "stale-version")
    assert (
        lin.post(f"{at}records/", figures, format="json", headers={"If-Match": lin.get(at)["ETag"]}).status_code == 200
    )


def test_a_thing_without_a_tag_matches_none(api: Api, cast: SimpleNamespace) -> None:
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=cast.OPENING)
    at = f"/api/v1/people/{cast.lin.pk}/"
    zhou = api("zhou")
    assert "ETag" not in zhou.get(at)
    changed = {"display_name": "林林", "office_id": cast.lin.office_id, "email": ""}
    refused = zhou.post(f"{at}update/", changed, format="json", headers={"If-Match": '"1"'})
    assert_problem(refused, 412, "stale-version")
    assert zhou.get(at).json()["display_name"] == "林"
