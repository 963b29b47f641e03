"""Quotes and simulations over the API: what they answer, to whom, and what they say to values that are wrong."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest
from rest_framework.test import APIClient

from branch.models import ParameterValue
from loans.domain.daycount import DayCount
from loans.domain.servicing import Surplus
from loans.domain.terms import RepaymentMethod
from tests.cast import PEOPLE

QUOTES, SIMULATIONS = "/api/v1/quotes/", "/api/v1/simulations/"
LOAN = {
    "principal": "10000.00",
    "annual_rate": "0.12",
    "start_date": "2026-01-15",
    "repayment_method": "equal_instalment",
    "day_count": "30/360",
    "instalments": 3,
    "frequency": {"unit": "month", "every": 1},
    "month_end": "clamp",
}
MONEY = ("principal", "interest", "fees", "total", "balance", "paid", "outstanding", "penalties")


@pytest.fixture
def api(cast: SimpleNamespace) -> Callable[[str], APIClient]:
    def signed_in(username: str) -> APIClient:
        client = APIClient(headers={"accept-language": "en"})
        client.force_authenticate(getattr(cast, username))
        return client

    return signed_in


@pytest.fixture
def ask(api: Callable[[str], APIClient]) -> Callable[..., Any]:
    """Lin asks one of the two; the loan with these changes, a field left out where a change is None."""
    client = api("lin")

    def asked(route: str, **changes: Any) -> Any:
        body = {name: value for name, value in (LOAN | changes).items() if value is not None}
        return client.post(route, body, format="json")

    return asked


def errors_of(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 400, response.data
    assert response["Content-Type"] == "application/problem+json"
    assert response.data["type"] == "/problems/invalid-input"
    assert response.data["status"] == 400
    errors: dict[str, list[str]] = response.json()["errors"]
    assert all(isinstance(text, str) and text for messages in errors.values() for text in messages)
    return errors


# --- quotes


def test_a_quote_has_rows_totals_and_both_costs(ask: Any) -> None:
    answer = ask(QUOTES).json()

    assert set(answer) == {"rows", "totals", "apr_simple", "apr_irr"}
    assert answer["rows"][0] == {
        "number": 1, "due_date": "2026-02-15", "days": 30, "principal": "3300.22", "interest": "100.00",
        "fees": "0.00", "total": "3400.22", "balance": "6699.78",
    }  # fmt: skip
    assert answer["rows"][-1]["balance"] == "0.00"
    assert answer["totals"] == {"principal": "10000.00", "interest": "200.67", "fees": "0.00", "total": "10200.67"}
    # The last instalment's odd cent makes it dearer than 12 % by four millionths.
    assert (answer["apr_simple"], answer["apr_irr"]) == ("0.120004", "0.126829")


def test_amounts_are_decimal_strings_with_two_places(ask: Any) -> None:
    for route in (QUOTES, SIMULATIONS):
        for row in ask(route, principal="999999.99", instalments=36).json()["rows"]:
            for name in set(MONEY) & set(row):
                assert isinstance(row[name], str), name
                assert Decimal(row[name]).as_tuple().exponent == -2, name


def test_a_quote_with_fees_costs_what_the_law_wants_shown(ask: Any) -> None:
    """The published example: 100,000.00 paid out less 1,000.00 against 8,833.30 a month costs 12.80 % and 13.58 %."""
    flat = {"repayment_method": "flat", "annual_rate": "0.06", "principal": "100000.00", "instalments": 12}

    answer = ask(QUOTES, **flat, instalment_rounding="0.10", fees=[{"amount": "1000.00", "on": "start"}]).json()

    assert [row["total"] for row in answer["rows"]] == ["8833.30"] * 11 + ["8833.70"]
    assert answer["totals"] == {
        "principal": "100000.00",
        "interest": "6000.00",
        "fees": "1000.00",
        "total": "107000.00",
    }
    assert [f"{Decimal(answer[name]):.2%}" for name in ("apr_simple", "apr_irr")] == ["12.80%", "13.58%"]


def test_no_rate_fits_where_nothing_is_paid_out(ask: Any) -> None:
    answer = ask(QUOTES, fees=[{"amount": "10000.00", "on": "start"}]).json()

    assert (answer["apr_simple"], answer["apr_irr"]) == (None, None)


def test_every_method_and_day_count_is_answered(ask: Any) -> None:
    methods = set(RepaymentMethod) - {RepaymentMethod.AGREED_PLAN}
    for method, day_count in product(methods, DayCount):
        answer = ask(QUOTES, repayment_method=method.value, day_count=day_count.value).json()

        assert len(answer["rows"]) == (1 if method is RepaymentMethod.BULLET else 3), method
        assert sum(Decimal(row["principal"]) for row in answer["rows"]) == Decimal("10000.00")


WRONG_TERMS: list[tuple[str, dict[str, Any]]] = [
    ("principal", {"principal": None}),
    ("principal", {"principal": "0"}),
    ("principal", {"principal": "-1.00"}),
    ("principal", {"principal": "1.001"}),
    ("principal", {"principal": "NaN"}),
    ("principal", {"principal": "ten"}),
    ("principal", {"principal": "9" * 20}),
    ("principal", {"principal": []}),
    ("annual_rate", {"annual_rate": None}),
    ("annual_rate", {"annual_rate": "-0.01"}),
    ("annual_rate", {"annual_rate": "12%"}),
    ("annual_rate", {"annual_rate": "Infinity"}),
    ("start_date", {"start_date": None}),
    ("start_date", {"start_date": "2026-02-30"}),
    ("repayment_method", {"repayment_method": "balloon"}),
    ("day_count", {"day_count": "actual"}),
    ("instalments", {"instalments": None}),
    ("instalments", {"instalments": 0}),
    ("instalments", {"instalments": 1201}),
    ("instalments", {"instalments": "three"}),
    ("instalments", {"instalments": 1200, "frequency": {"unit": "month", "every": 1200}}),
    ("frequency", {"frequency": "monthly"}),
    ("frequency.unit", {"frequency": {"unit": "year"}}),
    ("frequency.every", {"frequency": {"every": 0}}),
    ("first_due_date", {"first_due_date": "2026-01-15"}),
    ("first_due_date", {"first_due_date": "2026-03-10", "due_day": 20}),
    ("due_day", {"due_day": 32}),
    ("month_end", {"month_end": "stretch"}),
    ("principal_grace", {"principal_grace": 3}),
    ("principal_grace", {"principal_grace": -1}),
    ("interest_free", {"interest_free": 4}),
    ("interest_grace", {"interest_grace": 3}),
    ("instalment_rounding", {"instalment_rounding": "0"}),
    ("fees", {"fees": "none"}),
    ("fees.1.amount", {"fees": [{"amount": "1.00", "on": "each"}, {"amount": "x", "on": "each"}]}),
    ("fees.0.on", {"fees": [{"amount": "1.00", "on": "never"}]}),
]


def test_what_is_wrong_stands_beside_its_field(ask: Any) -> None:
    for route, (field, changes) in product((QUOTES, SIMULATIONS), WRONG_TERMS):
        assert list(errors_of(ask(route, **changes))) == [field], changes


def test_all_wrong_fields_are_named_at_once(ask: Any) -> None:
    wrong = {"principal": "x", "frequency": {"unit": "year", "every": 0}, "fees": [{}]}

    assert set(errors_of(ask(QUOTES, **wrong))) == {
        "principal", "frequency.unit", "frequency.every", "fees.0.amount", "fees.0.on",
    }  # fmt: skip


def test_a_body_that_is_no_object_is_told_so(api: Any) -> None:
    for route in (QUOTES, SIMULATIONS):
        assert "non_field_errors" in errors_of(api("lin").post(route, [LOAN], format="json"))
        broken = api("lin").post(route, "{", content_type="application/json")
        assert (broken.status_code, broken.data["type"]) == (400, "/problems/parse-error")


# --- simulations


def event(day: str, kind: str, **values: Any) -> dict[str, Any]:
    return {"date": day, "type": kind, **values}


def test_a_simulation_has_rows_with_what_is_paid_and_where_the_loan_is(ask: Any) -> None:
    answer = ask(SIMULATIONS, events=[event("2026-02-15", "repayment", amount="3400.22")], as_of="2026-03-02").json()

    assert set(answer) == {"rows", "totals", "as_of"}
    assert answer["rows"][0] == {
        "number": 1, "due_date": "2026-02-15", "days": 30, "principal": "3300.22", "interest": "100.00",
        "fees": "0.00", "penalties": "0.00", "total": "3400.22", "balance": "6699.78", "paid": "3400.22",
        "outstanding": "0.00",
    }  # fmt: skip
    assert answer["totals"]["paid"] == "3400.22"
    # 15 of the 28 days of a period whose interest is 67.00 in all, unrounded 66.9978
    assert answer["as_of"] == {
        "date": "2026-03-02", "accrued_interest": "35.89", "past_due_days": 0, "delinquent_days": 0,
        "overdue_amount": "0.00", "payoff_amount": "6735.67", "outstanding_principal": "6699.78", "held": "0.00",
    }  # fmt: skip


def test_arrears_after_their_days_of_grace(ask: Any) -> None:
    stands = ask(SIMULATIONS, events=[], grace_days=3, as_of="2026-02-20").json()["as_of"]

    assert (stands["past_due_days"], stands["delinquent_days"], stands["overdue_amount"]) == (5, 2, "3400.22")


def test_every_kind_of_event_changes_the_plan(ask: Any) -> None:
    planned = [(row["principal"], row["interest"]) for row in ask(QUOTES).json()["rows"]]
    kinds: dict[str, dict[str, Any]] = {
        "drawdown": {"amount": "500.00"},
        "rate_change": {"annual_rate": "0.06"},
        "interest_pause": {"until": "2026-03-01"},
        "extra_instalments": {"count": 2},
        "principal_grace": {"count": 2},
    }
    for kind, values in kinds.items():
        answer = ask(SIMULATIONS, events=[event("2026-02-20", kind, **values)]).json()

        assert [(row["principal"], row["interest"]) for row in answer["rows"]] != planned, kind
        lent = Decimal("10500.00") if kind == "drawdown" else Decimal("10000.00")
        assert sum(Decimal(row["principal"]) for row in answer["rows"]) == lent, kind


def test_every_place_for_a_surplus_is_known(ask: Any) -> None:
    for surplus in Surplus:
        paid = [event("2026-02-20", "repayment", amount="5000.00")]
        answer = ask(SIMULATIONS, surplus=surplus.value, events=paid, as_of="2026-02-20").json()

        assert Decimal(answer["totals"]["paid"]) + Decimal(answer["as_of"]["held"]) == 5000, surplus
        assert answer["totals"]["principal"] == "10000.00", surplus


def test_an_allocation_is_known_by_the_names_of_other_systems(ask: Any) -> None:
    order = ["PAST_DUE_PRINCIPAL", "due_interest"]

    answer = ask(SIMULATIONS, allocation=order, events=[event("2026-02-15", "repayment", amount="3300.22")]).json()

    assert (answer["rows"][0]["paid"], answer["rows"][0]["outstanding"]) == ("3300.22", "100.00")
    assert list(errors_of(ask(SIMULATIONS, allocation=["luck"]))) == ["allocation"]


WRONG_EVENTS: list[tuple[str, dict[str, Any]]] = [
    ("date", {"type": "repayment", "amount": "1.00"}),
    ("date", event("2026-13-01", "repayment", amount="1.00")),
    ("date", event("2026-01-14", "repayment", amount="1.00")),
    ("type", event("2026-02-01", "gift", amount="1.00")),
    ("type", {"date": "2026-02-01"}),
    ("amount", event("2026-02-01", "repayment")),
    ("amount", event("2026-02-01", "drawdown")),
    ("amount", event("2026-02-01", "fee")),
    ("amount", event("2026-02-01", "penalty", amount="0")),
    ("amount", event("2026-02-01", "repayment", amount="-5")),
    ("amount", event("2026-02-01", "repayment", amount="0.005")),
    ("annual_rate", event("2026-02-01", "rate_change")),
    ("annual_rate", event("2026-02-01", "rate_change", annual_rate="-0.1")),
    ("until", event("2026-02-01", "interest_pause")),
    ("until", event("2026-02-01", "interest_pause", until="2026-02-01")),
    ("count", event("2026-02-01", "extra_instalments")),
    ("count", event("2026-02-01", "principal_grace", count=0)),
    ("count", event("2026-02-01", "extra_instalments", count=1201)),
]


def test_what_is_wrong_in_an_event_stands_beside_its_field(ask: Any) -> None:
    fine = event("2026-02-01", "fee", amount="1.00")
    for field, wrong in WRONG_EVENTS:
        assert list(errors_of(ask(SIMULATIONS, events=[fine, wrong]))) == [f"events.1.{field}"], wrong


WRONG_SERVICING: list[tuple[str, dict[str, Any]]] = [
    ("events", {"events": "all"}),
    ("events.0", {"events": ["paid"]}),
    ("events", {"events": [event("2026-02-01", "fee", amount="1.00")] * 1001}),
    ("events.0.date", {"events": [event("2026-12-01", "rate_change", annual_rate="0.1")]}),
    ("events.0.amount", {"events": [event("2026-02-01", "payoff", amount="1.00")]}),
    ("surplus", {"surplus": "mine"}),
    ("payoff_interest", {"payoff_interest": "never"}),
    ("allocation", {"allocation": "interest"}),
    ("grace_days", {"grace_days": -1}),
    ("grace_days", {"grace_days": 366}),
    ("as_of", {"as_of": "soon"}),
]


def test_what_is_wrong_in_how_it_is_served_stands_beside_its_field(ask: Any) -> None:
    for field, changes in WRONG_SERVICING:
        assert list(errors_of(ask(SIMULATIONS, **changes))) == [field], changes


# --- both


def test_the_longest_loan_is_answered_at_once(ask: Any) -> None:
    longest = {"instalments": 1200, "principal": "99999999999999.99", "annual_rate": "0.36"}

    for route, values in ((QUOTES, {}), (SIMULATIONS, {"events": [event("2040-01-01", "repayment", amount="9.00")]})):
        before = time.process_time()
        answer = ask(route, **longest, **values)
        assert answer.status_code == 200
        assert len(answer.json()["rows"]) == 1200
        assert sum(Decimal(row["principal"]) for row in answer.json()["rows"]) == Decimal("99999999999999.99")
        assert time.process_time() - before < 2


def test_answers_may_be_larger_than_what_is_asked(ask: Any) -> None:
    answer = ask(QUOTES, principal="99999999999999.99", annual_rate="99", instalments=3).json()

    assert len(answer["totals"]["total"]) > len("99999999999999.99")
    day = ask(QUOTES, frequency={"unit": "day", "every": 1}, fees=[{"amount": "9999.99", "on": "start"}])
    assert day.status_code == 200


def test_nobody_asks_without_signing_in(db: None) -> None:
    for route in (QUOTES, SIMULATIONS):
        refused = APIClient().post(route, LOAN, format="json")
        assert refused.status_code == 401
        assert refused["Content-Type"] == "application/problem+json"
        assert APIClient().get(route).status_code == 401


def test_any_role_may_ask(api: Any) -> None:
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))
    for username in PEOPLE:
        for route in (QUOTES, SIMULATIONS):
            assert api(username).post(route, LOAN, format="json").status_code == 200, username


def test_the_same_key_gets_the_same_answer(api: Any) -> None:
    client = api("lin")
    for route in (QUOTES, SIMULATIONS):
        first = client.post(route, LOAN, format="json", headers={"Idempotency-Key": route})
        again = client.post(route, LOAN, format="json", headers={"Idempotency-Key": route})
        other = client.post(route, LOAN | {"instalments": 4}, format="json", headers={"Idempotency-Key": route})

        assert again["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()
        assert (other.status_code, other.data["type"]) == (409, "/problems/idempotency-key-reused")


def test_errors_speak_the_language_asked_for(api: Any) -> None:
    body = LOAN | {"events": [event("2026-02-01", "payoff", amount="1.00")]}

    told = api("lin").post(SIMULATIONS, body, format="json", headers={"accept-language": "zh-CN"}).json()

    assert told["title"] == "请更正标出的字段"
    assert "结清" in told["errors"]["events.0.amount"][0]


PLAN = [
    {"due_date": "2026-02-15", "principal": "2000.00"},
    {"due_date": "2026-03-15", "principal": "3000.00"},
    {"due_date": "2026-04-15", "principal": "5000.00"},
]
AGREED: dict[str, Any] = {"repayment_method": "agreed_plan", "instalments": None, "frequency": None}


def test_an_agreed_plan_is_its_rows(ask: Callable[..., Any]) -> None:
    """31, 28 and 31 days of 12 % over 360 on 10,000.00, 8,000.00 and 5,000.00."""
    quote = ask(QUOTES, **AGREED, plan=PLAN, day_count="actual/360")
    assert quote.status_code == 200, quote.data
    rows = [(row["due_date"], row["principal"], row["interest"]) for row in quote.json()["rows"]]
    assert rows == [
        ("2026-02-15", "2000.00", "103.33"), ("2026-03-15", "3000.00", "74.67"), ("2026-04-15", "5000.00", "51.67"),
    ]  # fmt: skip
    event = {"date": "2026-03-15", "type": "payoff"}
    served = ask(SIMULATIONS, **AGREED, plan=PLAN, day_count="actual/360", events=[event], as_of="2026-03-15")
    assert served.status_code == 200, served.data
    assert served.json()["as_of"]["payoff_amount"] == "0.00"


@pytest.mark.parametrize(
    ("field", "plan"),
    [
        ("plan", None),
        ("plan", PLAN[:2]),
        ("plan.1.due_date", [PLAN[0], PLAN[0] | {"principal": "8000.00"}]),
        ("plan.0.due_date", [{"due_date": "2026-01-15", "principal": "10000.00"}]),
        ("plan.1.principal", [PLAN[0], PLAN[1] | {"principal": "x"}]),
    ],
)
def test_a_wrong_plan_says_which_row(ask: Callable[..., Any], field: str, plan: Any) -> None:
    assert field in errors_of(ask(QUOTES, **AGREED, plan=plan))
