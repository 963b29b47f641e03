"""What is stored of a replayed loan: its first rows are its schedule, and nights that know only them accrue what the
replay says, whatever happened to the loan."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from branch.domain.money import ZERO
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.owed import ScheduleRow, accrued_on, owed_on
from loans.domain.periods import Frequency, Unit
from loans.domain.schedule import build_schedule
from loans.domain.servicing import Account, Event, EventType, Servicing, Surplus, replay, standing
from loans.domain.stored_rows import StoredRow, accrued, stored_rows
from loans.domain.terms import PlanRow, RepaymentMethod, ScheduleTerms

START = date(2024, 1, 31)
HOUSE = Servicing(surplus=Surplus.HOLD, late_interest=False, penalty_rate=Decimal("0.09"), by_kind=True)


def terms(**changes: Any) -> ScheduleTerms:
    facts: dict[str, Any] = {
        "principal": Decimal("120000.00"),
        "annual_rate": Decimal("0.06"),
        "start_date": START,
        "repayment_method": RepaymentMethod.EQUAL_INSTALMENT,
        "day_count": DayCount.ACTUAL_360,
        "instalments": 6,
    }
    return ScheduleTerms(**(facts | changes))


def rows_of(account: Account) -> list[ScheduleRow]:
    names = StoredRow.__dataclass_fields__
    return [ScheduleRow(**{name: getattr(row, name) for name in names}) for row in stored_rows(account, ZERO)]


@pytest.mark.parametrize("method", [method for method in RepaymentMethod if method is not RepaymentMethod.AGREED_PLAN])
@pytest.mark.parametrize("day_count", list(DayCount))
@pytest.mark.parametrize("graces", [{}, {"principal_grace": 2}, {"interest_grace": 2}, {"interest_free": 1}])
def test_before_anything_happens_it_is_the_schedule(
    method: RepaymentMethod, day_count: DayCount, graces: dict[str, int]
) -> None:
    planned = terms(repayment_method=method, day_count=day_count, **graces)
    stored = stored_rows(replay(planned, (), HOUSE), ZERO)
    scheduled = build_schedule(planned).rows
    assert [(r.number, r.start_date, r.due_date, r.principal, r.interest, r.balance_after) for r in stored] == [
        (r.number, r.period_start, r.due_date, r.principal, r.interest, r.balance) for r in scheduled
    ]


def test_an_agreed_plan_is_its_rows() -> None:
    plan = tuple(PlanRow(date(2024, month, 15), Decimal(amount)) for month, amount in ((3, 20000), (6, 0), (9, 100000)))
    planned = terms(repayment_method=RepaymentMethod.AGREED_PLAN, instalments=3, plan=plan)
    stored = stored_rows(replay(planned, (), HOUSE), ZERO)
    assert [(row.due_date, row.principal) for row in stored] == [(row.due_date, row.principal) for row in plan]
    assert [row.interest for row in stored] == [row.interest for row in build_schedule(planned).rows]


def paid(day: date, amount: str, surplus: Surplus) -> Event:
    return Event(date=day, type=EventType.REPAYMENT, amount=Decimal(amount), surplus=surplus)


_DAYS = st.integers(0, 200)
_EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("pay"), _DAYS, st.integers(1, 40_000), st.sampled_from(Surplus)),
        st.tuples(st.just("rate"), _DAYS, st.sampled_from(["0.04", "0.075"]), st.none()),
        st.tuples(st.just("pause"), _DAYS, st.integers(1, 50), st.none()),
        st.tuples(st.just("fee"), _DAYS, st.integers(1, 90), st.none()),
    ),
    max_size=6,
)


def event(kind: str, offset: int, value: Any, surplus: Surplus | None) -> Event:
    day = START + timedelta(days=offset)
    if kind == "pay":
        return Event(date=day, type=EventType.REPAYMENT, amount=Decimal(value), surplus=surplus)
    if kind == "rate":
        return Event(date=day, type=EventType.RATE_CHANGE, annual_rate=Decimal(value))
    if kind == "pause":
        return Event(date=day, type=EventType.INTEREST_PAUSE, until=day + timedelta(days=value))
    return Event(date=day, type=EventType.FEE, amount=Decimal(value))


@settings(max_examples=150, deadline=None)
@given(
    drawn=_EVENTS,
    today=st.integers(0, 170),
    method=st.sampled_from([m for m in RepaymentMethod if m is not RepaymentMethod.AGREED_PLAN]),
    day_count=st.sampled_from(DayCount),
    unit=st.sampled_from(Unit),
)
def test_rows_alone_say_what_accrues_and_what_settles(
    drawn: list[tuple[str, int, Any, Any]], today: int, method: RepaymentMethod, day_count: DayCount, unit: Unit
) -> None:
    planned = terms(
        repayment_method=method, day_count=day_count, frequency=Frequency(unit, 1 if unit is Unit.MONTH else 4)
    )
    day = START + timedelta(days=today)
    last = build_schedule(planned).rows[-1].due_date
    events = [event(*facts) for facts in drawn]
    events = [e for e in events if e.date <= day and e.date < last]
    account = replay(planned, events, HOUSE)
    account.advance(day)
    rows, rate = rows_of(account), Decimal(str(float(account.plan.clock.rates[-1][1])))
    so_far = accrued(account, ZERO, ZERO)

    # The pay-off figure from the rows is that of the replay, today and on later days.
    for later in range(3):
        then = day + timedelta(days=later)
        ahead = replay(planned, events, HOUSE)
        now = standing(ahead, then)
        penalty = sum((row_penalty(line) for line in ahead.lines), ZERO)
        owed = owed_on(then, rows, penalty_due=penalty, annual_rate=rate, day_count=day_count)
        assert max(owed.payoff_amount - now.held, ZERO) == now.payoff_amount

    # Night by night the rows accrue what the replay has then.
    for offset in range(40):
        night = day + timedelta(days=offset)
        ahead = replay(planned, events, HOUSE)
        ahead.advance(night)
        running = [
            accrued_on(night, row, rate, day_count) for row in rows if row.start_date < night and row.period_end > day
        ]
        before = [row.earned for row in rows if row.period_end <= day]
        if account.ended is None:
            assert sum(running, ZERO) + sum(before, ZERO) == accrued(ahead, ZERO, ZERO).interest
    assert so_far.interest >= 0


def row_penalty(line: Any) -> Decimal:
    return Decimal(line.unpaid(DueKind.PENALTY)) / 100
