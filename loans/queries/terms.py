"""The terms a product sets, as they are offered, priced, signed and running."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol

from branch.domain.calendar import MonthEnd, RollRule, WorkingCalendar
from branch.queries.business_date import working_calendar
from branch.queries.parameters import parameter
from loans.domain.allocation import AllocationSequence, DueKind
from loans.domain.daycount import DayCount
from loans.domain.periods import WEEKENDS_OFF, Frequency, Unit, nominal_due_dates
from loans.domain.pricing import Price
from loans.domain.product_terms import ProductFee, ProductTerms, schedule_terms
from loans.domain.repricing import Floating, RatePeriod, RepricingRule, repricings
from loans.domain.servicing import PayoffInterest, Surplus
from loans.domain.terms import PlanRow, RepaymentMethod, ScheduleTerms, plan_for
from loans.models import Loan, LprRate, ProductVersion
from loans.models.product import DueDayRule, RateKind
from loans.queries.products import as_fractions

BASIS_POINT = Decimal("0.0001")
#: The longest stretch a due day may be moved over.
_ROLL_SPAN = timedelta(days=60)


class HasTerms(Protocol):
    """A contract or a loan."""

    terms: Mapping[str, Any]


def terms_of(thing: HasTerms) -> ProductTerms:
    """The product's terms a contract or loan was signed under."""
    return ProductTerms.from_json(thing.terms)


def penalty_compounds(loan: Loan) -> bool:
    """Whether unpaid interest bears penalty: as the contract says, else as the bank's parameter does."""
    return bool(loan.terms.get("penalty_compounds", parameter("penalty.compounds")))


def terms_of_version(
    version: ProductVersion, *, due_day: int | None = None, principal_grace: int = 0, interest_grace: int = 0
) -> ProductTerms:
    """What a version sets, with what a file chose within it. How a rate floats is known once there is a price."""
    chosen = {DueDayRule.FIXED: version.due_day, DueDayRule.CHOSEN: due_day}
    return ProductTerms(
        due_day=chosen.get(DueDayRule(version.due_day_rule)),
        month_end=MonthEnd(version.month_end),
        holiday_roll=RollRule(version.holiday_roll),
        interest_follows_holiday=version.interest_follows_holiday,
        principal_grace=principal_grace,
        interest_grace=interest_grace,
        instalment_rounding=version.instalment_rounding,
        fees=tuple(ProductFee.from_json(fee) for fee in version.fees),
        overdue_uplift=version.overdue_uplift,
        misuse_uplift=version.misuse_uplift,
        penalty_compounds=version.penalty_compounds,
        allocation_order=tuple(DueKind(kind) for kind in version.allocation_order),
        allocation_sequence=AllocationSequence(version.allocation_sequence),
        grace_days=version.grace_days,
        prepayment_allowed=version.prepayment_allowed,
        surplus=Surplus(version.surplus),
        payoff_interest=PayoffInterest(version.payoff_interest),
    )


def floating_at(terms: ProductTerms, version: ProductVersion, price: Price) -> ProductTerms:
    """The terms with the way the rate floats, where the version's does: its distance to the LPR is kept."""
    if version.rate_kind != RateKind.FLOATING:
        return terms
    spread = (price.annual_rate - price.lpr_rate) / BASIS_POINT
    rule = RepricingRule(version.repricing)
    months = version.repricing_months or 0
    return replace(terms, floating=Floating(rule, months, price.lpr_term, spread, version.rate_floor, version.rate_cap))


def plan_rows(rows: Iterable[Mapping[str, str]]) -> tuple[PlanRow, ...]:
    """An agreed plan as a file keeps it. Raises KeyError, ValueError or ArithmeticError for what is none."""
    return tuple(PlanRow(date.fromisoformat(row["due_date"]), Decimal(row["principal"])) for row in rows)


def terms_for_schedule(
    terms: ProductTerms,
    *,
    principal: Decimal,
    annual_rate: Decimal,
    start_date: date,
    method: str,
    day_count: str,
    instalments: int,
    frequency: Frequency,
    plan: Iterable[Mapping[str, str]] = (),
) -> ScheduleTerms:
    """What a schedule follows from, in the bank's working calendar; a plan for another amount is scaled to this one.

    Raises TermsError.
    """
    rows = plan_rows(plan)
    return schedule_terms(
        terms,
        principal=principal,
        annual_rate=annual_rate,
        start_date=start_date,
        method=RepaymentMethod(method),
        day_count=DayCount(day_count),
        instalments=len(rows) or instalments,
        frequency=frequency,
        calendar=_calendar(terms, start_date, end_of_term(terms, start_date, instalments, frequency, rows)),
        plan=plan_for(rows, principal),
    )


def end_of_term(
    terms: ProductTerms, start_date: date, instalments: int, frequency: Frequency, plan: tuple[PlanRow, ...] = ()
) -> date:
    """The last due date before any holiday. Raises OverflowError beyond year 9999."""
    if plan:
        return plan[-1].due_date
    return nominal_due_dates(
        start_date=start_date,
        instalments=instalments,
        frequency=frequency,
        due_day=terms.due_day if frequency.unit is Unit.MONTH else None,
        month_end=terms.month_end,
    )[-1]


def _calendar(terms: ProductTerms, start_date: date, end_date: date) -> WorkingCalendar:
    if terms.holiday_roll is RollRule.NONE:
        return WEEKENDS_OFF
    return working_calendar(start_date - _ROLL_SPAN, min(end_date, date.max - _ROLL_SPAN) + _ROLL_SPAN)


def rate_periods(loan: Loan, until: date) -> tuple[RatePeriod, ...]:
    """Which rate a loan bears from which date, as far as prime rates are published by `until`."""
    floating = terms_of(loan).floating
    rows = LprRate.objects.filter(published_date__lte=until).order_by("published_date") if floating else ()
    return repricings(
        floating,
        signed_rate=loan.drawdown.facility.contract.annual_rate,
        start_date=loan.start_date,
        maturity_date=loan.maturity_date,
        table=[as_fractions(row) for row in rows],
        until=until,
    )
