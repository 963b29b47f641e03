"""What if on a loan: its own terms and payments so far, one thing tried, old beside new, nothing changed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import InvalidInput, NotFound
from loans.models import Loan
from loans.queries.what_if import WhatIf, what_if
from tests.loans.given import everything, move_to, paid_out_loan
from tests.loans.test_lending_pages import api, visitor  # noqa: F401 - fixtures

TRIED: list[dict[str, Any]] = [
    {"what": "repayment", "amount": Decimal("50000.00"), "surplus": "shorten_term"},
    {"what": "repayment", "amount": Decimal("50000.00"), "surplus": "lower_instalment"},
    {"what": "rate_change", "annual_rate": Decimal("0.03")},
    {"what": "extra_instalments", "count": 3},
    {"what": "principal_grace", "count": 2},
    {"what": "interest_pause", "days": 20},
]


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    return paid_out_loan(cast)


def tried(cast: SimpleNamespace, loan: Loan, username: str = "lin", **values: Any) -> WhatIf:
    day = values.pop("on_date", loan.instalments.get(number=1).due_date + timedelta(days=10))
    if days := values.pop("days", 0):
        values["until"] = day + timedelta(days=days)
    return what_if(actor=cast.actor(username), loan_id=loan.pk, on_date=day, **values)


def test_everything_that_can_be_tried_leaves_the_loan_alone(cast: SimpleNamespace, loan: Loan) -> None:
    before = everything()
    for values in TRIED:
        found = tried(cast, loan, **dict(values))
        old = [pair.old for pair in found.change.pairs if pair.old]
        stored = loan.instalments.order_by("number")
        # The old plan is the stored one, the new one another that pays back as much
        assert [(row.due_date, row.principal, row.interest) for row in old] == [
            (row.due_date, row.principal, row.interest) for row in stored
        ]
        assert sum(pair.new.principal for pair in found.change.pairs if pair.new) == loan.principal
        assert any(pair.is_changed for pair in found.change.pairs), values
    assert everything() == before


def test_a_prepayment_shortens_or_lowers(cast: SimpleNamespace, loan: Loan) -> None:
    shorter = tried(cast, loan, **TRIED[0]).change
    lower = tried(cast, loan, **TRIED[1]).change

    assert shorter.interest_saved > lower.interest_saved > 0
    assert (shorter.days_earlier > 0, lower.days_earlier) == (True, 0)
    assert lower.instalment.difference < 0


def test_what_was_paid_so_far_counts(cast: SimpleNamespace, loan: Loan, visitor: Any) -> None:  # noqa: F811
    first = loan.instalments.get(number=1)
    move_to(first.due_date)
    amount = first.principal + first.interest
    visitor("he").post(f"/loans/{loan.pk}/repay/", {"amount": str(amount), "reference": "R-1"})

    found = tried(cast, loan, what="repayment", amount=Decimal("1000.00"), on_date=first.due_date)

    assert found.standing.outstanding_principal == loan.principal - first.principal - Decimal("1000.00")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"what": "repayment"}, "amount"),
        ({"what": "rate_change"}, "annual_rate"),
        ({"what": "extra_instalments"}, "count"),
        ({"what": "interest_pause"}, "until"),
        ({"what": "interest_pause", "days": -1}, "until"),
        ({"what": "repayment", "amount": Decimal(1), "on_date": "before"}, "on_date"),
        ({"what": "rate_change", "annual_rate": Decimal(0), "on_date": "after"}, "on_date"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    cast: SimpleNamespace, loan: Loan, values: dict[str, Any], field: str
) -> None:
    days = {"before": loan.start_date - timedelta(days=1), "after": loan.maturity_date + timedelta(days=1)}
    if "on_date" in values:
        values = values | {"on_date": days[values["on_date"]]}
    with pytest.raises(InvalidInput) as refused:
        tried(cast, loan, **values)
    assert list(refused.value.fields) == [field]


def test_nobody_tries_on_a_loan_he_does_not_see(cast: SimpleNamespace, loan: Loan) -> None:
    with pytest.raises(NotFound):
        tried(cast, loan, "outsider", what="repayment", amount=Decimal(1))


def test_page_and_api_show_old_and_new(loan: Loan, visitor: Any, api: Any) -> None:  # noqa: F811
    body = {
        "what": "repayment",
        "on_date": loan.start_date.isoformat(),
        "amount": "20,000.00",
        "surplus": "shorten_term",
    }

    page = visitor("feng").post(f"/loans/{loan.pk}/what-if/", body)
    answer = api("feng").post(f"/api/v1/loans/{loan.pk}/what-if/", body | {"amount": "20000.00"}, format="json")
    missing = visitor("feng").post(f"/loans/{loan.pk}/what-if/", body | {"amount": ""})

    assert page.status_code == 200
    assert "Old and new" in page.content.decode()
    assert "Interest saved" in page.content.decode()
    assert Decimal(answer.json()["interest_saved"]) > 0
    assert len(answer.json()["rows"]) == loan.instalments.count()
    assert (missing.status_code, "This field is required" in missing.content.decode()) == (400, True)
