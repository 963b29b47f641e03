"""What a loan owes on a day. Court cases: interest awarded under ACT/360 at 6.12 % (issue 3)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branch.domain.money import ZERO
from loans.domain.accrual import BalanceSegment, daily_accruals
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.owed import ScheduleRow, accrued_on, owed_on, penalty_between
from loans.domain.schedule import RepaymentMethod, ScheduleTerms, build_schedule

START = date(2026, 3, 2)


def rows_of(**terms: Any) -> list[ScheduleRow]:
    """The rows of a schedule with nothing paid."""
    facts: dict[str, Any] = {
        "principal": Decimal("300000.00"),
        "annual_rate": Decimal("0.045"),
        "start_date": START,
        "repayment_method": RepaymentMethod.EQUAL_INSTALMENT,
        "day_count": DayCount.ACTUAL_360,
        "instalments": 12,
    } | terms
    schedule = build_schedule(ScheduleTerms(**facts))
    return [
        ScheduleRow(r.number, r.period_start, r.due_date, r.principal, r.interest, ZERO, ZERO, r.balance)
        for r in schedule.rows
    ]


@pytest.mark.parametrize(
    ("principal", "paid_on", "interest"),
    [
        ("45000.00", date(2019, 2, 9), "1728.90"),
        ("20000.00", date(2019, 1, 17), "690.20"),
        ("30000.00", date(2019, 3, 18), "1341.30"),
    ],
)
def test_awarded_interest(principal: str, paid_on: date, interest: str) -> None:
    rows = rows_of(
        principal=Decimal(principal),
        annual_rate=Decimal("0.0612"),
        start_date=date(2018, 6, 28),
        repayment_method=RepaymentMethod.BULLET,
    )
    owed = owed_on(paid_on, rows, penalty_due=ZERO, annual_rate=Decimal("0.0612"), day_count=DayCount.ACTUAL_360)
    assert owed.accrued_interest == Decimal(interest)
    assert owed.payoff_amount == Decimal(principal) + Decimal(interest)
    assert owed.due_amount == ZERO


def test_on_the_first_day_only_the_principal_is_owed() -> None:
    owed = owed_on(START, rows_of(), penalty_due=ZERO, annual_rate=Decimal("0.045"), day_count=DayCount.ACTUAL_360)
    assert (owed.due_amount, owed.accrued_interest, owed.payoff_amount) == (ZERO, ZERO, Decimal("300000.00"))


def test_a_due_day_makes_the_instalment_due_and_nothing_overdue() -> None:
    rows = rows_of()
    owed = owed_on(
        rows[0].due_date, rows, penalty_due=ZERO, annual_rate=Decimal("0.045"), day_count=DayCount.ACTUAL_360
    )
    assert owed.due_amount == rows[0].principal + rows[0].interest
    assert (owed.overdue_amount, owed.accrued_interest) == (ZERO, ZERO)
    assert owed.payoff_amount == Decimal("300000.00") + rows[0].interest


def test_the_day_after_it_is_overdue_and_the_next_period_accrues_on_the_scheduled_balance() -> None:
    rows = rows_of()
    day = rows[0].due_date + timedelta(days=1)
    owed = owed_on(day, rows, penalty_due=Decimal("4.64"), annual_rate=Decimal("0.045"), day_count=DayCount.ACTUAL_360)
    assert owed.overdue_amount == rows[0].principal + rows[0].interest + Decimal("4.64")
    assert owed.due_of(DueKind.PENALTY) == Decimal("4.64")
    # One day on what the schedule says is left: (300000 − first principal) × 4.5 % ÷ 360.
    expected = ((Decimal("300000.00") - rows[0].principal) * Decimal("0.045") / 360).quantize(Decimal("0.01"))
    assert owed.accrued_interest == expected


def test_penalty_runs_from_the_due_date_on_principal_and_interest() -> None:
    # 100,000.00 of principal and 1,000.00 of interest, ten days late at 6.75 % over 360.
    row = ScheduleRow(1, START, date(2026, 4, 2), Decimal("100000.00"), Decimal("1000.00"), ZERO, ZERO, Decimal("0.00"))
    facts: dict[str, Any] = {"penalty_rate": Decimal("0.0675"), "day_count": DayCount.ACTUAL_360}
    on_time, late = date(2026, 4, 2), date(2026, 4, 12)
    assert penalty_between(START, on_time, [row], **facts) == ZERO
    assert penalty_between(START, late, [row], **facts) == Decimal("189.38")
    assert penalty_between(START, late, [row], compounds=False, **facts) == Decimal("187.50")
    split = penalty_between(START, date(2026, 4, 7), [row], **facts) + penalty_between(
        date(2026, 4, 7), late, [row], **facts
    )
    assert split == Decimal("189.38")


@given(
    principal=st.decimals(min_value=1000, max_value=3_000_000, places=2),
    rate=st.decimals(min_value="0.01", max_value="0.24", places=4),
    method=st.sampled_from(
        [m for m in RepaymentMethod if m not in (RepaymentMethod.FLAT, RepaymentMethod.AGREED_PLAN)]
    ),
    day_count=st.sampled_from(list(DayCount)),
    instalments=st.integers(1, 6),
    start=st.dates(date(2023, 1, 1), date(2027, 12, 31)),
)
def test_a_period_accrues_to_its_interest_and_never_backwards(
    principal: Decimal, rate: Decimal, method: RepaymentMethod, day_count: DayCount, instalments: int, start: date
) -> None:
    rows = rows_of(
        principal=principal,
        annual_rate=rate,
        repayment_method=method,
        day_count=day_count,
        instalments=instalments,
        start_date=start,
    )
    for row in rows:
        running = [
            accrued_on(row.start_date + timedelta(days=n), row, rate, day_count)
            for n in range((row.due_date - row.start_date).days + 1)
        ]
        assert running[0] == ZERO
        assert running[-1] == row.interest
        assert running == sorted(running)


def test_it_is_the_sum_of_the_daily_accruals() -> None:
    row = rows_of()[3]
    days = daily_accruals(
        [
            BalanceSegment(
                row.start_date, row.due_date, row.balance_after + row.principal, Decimal("0.045"), DayCount.ACTUAL_360
            )
        ]
    )
    for day in days:
        until = day.day + timedelta(days=1)
        assert accrued_on(until, row, Decimal("0.045"), DayCount.ACTUAL_360) == day.accrued
