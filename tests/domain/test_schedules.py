"""Schedules: the golden table, an independent oracle, and what holds whatever the terms."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from branch.domain.calendar import MonthEnd, RollRule, add_months
from branch.domain.money import ZERO
from loans.domain.daycount import DayCount
from loans.domain.periods import NO_ROLL, Frequency, PaymentRoll, Unit
from loans.domain.schedule import Fee, FeeOn, RepaymentMethod, Row, ScheduleTerms, TermsError, build_schedule
from tests.domain.golden_schedules import GOLDEN, SPRING_FESTIVAL, Golden, terms


def as_text(row: Row) -> str:
    return " ".join(map(str, row[1:8]))


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.label)
def test_golden_schedule(golden: Golden) -> None:
    expected = [" ".join(line.split()) for line in golden.rows.strip().splitlines()]

    assert [as_text(row) for row in build_schedule(golden.terms).rows] == expected


def test_every_method_meets_every_day_count() -> None:
    covered = {(golden.terms.repayment_method, golden.terms.day_count) for golden in GOLDEN}
    wanted = {(method, day_count) for method in RepaymentMethod for day_count in DayCount}

    assert wanted - covered == set()


def test_numpy_financial_documentation_example() -> None:
    """Published: ppmt/ipmt of 2,500 at 8.24 %/12 over 12 months, interest 112.98 in all, unrounded there."""
    published = """
        200.58 17.17 2299.42
        201.96 15.79 2097.46
        203.35 14.40 1894.11
        204.74 13.01 1689.37
        206.15 11.60 1483.22
        207.56 10.18 1275.66
        208.99 8.76 1066.67
        210.42 7.32 856.25
        211.87 5.88 644.38
        213.32 4.42 431.05
        214.79 2.96 216.26
        216.26 1.49 0.00
    """
    schedule = build_schedule(terms(principal=Decimal("2500.00"), annual_rate=Decimal("0.0824"), instalments=12))

    for row, line in zip(schedule.rows, published.strip().splitlines(), strict=True):
        for ours, theirs in zip((row.principal, row.interest, row.balance), line.split(), strict=True):
            # Their rows are shown rounded but not computed rounded: cents of difference add up in the balance.
            assert abs(ours - Decimal(theirs)) <= Decimal("0.03")
    assert abs(schedule.totals.interest - Decimal("112.98")) <= Decimal("0.01")


def test_totals_take_in_fees_kept_back_at_the_start() -> None:
    fees = (Fee(Decimal("150.00"), FeeOn.START), Fee(Decimal("5.00"), FeeOn.EACH))

    schedule = build_schedule(terms(fees=fees))

    assert schedule.start_fees == Decimal("150.00")
    assert schedule.totals.fees == Decimal("165.00")
    assert schedule.totals.total == Decimal("10365.67")


def test_a_first_period_too_long_for_a_level_instalment_pays_its_interest_alone() -> None:
    """Ten years to the first due date at 20 %: 20,000 of interest, far above any level instalment."""
    schedule = build_schedule(terms(first_due_date=date(2036, 1, 15), instalments=4, annual_rate=Decimal("0.2")))

    assert (schedule.rows[0].principal, schedule.rows[0].interest) == (ZERO, Decimal("20000.00"))
    assert schedule.rows[1].total == schedule.rows[2].total
    assert abs(schedule.rows[3].total - schedule.rows[2].total) <= Decimal("0.02")


def test_a_chosen_first_due_date_that_is_the_regular_one_changes_nothing() -> None:
    start = date(2026, 1, 31)
    plain = build_schedule(terms(start_date=start, instalments=6))

    chosen = build_schedule(terms(start_date=start, instalments=6, first_due_date=date(2026, 2, 28)))

    assert chosen.rows == plain.rows
    assert [row.due_date.day for row in chosen.rows] == [28, 31, 30, 31, 30, 31]


def test_a_due_day_comes_back_after_a_chosen_first_date_in_a_short_month() -> None:
    chosen = {"start_date": date(2026, 1, 10), "first_due_date": date(2026, 2, 28)}

    assert [row.due_date.day for row in build_schedule(terms(**chosen)).rows] == [28, 28, 28]
    assert [row.due_date.day for row in build_schedule(terms(**chosen, due_day=31)).rows] == [28, 31, 30]
    rolled = {**chosen, "first_due_date": date(2026, 3, 1), "due_day": 31, "month_end": MonthEnd.ROLL}
    assert [row.due_date for row in build_schedule(terms(**rolled)).rows] == [
        date(2026, 3, 1),
        date(2026, 3, 31),
        date(2026, 5, 1),
    ]


def test_interest_deferred_past_an_early_end_is_still_collected() -> None:
    """Payments rounded up to 3,000 end the loan in row 4, before the deferred interest falls due in row 5."""
    schedule = build_schedule(terms(instalments=6, interest_grace=4, instalment_rounding=Decimal(3000)))

    assert schedule.rows[-1].number == 5
    assert schedule.rows[-1].interest == schedule.totals.interest > 0


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("principal", {"principal": Decimal(0)}),
        ("principal", {"principal": Decimal("0.001")}),
        ("principal", {"principal": Decimal("NaN")}),
        ("annual_rate", {"annual_rate": Decimal("-0.01")}),
        ("annual_rate", {"annual_rate": Decimal("Infinity")}),
        ("instalments", {"instalments": 0}),
        ("instalments", {"instalments": 1200, "frequency": Frequency(Unit.MONTH, 120)}),
        ("frequency", {"frequency": Frequency(Unit.DAY, 0)}),
        ("principal_grace", {"principal_grace": 3}),
        ("interest_free", {"interest_free": 4}),
        ("interest_grace", {"interest_grace": 3}),
        ("first_due_date", {"first_due_date": date(2026, 1, 15)}),
        ("first_due_date", {"first_due_date": date(2026, 3, 10), "due_day": 20}),
        ("due_day", {"due_day": 32}),
        ("instalment_rounding", {"instalment_rounding": Decimal(0)}),
        ("fees", {"fees": (Fee(Decimal(-1), FeeOn.EACH),)}),
    ],
)
def test_impossible_terms_name_their_field(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(TermsError) as refused:
        build_schedule(terms(**changes))

    assert refused.value.field == field


@st.composite
def any_terms(draw: st.DrawFn) -> ScheduleTerms:
    instalments = draw(st.integers(1, 48))
    start = draw(st.dates(date(2019, 1, 1), date(2032, 12, 31)))
    first = draw(st.none() | st.integers(1, 400).map(lambda days: start + timedelta(days=days)))
    rule = draw(st.sampled_from(RollRule))
    return ScheduleTerms(
        principal=draw(st.decimals("0.01", "9999999.99", places=2)),
        annual_rate=draw(st.decimals("0", "0.36", places=4)),
        start_date=start,
        repayment_method=draw(st.sampled_from([m for m in RepaymentMethod if m is not RepaymentMethod.AGREED_PLAN])),
        day_count=draw(st.sampled_from(DayCount)),
        instalments=instalments,
        frequency=Frequency(draw(st.sampled_from(Unit)), draw(st.integers(1, 6))),
        first_due_date=first,
        month_end=draw(st.sampled_from(MonthEnd)),
        principal_grace=draw(st.integers(0, instalments - 1)),
        interest_free=draw(st.integers(0, instalments)),
        interest_grace=draw(st.integers(0, instalments - 1)),
        instalment_rounding=draw(st.sampled_from([Decimal(text) for text in ("0.01", "0.10", "1", "100")])),
        fees=(Fee(draw(st.decimals("0", "99", places=2)), FeeOn.EACH),),
        roll=PaymentRoll(rule, SPRING_FESTIVAL, draw(st.booleans())),
    )


@given(any_terms())
@settings(max_examples=150, deadline=None)
def test_what_always_holds(loan: ScheduleTerms) -> None:
    schedule = build_schedule(loan)
    rows = schedule.rows

    assert sum(row.principal for row in rows) == loan.principal == schedule.totals.principal
    assert rows[-1].balance == 0
    assert all(row.balance >= 0 and row.principal >= 0 and row.interest >= 0 and row.days >= 0 for row in rows)
    assert all(row.total == row.principal + row.interest + row.fees for row in rows)
    assert schedule.totals.total == sum(row.total for row in rows)
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    assert all(earlier.due_date <= later.due_date for earlier, later in pairwise(rows))
    assert all(earlier.period_end == later.period_start for earlier, later in pairwise(rows))
    assert all(amount.as_tuple().exponent == -2 for row in rows for amount in row[3:8])


@given(any_terms())
@settings(max_examples=100, deadline=None)
def test_the_level_instalment_brings_the_unrounded_balance_to_zero(loan: ScheduleTerms) -> None:
    """The final balance falls linearly with the payment, so two trial payments find the level one exactly."""
    loan = replace(loan, repayment_method=RepaymentMethod.EQUAL_INSTALMENT, first_due_date=None, roll=NO_ROLL)
    if loan.day_count is DayCount.ACTUAL_ACTUAL:
        loan = replace(loan, day_count=DayCount.ACTUAL_365)
    schedule = build_schedule(loan)
    level_rows = [row for row in schedule.rows if row.number > max(loan.principal_grace, loan.interest_grace + 1)]
    # The last instalments take the remainder: a level one has others after it.
    assume(len(level_rows) >= 3)
    basis = 365 if loan.day_count is DayCount.ACTUAL_365 else 360
    factors = _period_factors(loan, basis)
    untouched, with_one = _final_balance(loan, factors, 0), _final_balance(loan, factors, 1)
    level = untouched / (untouched - with_one)

    multiple = Fraction(loan.instalment_rounding)
    paid = level_rows[0].principal + level_rows[0].interest

    # Rounded down below the interest of the period, the instalment is that interest.
    assert abs(Fraction(paid) - level) <= multiple / 2 or level_rows[0].principal == 0


def _period_factors(loan: ScheduleTerms, basis: int) -> list[Fraction]:
    days = [_regular_days(loan, number) for number in range(loan.instalments)]
    rate = Fraction(loan.annual_rate)
    return [rate * count / basis if number >= loan.interest_free else Fraction(0) for number, count in enumerate(days)]


def _regular_days(loan: ScheduleTerms, number: int) -> int:
    every = loan.frequency.every
    if loan.frequency.unit is not Unit.MONTH:
        return every * (7 if loan.frequency.unit is Unit.WEEK else 1)
    if loan.day_count is DayCount.THIRTY_360:
        return 30 * every
    start = loan.start_date if number == 0 else add_months(loan.start_date, number * every, None, loan.month_end)
    return (add_months(loan.start_date, (number + 1) * every, None, loan.month_end) - start).days


def _final_balance(loan: ScheduleTerms, factors: list[Fraction], payment: int) -> Fraction:
    balance = Fraction(loan.principal)
    for factor in factors[loan.principal_grace :]:
        balance = balance * (1 + factor) - payment
    return balance
