"""Money held for the borrower: kept when nothing is due, put to what falls due, used before what comes in."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from branch.domain.money import from_cents
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.servicing import Account, Event, EventType, Servicing, Surplus, replay, standing
from loans.domain.terms import RepaymentMethod, ScheduleTerms, TermsError

START, FIRST, SECOND = date(2026, 3, 2), date(2026, 4, 2), date(2026, 5, 2)
#: 120,000.00 at 6 % over six months in equal principal: 20,000.00 and 620.00 of interest on the first due date.
TERMS = ScheduleTerms(
    principal=Decimal("120000.00"),
    annual_rate=Decimal("0.06"),
    start_date=START,
    repayment_method=RepaymentMethod.EQUAL_PRINCIPAL,
    day_count=DayCount.ACTUAL_360,
    instalments=6,
)
HOUSE = Servicing(surplus=Surplus.HOLD, late_interest=False, penalty_rate=Decimal("0.09"), by_kind=True)


def paid(day: date, amount: str, **facts: Any) -> Event:
    return Event(date=day, type=EventType.REPAYMENT, amount=Decimal(amount), **facts)


def served(*events: Event, until: date) -> Account:
    account = replay(TERMS, events, HOUSE)
    account.advance(until)
    return account


def test_what_is_not_due_is_held_and_nothing_else_moves() -> None:
    account = served(paid(START, "130000.00"), until=FIRST)
    assert from_cents(account.held) == Decimal("130000.00")
    assert [line.total_paid for line in account.lines] == [0] * 6


def test_held_money_pays_on_the_due_day_and_no_penalty_runs() -> None:
    account = served(paid(START, "20620.00"), until=FIRST + timedelta(days=20))
    assert account.held == 0
    assert account.lines[0].paid == account.lines[0].asked
    assert account.lines[0].asked[DueKind.PENALTY] == 0
    used = [posting for posting in account.postings if posting.event == -1]
    assert {posting.date for posting in used} == {FIRST}
    assert sum(posting.cents for posting in used) == 0


def test_it_is_not_used_before_the_due_day_is_over() -> None:
    account = served(paid(START, "20620.00"), until=FIRST)
    assert from_cents(account.held) == Decimal("20620.00")
    assert account.use_held(FIRST) == 20620_00


def test_too_little_pays_in_part_and_the_rest_bears_penalty() -> None:
    account = served(paid(START, "620.00"), until=FIRST + timedelta(days=10))
    # 20,000.00 × 9 % × 10 ÷ 360
    assert from_cents(account.lines[0].asked[DueKind.PENALTY]) == Decimal("50.00")


def test_what_comes_in_is_used_together_with_what_is_held() -> None:
    account = served(paid(START, "20000.00"), paid(FIRST, "620.00"), until=SECOND)
    assert account.lines[0].paid == account.lines[0].asked
    of_second = [posting for posting in account.postings if posting.event == 1]
    assert sum(posting.cents for posting in of_second) == 620_00
    assert -20000_00 in [posting.cents for posting in of_second if posting.kind is None]


def test_held_money_lowers_what_paying_off_takes() -> None:
    day = date(2026, 3, 12)
    # 120,000.00 × 6 % × 10 ÷ 360 = 200.00
    held = paid(START, "50000.00")
    assert standing(served(held, until=day), day).payoff_amount == Decimal("70200.00")
    with pytest.raises(TermsError, match=r"70200\.00"):
        served(held, Event(date=day, type=EventType.PAYOFF, amount=Decimal("70199.99")), until=day)
    account = served(held, Event(date=day, type=EventType.PAYOFF, amount=Decimal("70200.00")), until=day)
    assert (account.balance(), account.held) == (0, 0)


def test_one_payment_may_say_where_its_surplus_goes() -> None:
    account = served(paid(FIRST, "40620.00", surplus=Surplus.LOWER_INSTALMENT), paid(FIRST, "1.00"), until=FIRST)
    assert from_cents(account.balance()) == Decimal("80000.00")
    assert from_cents(account.held) == Decimal("1.00")
    assert [line.asked[DueKind.PRINCIPAL] for line in account.lines] == [40000_00, *[16000_00] * 5]
