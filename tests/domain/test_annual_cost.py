"""Annualised cost against published examples."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loans.domain.annual_cost import CostError, Payment, annual_cost, annual_cost_of, periods_between, periods_per_year
from loans.domain.daycount import DayCount
from loans.domain.periods import MONTHLY, Frequency, Unit
from loans.domain.schedule import Fee, FeeOn, RepaymentMethod, build_schedule
from tests.domain.golden_schedules import terms

QUARTERLY, WEEKLY = Frequency(Unit.MONTH, 3), Frequency(Unit.WEEK)


def test_the_regulators_example() -> None:
    """100,000.00 less a fee of 1,000.00 against twelve monthly 8,833.30: 12.80 % simple, 13.58 % compounded."""
    payments = [Payment(number, Fraction(0), Decimal("8833.30")) for number in range(1, 13)]

    cost = annual_cost_of(Decimal("99000.00"), payments, periods_per_year(MONTHLY))

    assert round(cost.apr_simple, 4) == Decimal("0.1280")
    assert round(cost.apr_irr, 4) == Decimal("0.1358")


@pytest.mark.parametrize(
    ("advance", "payment", "count", "start", "first", "frequency", "apr"),
    [
        # US Regulation Z, Appendix J (c)(1), single advance, (i) to (v) but the semimonthly one.
        ("5000", "230", 24, date(1978, 1, 10), date(1978, 2, 10), MONTHLY, "0.0969"),
        ("6000", "200", 36, date(1978, 2, 10), date(1978, 4, 1), MONTHLY, "0.1182"),
        ("10000", "385", 40, date(1978, 5, 23), date(1978, 10, 1), QUARTERLY, "0.0897"),
        ("500", "17.60", 30, date(1978, 3, 20), date(1978, 4, 21), WEEKLY, "0.1496"),
    ],
)
def test_regulation_z_examples(
    advance: str, payment: str, count: int, start: date, first: date, frequency: Frequency, apr: str
) -> None:
    whole, part = periods_between(start, first, frequency)
    payments = [Payment(whole + number, part, Decimal(payment)) for number in range(count)]

    cost = annual_cost_of(Decimal(advance), payments, periods_per_year(frequency))

    assert round(cost.apr_simple, 4) == Decimal(apr)


@pytest.mark.parametrize(
    ("start", "first", "frequency", "expected"),
    [
        (date(1978, 2, 10), date(1978, 4, 1), MONTHLY, (1, Fraction(19, 30))),
        (date(1978, 5, 23), date(1978, 10, 1), QUARTERLY, (1, Fraction(39, 90))),
        (date(1978, 3, 20), date(1978, 4, 21), WEEKLY, (4, Fraction(4, 7))),
        (date(2026, 1, 31), date(2026, 2, 28), MONTHLY, (1, Fraction(0))),
        (date(2026, 1, 15), date(2026, 1, 20), MONTHLY, (0, Fraction(5, 30))),
        # Thirty days that are not a month of the calendar still are one period.
        (date(2026, 1, 15), date(2026, 2, 14), MONTHLY, (1, Fraction(0))),
        (date(2026, 1, 15), date(2026, 1, 20), Frequency(Unit.DAY, 2), (2, Fraction(1, 2))),
    ],
)
def test_periods_between(start: date, first: date, frequency: Frequency, expected: tuple[int, Fraction]) -> None:
    assert periods_between(start, first, frequency) == expected


def test_without_fees_a_regular_loan_costs_its_own_rate() -> None:
    cost = annual_cost(build_schedule(terms(principal=Decimal("1000000.00"), instalments=24)))

    assert abs(cost.apr_simple - Decimal("0.12")) < Decimal("0.000002")
    assert abs(cost.apr_irr - (Decimal("1.01") ** 12 - 1)) < Decimal("0.000002")


def test_fees_at_the_start_and_with_each_instalment_raise_the_cost() -> None:
    plain = annual_cost(build_schedule(terms()))
    kept_back = annual_cost(build_schedule(terms(fees=(Fee(Decimal(50), FeeOn.START),))))
    with_each = annual_cost(build_schedule(terms(fees=(Fee(Decimal(50), FeeOn.EACH),))))

    assert kept_back.paid_out == Decimal("9950.00")
    assert plain.apr_irr < kept_back.apr_irr < with_each.apr_irr


def test_all_at_maturity_after_a_year_is_the_simple_rate_over_twelve_periods() -> None:
    """10,000 grows to 11,200 in twelve months: compounded 12 % exactly, whatever the periods within."""
    cost = annual_cost(build_schedule(terms(repayment_method=RepaymentMethod.BULLET, instalments=12)))

    assert cost.apr_irr == Decimal("0.120000")
    assert cost.apr_simple == Decimal("0.113866")


def test_a_free_loan_costs_nothing_and_an_impossible_one_is_refused() -> None:
    free = annual_cost(build_schedule(terms(annual_rate=Decimal(0))))
    assert free.apr_simple == free.apr_irr == 0
    with pytest.raises(CostError):
        annual_cost(build_schedule(terms(fees=(Fee(Decimal(10000), FeeOn.START),))))


@given(
    rate=st.decimals("0.001", "0.36", places=4),
    count=st.integers(1, 60),
    unit=st.sampled_from(Unit),
    first_days=st.integers(1, 100),
)
@settings(max_examples=60, deadline=None)
def test_payments_discounted_at_the_periodic_rate_are_what_was_paid_out(
    rate: Decimal, count: int, unit: Unit, first_days: int
) -> None:
    loan = terms(
        annual_rate=rate,
        instalments=count,
        frequency=Frequency(unit),
        day_count=DayCount.ACTUAL_365,
        first_due_date=date.fromordinal(date(2026, 1, 15).toordinal() + first_days),
    )
    schedule = build_schedule(loan)
    cost = annual_cost(schedule)
    periodic = float(cost.apr_simple) / float(cost.periods_per_year)
    whole, part = periods_between(loan.start_date, schedule.rows[0].period_end, loan.frequency)

    worth = sum(
        float(row.total) / ((1 + float(part) * periodic) * (1 + periodic) ** (whole + row.number - 1))
        for row in schedule.rows
    )

    assert abs(worth - 10000) < 1
