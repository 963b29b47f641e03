"""Our schedules against those other systems publish, row by row and to the cent.

Where we keep to another convention on purpose the case stands in `disagreements.py` with the reason; a listed case
that starts to agree fails too, so that the list stays true.
"""

from decimal import Decimal

import pytest

from tests.golden.disagreements import DISAGREEMENTS
from tests.golden.published import Published, answer_of, differences, published

SCHEDULES, SERVICING = published("schedules"), published("servicing")
ZERO = Decimal(0)


def by_key(case: Published) -> str:
    return case.key


@pytest.mark.parametrize("case", SCHEDULES + SERVICING, ids=by_key)
def test_the_answer_is_the_published_one(case: Published) -> None:
    found = differences(case.expected, answer_of(case.request))
    if case.key in DISAGREEMENTS:
        assert found, f"{case.source} agrees now: take it off the list of disagreements"
    else:
        assert not found, "\n".join([case.source, case.note, *found])


def test_the_list_of_disagreements_names_published_cases() -> None:
    assert set(DISAGREEMENTS) <= {case.key for case in SCHEDULES + SERVICING}


def test_every_case_has_a_name_of_its_own_and_a_source() -> None:
    cases = SCHEDULES + SERVICING
    assert len({case.key for case in cases}) == len(cases)
    assert all(case.source and case.note for case in cases)


@pytest.mark.parametrize("case", SCHEDULES + SERVICING, ids=by_key)
def test_published_figures_add_up(case: Published) -> None:
    """A slip of the pen in a case would be held against the engine: its own figures must fit each other."""
    for row in case.rows:
        amounts = {key: Decimal(value) for key, value in row.items() if key not in ("number", "due_date", "days")}
        if {"principal", "interest", "total"} <= set(amounts):
            parts = (
                amounts["principal"] + amounts["interest"] + amounts.get("fees", ZERO) + amounts.get("penalty", ZERO)
            )
            assert parts == amounts["total"], row
        if {"paid", "outstanding"} <= set(amounts):
            assert amounts["paid"] + amounts["outstanding"] == amounts["total"], row
    lent = Decimal(case.request["principal"]) + sum(
        Decimal(event["amount"]) for event in case.request.get("events", ()) if event["type"] == "drawdown"
    )
    if case.is_whole and all("principal" in row for row in case.rows):
        assert sum(Decimal(row["principal"]) for row in case.rows) == lent
    for key, value in case.expected.get("totals", {}).items():
        if case.is_whole and all(key in row for row in case.rows):
            assert sum(Decimal(row[key]) for row in case.rows) == Decimal(value) - _kept_back(case, key), key


def _kept_back(case: Published, key: str) -> Decimal:
    """Fees at the start stand in the totals and in no row."""
    if key not in ("fees", "total"):
        return ZERO
    return sum((Decimal(fee["amount"]) for fee in case.request.get("fees", ()) if fee["on"] == "start"), ZERO)


@pytest.mark.parametrize("case", SERVICING, ids=by_key)
def test_published_balances_run_down_row_by_row(case: Published) -> None:
    """Balances are those after the rows' principal and the drawdowns up to the due date."""
    lent = Decimal(case.request["principal"])
    drawdowns = [event for event in case.request["events"] if event["type"] == "drawdown"]
    paid_down = ZERO
    for row in case.rows if case.is_whole else ():
        paid_down += Decimal(row.get("principal", ZERO))
        if "balance" in row:
            drawn = sum(Decimal(event["amount"]) for event in drawdowns if event["date"] <= row["due_date"])
            assert Decimal(row["balance"]) == lent + drawn - paid_down, row
