"""The terms a product sets: kept whole as JSON, made into schedules, floated with the prime rate."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branch.domain.calendar import MonthEnd, RollRule
from loans.domain.allocation import AllocationSequence, DueKind
from loans.domain.annual_cost import annual_cost
from loans.domain.daycount import DayCount
from loans.domain.lpr_history import LPR_HISTORY
from loans.domain.periods import MONTHLY, Frequency, Unit
from loans.domain.pricing import LprTerm, PricingError
from loans.domain.product_terms import (
    FeeKind,
    ProductFee,
    ProductTerms,
    schedule_terms,
    start_fees,
)
from loans.domain.repricing import Floating, RepricingRule, repricing_dates, repricings
from loans.domain.schedule import build_schedule
from loans.domain.servicing.events import DEFAULT_ALLOCATION, PayoffInterest, Surplus
from loans.domain.terms import FeeOn, PlanRow, RepaymentMethod, TermsError, plan_for

MONEY = st.decimals(Decimal("0.01"), Decimal("99999.99"), places=2)
FRACTIONS = st.decimals(Decimal("0.0001"), Decimal("0.2"), places=6)
FEES = st.builds(
    ProductFee, st.text(min_size=1), st.text(min_size=1), st.sampled_from(FeeKind), FRACTIONS, st.sampled_from(FeeOn)
)
FLOATING = st.builds(
    Floating,
    st.just(RepricingRule.EVERY_MONTHS),
    st.integers(1, 60),
    st.sampled_from(LprTerm),
    st.integers(-300, 900).map(Decimal),
    st.just(Decimal("0.030000")),
    st.just(Decimal("0.120000")),
)
TERMS = st.builds(
    ProductTerms,
    due_day=st.none() | st.integers(1, 31),
    month_end=st.sampled_from(MonthEnd),
    holiday_roll=st.sampled_from(RollRule),
    interest_follows_holiday=st.booleans(),
    principal_grace=st.integers(0, 12),
    interest_grace=st.integers(0, 12),
    instalment_rounding=MONEY,
    fees=st.lists(FEES, max_size=3).map(tuple),
    overdue_uplift=FRACTIONS,
    misuse_uplift=FRACTIONS,
    penalty_compounds=st.booleans(),
    allocation_order=st.permutations(list(DEFAULT_ALLOCATION)).map(tuple),
    allocation_sequence=st.sampled_from(AllocationSequence),
    grace_days=st.integers(0, 90),
    prepayment_allowed=st.booleans(),
    surplus=st.sampled_from(Surplus),
    payoff_interest=st.sampled_from(PayoffInterest),
    floating=st.none() | FLOATING,
)


@given(TERMS)
def test_terms_come_back_from_json_as_they_were(terms):
    assert ProductTerms.from_json(terms.as_json()) == terms


def test_a_loan_of_which_nothing_is_known_has_the_usual_terms():
    assert ProductTerms.from_json({}) == ProductTerms()
    assert ProductTerms().penalty.overdue_uplift == Decimal("0.50")


def test_how_payments_are_taken_follows_from_the_terms():
    terms = ProductTerms(
        surplus=Surplus.LOWER_INSTALMENT, overdue_uplift=Decimal("0.40"), penalty_compounds=False, grace_days=3,
        allocation_order=(DueKind.INTEREST, DueKind.PRINCIPAL, DueKind.PENALTY, DueKind.FEE),
        allocation_sequence=AllocationSequence.BUCKET_FIRST,
    )  # fmt: skip

    taken = terms.servicing(Decimal("0.05"))

    assert (taken.penalty_rate, taken.compounds, taken.grace_days) == (Decimal("0.0700"), False, 3)
    assert (taken.surplus, taken.by_kind, taken.allocation[0]) == (Surplus.LOWER_INSTALMENT, True, DueKind.INTEREST)
    assert replace(terms, prepayment_allowed=False).servicing(Decimal("0.05")).surplus is Surplus.HOLD


# --- fees --------------------------------------------------------------------------------------------------------


def fee(kind, value, on):
    return ProductFee("手续费", "Fee", FeeKind(kind), Decimal(value), FeeOn(on))


@pytest.mark.parametrize(
    ("kind", "value", "principal", "amount"),
    [
        ("fixed", "1000.00", "100000.00", "1000.00"),
        ("percent", "0.01", "100000.00", "1000.00"),
        ("percent", "0.0005", "12345.67", "6.17"),  # 6.172835
        ("percent", "0.015", "333.00", "5.00"),  # 4.995: half up
    ],
)
def test_a_fee_is_yuan_or_a_part_of_the_loan(kind, value, principal, amount):
    assert fee(kind, value, "start").amount_on(Decimal(principal)) == Decimal(amount)


def test_fees_stand_in_the_schedule_and_in_the_cost_of_a_year():
    """The example of the domain: 100,000.00 less 1,000.00 against twelve instalments of 8,833.30 (source: domain)."""
    terms = ProductTerms(fees=(fee("percent", "0.01", "start"),), instalment_rounding=Decimal("0.10"))
    schedule = build_schedule(
        schedule_terms(
            terms,
            principal=Decimal("100000.00"),
            annual_rate=Decimal("0.06"),
            start_date=date(2026, 3, 2),
            method=RepaymentMethod.FLAT,
            day_count=DayCount.THIRTY_360,
            instalments=12,
            frequency=MONTHLY,
        )
    )
    cost = annual_cost(schedule)

    assert [row.total for row in schedule.rows[:11]] == [Decimal("8833.30")] * 11
    assert start_fees(terms, Decimal("100000.00")) == schedule.start_fees == Decimal("1000.00")
    assert cost.paid_out == Decimal("99000.00")
    assert f"{cost.apr_simple:.2%} {cost.apr_irr:.2%}" == "12.80% 13.58%"


def test_a_fee_on_each_instalment_is_paid_with_it():
    terms = ProductTerms(fees=(fee("fixed", "20.00", "each"),))
    schedule = build_schedule(
        schedule_terms(
            terms,
            principal=Decimal("12000.00"),
            annual_rate=Decimal(0),
            start_date=date(2026, 1, 31),
            method=RepaymentMethod.EQUAL_PRINCIPAL,
            day_count=DayCount.ACTUAL_360,
            instalments=12,
            frequency=MONTHLY,
        )
    )

    assert {row.total for row in schedule.rows} == {Decimal("1020.00")}
    assert schedule.totals.fees == Decimal("240.00")


# --- agreed plan, pay as you use -----------------------------------------------------------------------------------


PLAN = (
    PlanRow(date(2026, 6, 30), Decimal("30000.00")),
    PlanRow(date(2026, 9, 15), Decimal("0.00")),
    PlanRow(date(2027, 1, 31), Decimal("70000.00")),
)


def agreed(day_count=DayCount.ACTUAL_360, plan=PLAN, **changes):
    values: dict[str, Any] = {
        "principal": Decimal("100000.00"),
        "annual_rate": Decimal("0.06"),
        "start_date": date(2026, 3, 2),
        "method": RepaymentMethod.AGREED_PLAN,
        "day_count": day_count,
        "instalments": len(plan),
        "frequency": MONTHLY,
        "plan": plan,
    }
    return build_schedule(schedule_terms(ProductTerms(), **(values | changes)))


@pytest.mark.parametrize(
    ("day_count", "interest"),
    [
        # By hand: 120, 77, 138 days; 100,000 × 6 % × 120 ÷ 360, then 70,000 × 6 % × 77 and × 138 ÷ 360.
        (DayCount.ACTUAL_360, ["2000.00", "898.33", "1610.00"]),
        (DayCount.ACTUAL_365, ["1972.60", "886.03", "1587.95"]),
        # Bond basis 118, 75 and 136 days: the 31st counts as the 31st after a 15th.
        (DayCount.THIRTY_360, ["1966.67", "875.00", "1586.67"]),
    ],
)
def test_an_agreed_plan_bears_interest_on_the_balance_before_each_row(day_count, interest):
    schedule = agreed(day_count)

    assert [str(row.interest) for row in schedule.rows] == interest
    assert [row.due_date for row in schedule.rows] == [row.due_date for row in PLAN]
    assert [str(row.balance) for row in schedule.rows] == ["70000.00", "70000.00", "0.00"]


def test_an_agreed_plan_costs_its_rate():
    cost = annual_cost(agreed(DayCount.THIRTY_360))

    assert abs(cost.apr_simple - Decimal("0.06")) < Decimal("0.0005")


@pytest.mark.parametrize(
    "changes",
    [
        {"plan": PLAN[:2], "instalments": 2},
        {"plan": (PLAN[1], PLAN[0], PLAN[2])},
        {"start_date": date(2026, 6, 30)},
        {"instalments": 4},
        {"method": RepaymentMethod.BULLET},
    ],
)
def test_a_plan_that_does_not_fit_is_refused(changes):
    with pytest.raises(TermsError) as refused:
        agreed(**changes)
    assert refused.value.field.split(".")[0] == "plan"


@given(st.lists(MONEY, min_size=1, max_size=30), MONEY)
def test_a_plan_for_another_amount_sums_to_it_and_takes_no_row_below_zero(parts, principal):
    plan = tuple(PlanRow(date(2026, 1, 1) + timedelta(days=n), part) for n, part in enumerate(parts))

    scaled = plan_for(plan, principal)

    assert sum(row.principal for row in scaled) == principal
    assert all(row.principal >= 0 for row in scaled)
    assert [row.due_date for row in scaled] == [row.due_date for row in plan]


def test_pay_as_you_use_pays_interest_and_the_rest_at_the_end():
    values: dict[str, Any] = {
        "principal": Decimal("50000.00"),
        "annual_rate": Decimal("0.0435"),
        "start_date": date(2026, 3, 2),
        "day_count": DayCount.ACTUAL_360,
        "instalments": 12,
        "frequency": MONTHLY,
    }
    used, interest_only = (
        build_schedule(schedule_terms(ProductTerms(), method=method, **values))
        for method in (RepaymentMethod.PAY_AS_YOU_USE, RepaymentMethod.INTEREST_ONLY)
    )

    assert used.rows == interest_only.rows


# --- floating rates --------------------------------------------------------------------------------------------


YEARLY = Floating(RepricingRule.EVERY_MONTHS, 12, LprTerm.ONE_YEAR, Decimal(120), Decimal("0.0435"), Decimal("0.0600"))


@pytest.mark.parametrize(
    ("rule", "months", "start", "maturity", "dates"),
    [
        ("every_months", 12, "2023-03-02", "2026-03-02", ["2024-03-02", "2025-03-02"]),
        ("every_months", 3, "2025-11-30", "2026-08-31", ["2026-02-28", "2026-05-30", "2026-08-30"]),
        ("every_months", 12, "2025-03-02", "2026-03-02", []),
        ("each_january", 0, "2023-03-02", "2026-01-01", ["2024-01-01", "2025-01-01"]),
        ("each_january", 0, "2025-01-01", "2026-01-02", ["2026-01-01"]),
        ("each_january", 0, "2025-03-02", "2025-12-31", []),
    ],
)
def test_repricing_days_lie_between_start_and_maturity(rule, months, start, maturity, dates):
    found = repricing_dates(RepricingRule(rule), months, date.fromisoformat(start), date.fromisoformat(maturity))

    assert [day.isoformat() for day in found] == dates


def test_a_floating_rate_follows_the_published_one_within_floor_and_cap():
    """LPR 3.65 % on 2023-03-02, 3.45 % on 2024-03-02, 3.10 % on 2025-03-02 (source: the published table)."""
    periods = repricings(
        YEARLY,
        signed_rate=Decimal("0.0485"),
        start_date=date(2023, 3, 2),
        maturity_date=date(2026, 3, 2),
        table=LPR_HISTORY,
        until=date(2026, 1, 1),
    )

    # 3.45 + 1.20 = 4.65 %; 3.10 + 1.20 = 4.30 %, raised to the floor.
    assert [(period.from_date.isoformat(), str(period.annual_rate)) for period in periods] == [
        ("2023-03-02", "0.0485"), ("2024-03-02", "0.0465"), ("2025-03-02", "0.0435"),
    ]  # fmt: skip
    assert periods[0].lpr is None
    assert periods[1].lpr is not None
    assert periods[1].lpr.published_date == date(2024, 2, 20)


def test_a_repricing_day_to_come_has_no_rate_yet():
    def count(until):
        values: dict[str, Any] = {
            "signed_rate": Decimal("0.05"), "start_date": date(2023, 3, 2), "maturity_date": date(2026, 3, 2),
        }  # fmt: skip
        return len(repricings(YEARLY, table=LPR_HISTORY, until=until, **values))

    assert [count(date(2024, 3, 1)), count(date(2024, 3, 2)), count(date(2030, 1, 1))] == [1, 2, 3]


def test_a_fixed_rate_is_one_period_and_needs_no_table():
    values: dict[str, Any] = {
        "signed_rate": Decimal("0.05"), "start_date": date(2010, 3, 2), "maturity_date": date(2016, 3, 2),
    }  # fmt: skip

    (period,) = repricings(None, table=(), until=date(2026, 1, 1), **values)
    assert (period.from_date, period.annual_rate) == (date(2010, 3, 2), Decimal("0.05"))
    with pytest.raises(PricingError):
        repricings(YEARLY, table=LPR_HISTORY, until=date(2026, 1, 1), **values)


@given(
    st.sampled_from(RepricingRule),
    st.integers(1, 24),
    st.dates(date(2019, 9, 1), date(2026, 1, 1)),
    st.integers(1, 3650),
    st.integers(-200, 900),
)
def test_every_rate_lies_within_floor_and_cap_and_every_day_within_the_term(rule, months, start, days, spread):
    months = 0 if rule is RepricingRule.EACH_JANUARY else months
    floating = replace(YEARLY, rule=rule, months=months, spread_bp=Decimal(spread))
    maturity = start + timedelta(days=days)

    first, *later = repricings(
        floating,
        signed_rate=Decimal("0.05"),
        start_date=start,
        maturity_date=maturity,
        table=LPR_HISTORY,
        until=date(2027, 1, 1),
    )

    assert (first.from_date, first.annual_rate) == (start, Decimal("0.05"))
    assert all(start < period.from_date < maturity for period in later)
    assert all(floating.floor <= period.annual_rate <= floating.cap for period in later)
    assert [p.from_date for p in later] == sorted({p.from_date for p in later})


def test_floating_takes_a_distance_in_months_or_january():
    for rule, months in ((RepricingRule.EVERY_MONTHS, 0), (RepricingRule.EACH_JANUARY, 12)):
        with pytest.raises(ValueError, match="January"):
            replace(YEARLY, rule=rule, months=months)


def test_a_due_day_of_its_own_moves_the_schedule():
    schedule = build_schedule(
        schedule_terms(
            ProductTerms(due_day=20),
            principal=Decimal("100000.00"),
            annual_rate=Decimal("0.06"),
            start_date=date(2026, 3, 2),
            method=RepaymentMethod.INTEREST_ONLY,
            day_count=DayCount.ACTUAL_360,
            instalments=3,
            frequency=Frequency(Unit.MONTH, 1),
        )
    )

    # 49 days: 100,000 × 6 % × 49 ÷ 360.
    assert [(row.due_date.isoformat(), str(row.interest)) for row in schedule.rows] == [
        ("2026-04-20", "816.67"), ("2026-05-20", "500.00"), ("2026-06-20", "516.67"),
    ]  # fmt: skip
