"""Lists over the API: pages that hold still, filters, orders, search."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.http import urlencode
from rest_framework.test import APIClient

from customers.models import Lead
from tests.api.asking import LEADS, assert_problem


@pytest.fixture
def leads(cast: SimpleNamespace) -> list[Lead]:
    """Twelve, of whom every third wants the same amount and every fourth none."""
    return Lead.objects.bulk_create(
        Lead(
            office=cast.offices.HW,
            owner=cast.lin,
            name=f"线索{n:02d}" if n != 7 else "恒润钢材",
            contact_name="陈",
            source="visit" if n % 2 else "referral",
            wanted_amount=None if n % 4 == 0 else Decimal(1000 * (n % 3 + 1)),
        )
        for n in range(12)
    )


def walk(client: APIClient, path: str, link: str = "next") -> list[list[int]]:
    """The ids on each page from here to the end."""
    pages: list[list[int]] = []
    while path and len(pages) < 50:
        answer = client.get(path).json()
        pages.append([row["id"] for row in answer["results"]])
        path = answer[link]
    return pages


def last_address(client: APIClient, path: str) -> str:
    while following := client.get(path).json()["next"]:
        path = following
    return path


@pytest.mark.parametrize("ordering", ["", "id", "-id", "created_at", "-created_at"])
def test_every_row_once(lin: APIClient, leads: list[Lead], ordering: str) -> None:
    """Also where all rows have the same moment."""
    path = f"{LEADS}?page_size=5&ordering={ordering}"
    pages = walk(lin, path)
    assert [len(page) for page in pages] == [5, 5, 2]
    rows = [row for page in pages for row in page]
    assert sorted(rows) == sorted(lead.pk for lead in leads)
    if ordering.endswith("id"):
        assert rows == sorted(rows, reverse=ordering == "-id")
    backwards = walk(lin, last_address(lin, path), "previous")
    assert [row for page in reversed(backwards) for row in page] == rows


@pytest.mark.parametrize("ordering", ["wanted_amount", "-wanted_amount"])
def test_empty_and_equal_values_have_an_order(
    lin: APIClient, leads: list[Lead], monkeypatch: pytest.MonkeyPatch, ordering: str
) -> None:
    from branch.web.api import NounViewSet

    monkeypatch.setattr("rest_framework.filters.OrderingFilter.get_valid_fields", lambda *a: [("wanted_amount", "")])
    assert NounViewSet.pagination_class.page_size == 50
    path = f"{LEADS}?page_size=2&ordering={ordering}"
    pages = walk(lin, path)
    rows = [row for page in pages for row in page]
    assert sorted(rows) == sorted(lead.pk for lead in leads)
    amounts = [Lead.objects.get(pk=row).wanted_amount for row in rows]
    known = [amount for amount in amounts if amount is not None]
    assert known == sorted(known, reverse=ordering.startswith("-"))
    assert amounts.index(None) == (0 if ordering.startswith("-") else len(known))
    backwards = walk(lin, last_address(lin, path), "previous")
    assert [row for page in reversed(backwards) for row in page] == rows


def test_pages_hold_still_while_rows_come_in(lin: APIClient, leads: list[Lead], cast: SimpleNamespace) -> None:
    first = lin.get(f"{LEADS}?page_size=5").json()
    Lead.objects.create(office=cast.offices.HW, owner=cast.lin, name="新来的", contact_name="王", source="visit")
    second = lin.get(first["next"]).json()
    seen = [row["id"] for row in first["results"] + second["results"]]
    assert seen == sorted((lead.pk for lead in leads), reverse=True)[:10]


@pytest.mark.parametrize(("asked", "given"), [("3", 3), ("0", 12), ("-1", 12), ("x", 12), ("", 12), ("9" * 30, 12)])
def test_page_size(lin: APIClient, leads: list[Lead], asked: str, given: int) -> None:
    """Nonsense counts as not asked."""
    assert len(lin.get(LEADS, {"page_size": asked}).json()["results"]) == given


def test_a_page_has_at_most_200(lin: APIClient, cast: SimpleNamespace) -> None:
    Lead.objects.bulk_create(
        Lead(office=cast.offices.HW, owner=cast.lin, name=str(n), contact_name="陈", source="visit") for n in range(205)
    )
    assert len(lin.get(f"{LEADS}?page_size=100000").json()["results"]) == 200
    assert len(lin.get(LEADS).json()["results"]) == 50


@pytest.mark.parametrize(
    "cursor", ["x", "%%%", "cD1hYmM=", "aT1hYmM=", "aT0x", "aT3vvJE=", "aT05OTk5OTk5OTk5OTk5OTk5OTk5OTk5", "/w=="]
)
def test_a_cursor_nobody_gave_out(lin: APIClient, leads: list[Lead], cursor: str) -> None:
    """Not found, or an honest page; never a crash."""
    for ordering in ("id", "created_at"):
        response = lin.get(f"{LEADS}?{urlencode({'cursor': cursor, 'ordering': ordering})}")
        if response.status_code != 200:
            assert_problem(response, 404, "not-found")


def test_the_timelines_order_is_its_own(lin: APIClient, leads: list[Lead]) -> None:
    """What a noun can be ordered by is nothing its events have."""
    at = f"{LEADS}{leads[0].pk}/events/"
    for query in ("ordering=created_at", "ordering=wanted_amount", "page_size=1", "state=new"):
        assert lin.get(f"{at}?{query}").status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"state": "new"}, 12),
        ({"state": "lost"}, 0),
        ({"source": "visit"}, 6),
        ({"wanted_amount__gte": "3000"}, 3),
        ({"wanted_amount__gte": "1e3"}, 9),
        ({"q": "恒润"}, 1),
        ({"q": "  恒润 "}, 1),
        ({"q": "\x00"}, 12),
        ({"q": "'; drop table customers_lead; --"}, 0),
        ({"q": "%"}, 0),
        ({"q": "无此"}, 0),
        ({"ordering": "password"}, 12),
        ({"unknown": "1"}, 12),
    ],
)
def test_filters_and_search(lin: APIClient, leads: list[Lead], query: dict[str, str], found: int) -> None:
    response = lin.get(LEADS, query)
    assert response.status_code == 200
    assert len(response.json()["results"]) == found


@pytest.mark.parametrize(
    "query",
    [
        {"state": "nope"},
        {"owner": "abc"},
        {"owner": "9" * 40},
        {"owner": "-1"},
        {"wanted_amount__gte": "many"},
        {"wanted_amount__gte": "NaN"},
        {"wanted_amount__gte": "Infinity"},
        {"next_action_date__lte": "31.12.2026"},
        {"next_action_date__lte": "2026-02-30"},
        {"source": "\x00"},
    ],
)
def test_a_filter_that_makes_no_sense(lin: APIClient, leads: list[Lead], query: dict[str, str]) -> None:
    body: dict[str, Any] = assert_problem(lin.get(LEADS, query), 400, "invalid-input")
    assert list(body["errors"]) == list(query)
