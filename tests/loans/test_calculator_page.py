"""The calculator's page: the figures beside the form, errors beside their field, the plan as a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from openpyxl import load_workbook

from branch.models import ParameterValue
from loans.domain.servicing import EventType, Surplus
from loans.forms.calculator import EVENT_NEEDS, EVENT_WORDS, SURPLUS_WORDS

LOAN = {
    "principal": "10,000.00",
    "annual_rate": "12",
    "start_date": "2026-01-15",
    "repayment_method": "equal_instalment",
    "day_count": "30/360",
    "instalments": "3",
    "frequency_every": "1",
    "frequency_unit": "month",
    "month_end": "clamp",
    "instalment_rounding": "0.01",
    "surplus": "shorten_term",
    "payoff_interest": "to_date",
}


def happening(kind: str, day: str, **values: str) -> dict[str, str]:
    """A row of the form: it always sends all its fields."""
    row = {
        "row": f"{kind[:4]}{day[-2:]}",
        "type": kind,
        "date": day,
        "amount": "",
        "annual_rate": "",
        "count": "",
        "until": "",
    }
    return row | values


def address(*events: dict[str, str], **changes: str) -> dict[str, Any]:
    query: dict[str, Any] = LOAN | changes
    for name in events[0] if events else ():
        query[f"event-{name}"] = [event[name] for event in events]
    return query


@pytest.fixture
def visitor(cast: SimpleNamespace) -> Callable[[str], Client]:
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))

    def signed_in(username: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(getattr(cast, username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


def text_of(response: Any) -> str:
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().split())


def test_it_stands_in_the_navigation_of_lending_staff_and_opens_with_a_usual_loan(visitor: Any) -> None:
    for username in ("lin", "zhao", "sun", "qian", "wu", "zhou", "he", "feng"):
        page = text_of(visitor(username).get("/calculator/"))
        assert 'href="/calculator/" aria-current="page"' in page, username
        assert "300,000.00" in page
        assert "12 instalments, until 2027-03-02" in page
    assert Client().get("/calculator/").status_code == 302


def test_figures_follow_from_the_terms_in_the_address(visitor: Any) -> None:
    page = text_of(visitor("lin").get("/calculator/", address()))

    for figure in ("3,400.22", "200.67", "10,200.67", "12.00%", "12.68%", "2026-04-15"):
        assert figure in page, figure
    assert "Interest is 2.9% of the first instalment and 1.0% of the last" in page
    assert "Old and new" not in page


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(visitor: Any) -> None:
    page = text_of(
        visitor("lin").get(
            "/calculator/", address(instalments="0", annual_rate="a lot", due_day="20", first_due_date="2026-03-10")
        )
    )

    assert 'value="a lot"' in page
    assert 'id="error-annual_rate" data-field="annual_rate" role="alert"><div>Enter a number.' in page
    assert 'id="error-instalments" data-field="instalments" role="alert"><div>Ensure' in page
    assert "Correct the marked fields" in page

    refused = text_of(visitor("lin").get("/calculator/", address(due_day="20", first_due_date="2026-03-10")))
    assert 'id="error-first_due_date" data-field="first_due_date" role="alert"><div>The first due date is' in refused


def test_while_typing_only_what_changed_comes_back(visitor: Any) -> None:
    client = visitor("lin")
    htmx = {"HX-Request": "true"}

    good = client.get("/calculator/", address(), headers=htmx)
    bad = client.get("/calculator/", address(principal=""), headers=htmx)

    assert "<html" not in text_of(good)
    assert "3,400.22" in text_of(good)
    assert good["HX-Replace-Url"].startswith("/calculator/?principal=10%2C000.00")
    assert 'id="error-principal" data-field="principal" role="alert" hx-swap-oob="true"></div>' in text_of(good)
    assert bad["HX-Reswap"] == "none"
    assert 'role="alert" hx-swap-oob="true"><div>This field is required.' in text_of(bad)
    assert "3,400.22" not in text_of(bad)


def test_old_and_new_stand_side_by_side(visitor: Any) -> None:
    events = [
        happening("repayment", "2026-02-15", amount="3,400.22"),
        happening("repayment", "2026-02-20", amount="3,000.00"),
    ]

    page = text_of(visitor("lin").get("/calculator/", address(*events, instalments="12", as_of="2026-03-01")))

    for words in ("Interest saved", "days earlier", "Old plan", "New plan", "On 2026-03-01", "as before"):
        assert words in page, words


def test_each_kind_of_event_asks_for_its_one_field(visitor: Any) -> None:
    client = visitor("lin")
    values = {"amount": "500", "annual_rate": "6", "count": "2", "until": "2026-03-20"}
    for kind in EVENT_WORDS:
        needed = EVENT_NEEDS.get(kind)
        missing = text_of(client.get("/calculator/", address(happening(kind.value, "2026-02-20"))))
        assert ("This field is required" in missing) == bool(needed), kind
        given = happening(kind.value, "2026-02-20", **({needed: values[needed]} if needed else {}))
        assert "Old and new" in text_of(client.get("/calculator/", address(given))), kind


def test_what_the_engine_refuses_of_an_event_stands_in_its_row(visitor: Any) -> None:
    rows = [happening("fee", "2026-02-01", amount="1"), happening("repayment", "2026-01-01", amount="5")]

    page = text_of(visitor("lin").get("/calculator/", address(*rows)))

    assert 'id="error-row-repa01-event-date" role="alert"><div>' in page
    assert 'id="error-row-fee01-event-date" role="alert"></div>' in page


def test_a_new_row_is_empty_and_complains_of_nothing(visitor: Any) -> None:
    row = text_of(visitor("lin").get("/calculator/row/"))

    assert 'value="2026-03-02"' in row
    assert "This field is required" not in row


def test_the_plan_as_a_file(visitor: Any) -> None:
    client = visitor("lin")

    lines = b"".join(client.get("/calculator/plan.csv", address()).streaming_content).decode("utf-8-sig").splitlines()
    book = load_workbook(io.BytesIO(b"".join(client.get("/calculator/plan.xlsx", address()).streaming_content)))

    assert lines[0] == "No.,Due on,Days,Principal,Interest,Fees,Instalment,Balance after"
    assert lines[1] == "1,2026-02-15,30,3300.22,100.00,0.00,3400.22,6699.78"
    assert len(lines) == 4
    assert [cell.value for cell in book.active[2]][:3] == [1, "2026-02-15", 30]
    served = client.get("/calculator/plan.csv", address(happening("repayment", "2026-02-15", amount="3400.22")))
    assert b"".join(served.streaming_content).decode().splitlines()[1].endswith(",3400.22,0.00")
    assert client.get("/calculator/plan.pdf", address()).status_code == 404
    assert client.get("/calculator/plan.csv", address(principal="")).status_code == 400


def test_every_kind_and_every_place_of_a_surplus_has_its_word() -> None:
    not_tried = {EventType.MISUSE, EventType.CALL_IN, EventType.WAIVER}

    assert set(EVENT_WORDS) == set(EventType) - not_tried
    assert set(SURPLUS_WORDS) == set(Surplus)


def test_nonsense_in_the_address_is_no_fault(visitor: Any) -> None:
    client = visitor("lin")
    for query in (
        {"principal": "NaN"},
        {"principal": "\x00"},
        address(happening("gift", "soon")),
        address(happening("repayment", "2026-02-01", amount="1", row="<script>")),
        {"event-type": ["repayment"] * 500},
        address(instalments="1200", frequency_every="1200"),
        address(principal="99999999999999.99", instalments="1200"),
    ):
        assert client.get("/calculator/", query).status_code == 200, query


def test_an_agreed_plan_is_typed_row_by_row(visitor: Any) -> None:
    typed = "2026-02-15 2,000.00\n2026-03-15 3000\n2026-04-15 5000.00"
    query = address(repayment_method="agreed_plan", instalments="", plan=typed, day_count="actual/360")
    page = visitor("lin").get("/calculator/", query)
    assert [row["interest"] for row in page.context["outcome"].rows] == [
        Decimal("103.33"), Decimal("74.67"), Decimal("51.67"),
    ]  # fmt: skip
    for wrong, said in {
        "2026-02-15 2000.00\n2026-02-15 8000.00": "2: ",
        "2026-02-15 9000.00": "add up to the loan",
        "soon 10000.00": "A row is a day and an amount",
        "": "Say what is repaid",
    }.items():
        form = visitor("lin").get("/calculator/", query | {"plan": wrong}).context["form"]
        assert said in str(form.errors["plan"]), wrong
