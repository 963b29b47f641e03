"""What holds for a loan served through anything: nothing is lost, nothing is negative, no order of entry matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from branch.domain.calendar import MonthEnd
from branch.domain.money import from_cents, to_cents
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit
from loans.domain.schedule import Fee, FeeOn, RepaymentMethod, ScheduleTerms, TermsError, build_schedule
from loans.domain.servicing import (
    Account,
    Event,
    EventType,
    PayoffInterest,
    Servicing,
    Surplus,
    replay,
    served_rows,
    standing,
)
from loans.domain.servicing.events import DEFAULT_ALLOCATION
from loans.domain.terms import PlanRow
from loans.queries.calculator import simulate
from tests.domain.golden_schedules import terms
from tests.domain.test_schedules import any_terms

START = date(2026, 1, 15)
METHODS = tuple(method for method in RepaymentMethod if method is not RepaymentMethod.AGREED_PLAN)
WAIVED = (DueKind.FEE, DueKind.PENALTY, DueKind.INTEREST)
HAPPENS = tuple(kind for kind in EventType if kind is not EventType.MISUSE)
PAYMENTS = (EventType.REPAYMENT, EventType.PAYOFF)
SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def loan(**changes: Any) -> ScheduleTerms:
    """10,000.00 at 12 % over six months."""
    return terms(**({"start_date": START, "instalments": 6} | changes))


def repaid(day: date, amount: str | Decimal) -> Event:
    return Event(date=day, type=EventType.REPAYMENT, amount=Decimal(amount))


def as_rows(account: Account) -> list[tuple[Any, ...]]:
    return [
        (row.number, row.due_date, row.days, row.principal, row.interest, row.fees, row.total, row.balance)
        for row in served_rows(account)
    ]


def outcome(account: Account, day: date) -> tuple[Any, ...]:
    """All a bank sees of it: the rows with what is paid on them, and where the loan stands at the end of `day`."""
    stands = standing(account, day)
    return served_rows(account), stands


# --- without events it is the schedule

EDGES: tuple[dict[str, Any], ...] = (
    {},
    {"first_due_date": date(2028, 2, 29)},
    {"first_due_date": date(2027, 11, 5)},
    {"month_end": MonthEnd.ROLL},
    {"principal_grace": 2},
    {"interest_grace": 2},
    {"interest_free": 2},
    {"principal_grace": 3, "interest_free": 1, "interest_grace": 2},
    {"instalments": 1},
    {"annual_rate": Decimal(0)},
    {"instalment_rounding": Decimal(100)},
    {"fees": (Fee(Decimal("5.00"), FeeOn.EACH), Fee(Decimal("50.00"), FeeOn.START))},
)


@given(any_terms())
@settings(max_examples=100, deadline=None)
def test_without_events_it_is_the_schedule_row_by_row(loan: ScheduleTerms) -> None:
    planned = [row[:8] for row in build_schedule(loan).rows]

    assert as_rows(replay(loan)) == planned


@pytest.mark.parametrize("method", METHODS)
def test_without_events_every_day_count_frequency_grace_and_stub(method: RepaymentMethod) -> None:
    plain = loan(repayment_method=method, start_date=date(2027, 10, 31))
    frequencies = [Frequency(Unit.DAY, 10), Frequency(Unit.WEEK, 2), Frequency(Unit.MONTH, 1), Frequency(Unit.MONTH, 3)]
    for day_count, frequency, changes in product(DayCount, frequencies, EDGES):
        changed = replace(plain, day_count=day_count, frequency=frequency, **changes)
        assert as_rows(replay(changed)) == [row[:8] for row in build_schedule(changed).rows], changed


# --- with events


@st.composite
def served_terms(draw: st.DrawFn) -> ScheduleTerms:
    """Loans of the kind that is served: some weeks to some years, grace and fees on some of them."""
    instalments = draw(st.integers(1, 12))
    start = draw(st.dates(date(2023, 1, 1), date(2028, 12, 31)))
    method = draw(st.sampled_from(METHODS))
    return ScheduleTerms(
        principal=draw(st.decimals("1.00", "99999.99", places=2)),
        annual_rate=draw(st.sampled_from([Decimal(text) for text in ("0", "0.0435", "0.12", "0.36")])),
        start_date=start,
        repayment_method=method,
        day_count=draw(st.sampled_from(DayCount)),
        instalments=instalments,
        frequency=draw(st.sampled_from([Frequency(Unit.MONTH, 1), Frequency(Unit.MONTH, 3), Frequency(Unit.WEEK, 2)])),
        first_due_date=draw(st.none() | st.integers(1, 60).map(lambda days: start + timedelta(days=days))),
        principal_grace=draw(st.integers(0, instalments - 1) | st.just(0)),
        interest_free=draw(st.just(0) | st.integers(0, instalments)),
        interest_grace=draw(st.just(0) | st.integers(0, instalments - 1)),
        fees=draw(st.sampled_from([(), (Fee(Decimal("5.00"), FeeOn.EACH),)])),
    )


@st.composite
def agreed_plans(draw: st.DrawFn) -> ScheduleTerms:
    """A plan typed row by row: any days, any principal."""
    start = date(2025, 11, 3)
    days = sorted(draw(st.sets(st.integers(1, 900), min_size=1, max_size=8)))
    parts = [draw(st.decimals("0.00", "9999.99", places=2)) for _ in days[1:]] + [Decimal("100.00")]
    return ScheduleTerms(
        principal=sum(parts, Decimal(0)),
        annual_rate=draw(st.sampled_from([Decimal(text) for text in ("0", "0.0435", "0.12", "0.36")])),
        start_date=start,
        repayment_method=RepaymentMethod.AGREED_PLAN,
        day_count=draw(st.sampled_from(DayCount)),
        instalments=len(days),
        plan=tuple(PlanRow(start + timedelta(days=day), part) for day, part in zip(days, parts, strict=True)),
    )


@st.composite
def served_how(draw: st.DrawFn) -> Servicing:
    return Servicing(
        surplus=draw(st.sampled_from(Surplus)),
        payoff_interest=draw(st.sampled_from(PayoffInterest)),
        allocation=tuple(draw(st.permutations(DEFAULT_ALLOCATION))),
        by_kind=draw(st.booleans()),
        grace_days=draw(st.integers(0, 10)),
        late_interest=draw(st.booleans()),
    )


def days_of(loan: ScheduleTerms) -> int:
    return (build_schedule(loan).rows[-1].period_end - loan.start_date).days


def happens(draw: st.DrawFn, loan: ScheduleTerms, kinds: Sequence[EventType]) -> Event:
    """Something that can happen to the loan; what changes its terms happens while it runs."""
    kind, days = draw(st.sampled_from(kinds)), days_of(loan)
    is_free = kind in (*PAYMENTS, EventType.FEE, EventType.PENALTY, EventType.WAIVER)
    day = loan.start_date + timedelta(days=draw(st.integers(0, days + 40 if is_free else max(days - 1, 0))))
    most = loan.principal / 2 if kind is EventType.DRAWDOWN else loan.principal * 2
    amount = draw(st.decimals("0.01", max(most, Decimal("0.01")).quantize(Decimal("0.01")), places=2))
    values: dict[EventType, dict[str, Any]] = {
        EventType.WAIVER: {"amount": Decimal("0.50"), "kind": draw(st.sampled_from(WAIVED))},
        EventType.RATE_CHANGE: {"annual_rate": draw(st.sampled_from([Decimal("0.03"), Decimal("0.2")]))},
        EventType.INTEREST_PAUSE: {"until": day + timedelta(days=draw(st.integers(1, 90)))},
        EventType.EXTRA_INSTALMENTS: {"count": draw(st.integers(1, 6))},
        EventType.PRINCIPAL_GRACE: {"count": draw(st.integers(1, 3))},
        EventType.CALL_IN: {},
        EventType.FEE: {"amount": Decimal("7.77")},
        EventType.PENALTY: {"amount": Decimal("3.33")},
        EventType.PAYOFF: {},
    }
    return Event(date=day, type=kind, **values.get(kind, {"amount": amount}))


@st.composite
def lives(draw: st.DrawFn, kinds: Sequence[EventType] = HAPPENS, most: int = 6) -> tuple[Any, ...]:
    """A loan, what happens to it, and how it is served. A life that can't have been is not drawn."""
    loan, how = draw(served_terms() | agreed_plans()), draw(served_how())
    events = [happens(draw, loan, kinds) for _ in range(draw(st.integers(1, most)))]
    rates = [event.date for event in events if event.type is EventType.RATE_CHANGE]
    assume(len(rates) == len(set(rates)))  # of two rates for one day, one is a mistake
    try:
        replay(loan, events, how)
    except TermsError:
        assume(False)
    return loan, events, how


def last_day(loan: ScheduleTerms, events: Sequence[Event]) -> date:
    return max(event.date for event in events) if events else loan.start_date


@given(lives())
@SLOW
def test_principal_sums_to_what_was_paid_out_and_nothing_is_negative(life: tuple[Any, ...]) -> None:
    loan, events, how = life
    account = replay(loan, events, how)
    stands = standing(account, last_day(loan, events))
    rows = served_rows(account)

    drawn = [event.amount for event in events if event.type is EventType.DRAWDOWN]
    assert sum(row.principal for row in rows) == loan.principal + sum(drawn)
    assert rows[-1].balance == 0
    for row in rows:
        assert row.days >= 0, row
        assert min(row.principal, row.interest, row.fees, row.penalties, row.balance) >= 0, row
        assert min(row.paid, row.outstanding) >= 0, row
        assert row.total == row.principal + row.interest + row.fees
        assert row.total == row.paid + row.outstanding
    for name in (
        "accrued_interest",
        "past_due_days",
        "overdue_amount",
        "payoff_amount",
        "outstanding_principal",
        "held",
    ):
        assert getattr(stands, name) >= 0, name
    for line in account.lines:
        assert all(line.paid[kind] <= line.asked[kind] for kind in DueKind), line
    repaid_principal = sum(line.paid[DueKind.PRINCIPAL] for line in account.lines)
    assert stands.outstanding_principal == loan.principal + sum(drawn) - from_cents(repaid_principal)


@given(lives())
@SLOW
def test_nothing_is_lost(life: tuple[Any, ...]) -> None:
    """What came in is what stands on the rows and what is held, event by event."""
    loan, events, how = life
    account = replay(loan, events, how)

    put = {number: sum(p.cents for p in account.postings if p.event == number) for number in range(len(events))}
    assert sum(put.values()) == sum(line.total_paid for line in account.lines) + account.held
    assert all(posting.cents > 0 for posting in account.postings if posting.number)
    came_in = sorted(to_cents(event.amount) for event in events if event.type is EventType.REPAYMENT)
    payoffs = sum(1 for event in events if event.type is EventType.PAYOFF)
    booked = sorted(cents for cents in put.values() if cents)
    # A pay-off takes its own figure; every other payment is all there.
    for cents in came_in:
        booked.remove(cents)
    assert len(booked) <= payoffs


@given(lives(), st.data())
@SLOW
def test_the_order_of_entry_never_matters(life: tuple[Any, ...], data: st.DataObject) -> None:
    loan, events, how = life
    entered = data.draw(st.permutations(events))
    day = last_day(loan, events)

    assert outcome(replay(loan, entered, how), day) == outcome(replay(loan, events, how), day)


@given(served_terms(), served_how(), st.data())
@SLOW
def test_halves_paid_on_one_day_pay_the_same_due_items(
    loan: ScheduleTerms, how: Servicing, data: st.DataObject
) -> None:
    day = loan.start_date + timedelta(days=data.draw(st.integers(1, days_of(loan) + 60)))
    untouched = replay(loan, [], how)
    untouched.advance(day)
    due = untouched.due(day)
    assume(due >= 2)
    amount = data.draw(st.integers(2, due))
    first = data.draw(st.integers(1, amount - 1))

    whole = replay(loan, [repaid(day, from_cents(amount))], how)
    halves = replay(loan, [repaid(day, from_cents(first)), repaid(day, from_cents(amount - first))], how)

    assert outcome(halves, day) == outcome(whole, day)
    assert whole.held == 0


@given(served_terms(), st.integers(1, 200), st.data())
@SLOW
def test_paying_late_never_makes_interest_less(loan: ScheduleTerms, days: int, data: st.DataObject) -> None:
    rows = build_schedule(loan).rows
    missed = data.draw(st.sampled_from(rows))
    on_time = [repaid(row.due_date, row.total) for row in rows if row.total and row.number < missed.number]
    seen = missed.due_date + timedelta(days=days)

    account = replay(loan, on_time, Servicing(late_interest=True))
    late = standing(account, seen)

    asked = served_rows(account)
    assert all(row.interest >= 0 for row in asked)
    assert sum(row.interest for row in asked) >= sum(row.interest for row in rows)
    assert late.payoff_amount >= missed.total


@given(lives(), st.data())
@SLOW
def test_a_day_in_the_past_counts_only_what_had_happened(life: tuple[Any, ...], data: st.DataObject) -> None:
    loan, events, how = life
    day = loan.start_date + timedelta(days=data.draw(st.integers(0, days_of(loan) + 40)))

    said = simulate(values_of(loan), [values_of(event) for event in events], values_of(how), day)["as_of"]
    happened = [event for event in events if event.date <= day]
    stands = standing(replay(loan, happened, how), day)

    assert said == {name: getattr(stands, name) for name in said}


def values_of(thing: Any) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in thing.__dataclass_fields__}


@given(lives(kinds=(EventType.REPAYMENT, EventType.DRAWDOWN, EventType.RATE_CHANGE, EventType.FEE)), st.data())
@SLOW
def test_two_payments_of_one_day_equal_one_of_their_sum(life: tuple[Any, ...], data: st.DataObject) -> None:
    loan, events, how = life
    day = loan.start_date + timedelta(days=data.draw(st.integers(0, days_of(loan) + 10)))
    one, other = (data.draw(st.decimals("0.01", "60000.00", places=2)) for _ in range(2))

    together = replay(loan, [*events, repaid(day, one + other)], how)
    apart = replay(loan, [*events, repaid(day, one), repaid(day, other)], how)

    seen = max(day, last_day(loan, events))
    assert outcome(apart, seen) == outcome(together, seen)


@given(lives(kinds=[kind for kind in HAPPENS if kind is not EventType.PAYOFF], most=4), st.data())
@SLOW
def test_a_payoff_leaves_nothing_and_the_next_costs_nothing(life: tuple[Any, ...], data: st.DataObject) -> None:
    loan, events, how = life
    day = last_day(loan, events) + timedelta(days=data.draw(st.integers(0, 60)))
    before = standing(replay(loan, events, how), day)
    paid_off = [*events, Event(date=day, type=EventType.PAYOFF)]

    account = replay(loan, paid_off, how)
    after = standing(account, day)

    assert not any((after.payoff_amount, after.outstanding_principal, after.accrued_interest))
    assert not after.overdue_amount
    assert not after.past_due_days
    assert all(row.outstanding == 0 for row in served_rows(account))
    again = replay(loan, [*paid_off, Event(date=day, type=EventType.PAYOFF)], how)
    assert outcome(again, day) == outcome(account, day)
    later = standing(replay(loan, paid_off, how), day + timedelta(days=400))
    assert not any((later.payoff_amount, later.overdue_amount, later.accrued_interest))
    # What is held pays towards it first: the figure is what is asked for besides.
    posted = sum(posting.cents for posting in account.postings if posting.event == len(events))
    assert from_cents(posted) == before.payoff_amount


@given(served_terms(), served_how())
@SLOW
def test_whoever_pays_on_time_pays_the_schedule(loan: ScheduleTerms, how: Servicing) -> None:
    rows = build_schedule(loan).rows
    day = rows[-1].due_date

    account = replay(loan, (), how, punctual_until=day)

    assert as_rows(account) == [row[:8] for row in rows]
    assert all(row.outstanding == 0 for row in served_rows(account))
    assert standing(account, day).payoff_amount == 0
