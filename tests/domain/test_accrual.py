"""Interest by the day, and penalty."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loans.domain.accrual import (
    BalanceSegment,
    CountedPeriod,
    PenaltyTerms,
    accrued_interest,
    daily_accruals,
    interest_between,
    penalty_interest,
    penalty_rate,
)
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit
from loans.domain.schedule import RepaymentMethod, build_schedule
from tests.domain.golden_schedules import A360, terms

TERMS = PenaltyTerms()


@pytest.mark.parametrize(
    ("principal", "end", "interest"),
    [
        # Published: a Chinese civil judgment, 6.12 % a year from 2018-06-28 under actual/360.
        ("45000.00", date(2019, 2, 9), "1728.90"),
        ("20000.00", date(2019, 1, 17), "690.20"),
        ("30000.00", date(2019, 3, 18), "1341.30"),
    ],
)
def test_amounts_a_court_awarded(principal: str, end: date, interest: str) -> None:
    awarded = interest_between(Decimal(principal), Decimal("0.0612"), date(2018, 6, 28), end, A360)

    assert awarded == Decimal(interest)


def test_cumulative_rounding_by_hand() -> None:
    """1,000.00 at 1.2 % earns 0.0333… a day under actual/360: 0.03, 0.04 (0.07), 0.03 (0.10)."""
    segment = BalanceSegment(date(2026, 1, 1), date(2026, 1, 4), Decimal(1000), Decimal("0.012"), A360)

    accruals = daily_accruals([segment])

    assert [(str(day.amount), str(day.accrued)) for day in accruals] == [
        ("0.03", "0.03"),
        ("0.04", "0.07"),
        ("0.03", "0.10"),
    ]
    assert [day.day for day in accruals] == [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]


def test_a_prepayment_and_a_rate_change_within_the_period() -> None:
    """10 days of 10,000 at 12 % (33.333), 10 of 4,000 at 12 % (13.333), 11 of 4,000 at 9 % (11.00): 57.67."""
    start = date(2026, 1, 1)
    segments = [
        BalanceSegment(start, date(2026, 1, 11), Decimal(10000), Decimal("0.12"), A360),
        BalanceSegment(date(2026, 1, 11), date(2026, 1, 21), Decimal(4000), Decimal("0.12"), A360),
        BalanceSegment(date(2026, 1, 21), date(2026, 2, 1), Decimal(4000), Decimal("0.09"), A360),
    ]

    assert accrued_interest(segments, start) == 0
    assert accrued_interest(segments, date(2026, 1, 11)) == Decimal("33.33")
    assert accrued_interest(segments, date(2026, 1, 21)) == Decimal("46.67")
    assert accrued_interest(segments, date(2026, 2, 1)) == Decimal("57.67")
    assert accrued_interest(segments, date(2027, 1, 1)) == Decimal("57.67")


def test_segments_must_follow_each_other() -> None:
    one = BalanceSegment(date(2026, 1, 1), date(2026, 1, 11), Decimal(1), Decimal("0.12"), A360)
    gap = BalanceSegment(date(2026, 1, 12), date(2026, 1, 21), Decimal(1), Decimal("0.12"), A360)

    with pytest.raises(ValueError, match="follow each other"):
        daily_accruals([one, gap])


def test_a_regular_period_under_30_360_spreads_its_30_days() -> None:
    """February 2026: 30 days' worth over 28 days, half of it after 14."""
    period = CountedPeriod(date(2026, 2, 1), date(2026, 3, 1), 30)
    segment = BalanceSegment(
        date(2026, 2, 1), date(2026, 3, 1), Decimal(10000), Decimal("0.12"), DayCount.THIRTY_360, period
    )

    assert accrued_interest([segment], date(2026, 2, 15)) == Decimal("50.00")
    assert accrued_interest([segment], date(2026, 3, 1)) == Decimal("100.00")


def test_a_flat_loans_last_instalment_spreads_the_interest_its_schedule_asks_for() -> None:
    segment = BalanceSegment(date(2026, 1, 1), date(2026, 1, 31), Decimal(1000), Decimal("0.10"), A360)

    accruals = daily_accruals([segment], period_interest=Decimal("8.37"))

    assert sum(day.amount for day in accruals) == Decimal("8.37")
    assert all(day.amount >= 0 for day in accruals)


@given(
    principal=st.decimals("0.01", "9999999.99", places=2),
    rate=st.decimals("0", "0.36", places=4),
    day_count=st.sampled_from(DayCount),
    method=st.sampled_from([RepaymentMethod.EQUAL_INSTALMENT, RepaymentMethod.INTEREST_ONLY]),
    unit=st.sampled_from(Unit),
    start=st.dates(date(2023, 1, 1), date(2028, 12, 31)),
)
@settings(max_examples=60, deadline=None)
def test_days_of_every_period_sum_to_its_interest(
    principal: Decimal, rate: Decimal, day_count: DayCount, method: RepaymentMethod, unit: Unit, start: date
) -> None:
    loan = terms(
        principal=principal,
        annual_rate=rate,
        day_count=day_count,
        repayment_method=method,
        frequency=Frequency(unit),
        start_date=start,
        instalments=4,
    )
    balance = principal
    for row in build_schedule(loan).rows:
        counted = None
        if day_count is DayCount.THIRTY_360:
            counted = CountedPeriod(row.period_start, row.period_end, row.days)
        segment = BalanceSegment(row.period_start, row.period_end, balance, rate, day_count, counted)

        accruals = daily_accruals([segment])

        assert sum(day.amount for day in accruals) == row.interest
        assert len(accruals) == (row.period_end - row.period_start).days
        assert all(day.amount >= 0 for day in accruals)
        balance = row.balance


@given(st.integers(0, 400), st.integers(0, 400))
def test_accrued_interest_never_falls(one: int, other: int) -> None:
    start = date(2024, 1, 1)
    segment = BalanceSegment(start, date(2025, 1, 1), Decimal(54321), Decimal("0.0735"), DayCount.ACTUAL_ACTUAL)
    early, late = sorted((one, other))

    assert accrued_interest([segment], start + timedelta(days=early)) <= accrued_interest(
        [segment], start + timedelta(days=late)
    )


@pytest.mark.parametrize(
    ("is_overdue", "is_misused", "rate", "reason"),
    [
        (True, False, "0.09", "overdue"),
        (False, True, "0.12", "misuse"),
        # Both at once: only the heavier, not 15 %.
        (True, True, "0.12", "misuse"),
    ],
)
def test_only_the_heavier_penalty_counts(is_overdue: bool, is_misused: bool, rate: str, reason: str) -> None:
    assert penalty_rate(Decimal("0.06"), TERMS, is_overdue=is_overdue, is_misused=is_misused) == (
        Decimal(rate),
        reason,
    )


def test_no_penalty_without_a_reason() -> None:
    with pytest.raises(ValueError, match="no penalty"):
        penalty_rate(Decimal("0.06"), TERMS, is_overdue=False, is_misused=False)


def test_penalty_on_principal_and_on_unpaid_interest() -> None:
    """20 days at 6 % × 1.5 = 9 %: 10,000 × 9 % × 20/360 = 50.00; 100 × 9 % × 20/360 = 0.50."""
    due = {
        "overdue_principal": Decimal(10000),
        "overdue_interest": Decimal(100),
        "contract_rate": Decimal("0.06"),
        "start": date(2026, 3, 15),
        "end": date(2026, 4, 4),
        "day_count": A360,
    }

    penalty = penalty_interest(**due, terms=TERMS)  # type: ignore[arg-type]
    simple = penalty_interest(**due, terms=PenaltyTerms(compounds=False))  # type: ignore[arg-type]

    assert (penalty.on_principal, penalty.on_interest) == (Decimal("50.00"), Decimal("0.50"))
    assert (penalty.annual_rate, penalty.reason) == (Decimal("0.09"), "overdue")
    assert simple.on_interest == 0
