"""Annualised cost of a loan including fees, by both methods a lender may show.

The periodic rate r solves: amount paid out = Σ payment_i ÷ ((1 + f_i r)(1 + r)^t_i), with t_i whole periods
and f_i the part of one from the payment back to the start (US Regulation Z, Appendix J, actuarial method).
Then `apr_simple` = r × periods a year and `apr_irr` = (1 + r)^(periods a year) − 1.
It is solved here by bisection between a bracket that is known to hold the root.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from branch.domain.calendar import add_months
from branch.domain.money import round_money
from loans.domain.periods import MONTHLY, Frequency, Unit, is_regular
from loans.domain.schedule import Schedule
from loans.domain.terms import RepaymentMethod

PLACES = 6
_LOWEST_RATE, _HIGHEST_RATE = -0.999999, 1e6
_BISECTIONS = 200


class CostError(ValueError):
    """Nothing is paid out, or payments to which no rate belongs."""


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount after `periods` whole periods and `part` (0 ≤ part < 1) of one."""

    periods: int
    part: Fraction
    amount: Decimal


@dataclass(frozen=True, slots=True)
class AnnualCost:
    """Rates as fractions (0.128 is 12.8 %) with six places; `paid_out` is the loan less fees kept back."""

    apr_simple: Decimal
    apr_irr: Decimal
    periods_per_year: Fraction
    paid_out: Decimal


def annual_cost(schedule: Schedule) -> AnnualCost:
    """Annualised cost of a schedule: fees at the start lower what is paid out, others raise the payments."""
    terms = schedule.terms
    if terms.repayment_method is RepaymentMethod.AGREED_PLAN:
        return annual_cost_of(terms.principal - schedule.start_fees, _agreed_payments(schedule), Fraction(12))
    periods, part = _first_payment(schedule)
    payments = [Payment(periods + row.number - 1, part, row.total) for row in schedule.rows]
    return annual_cost_of(terms.principal - schedule.start_fees, payments, periods_per_year(terms.frequency))


def annual_cost_of(paid_out: Decimal, payments: Sequence[Payment], periods_per_year: Fraction) -> AnnualCost:
    """Annualised cost of `paid_out` against `payments`. Raises CostError when no rate fits."""
    if paid_out <= 0:
        raise CostError("nothing is paid out after fees")
    rate = _periodic_rate(float(paid_out), payments)
    per_year = float(periods_per_year)
    try:
        compounded = (1 + rate) ** per_year - 1
    except OverflowError as error:
        raise CostError("the compounded rate is beyond any number") from error
    return AnnualCost(_rate(rate * per_year), _rate(compounded), periods_per_year, paid_out)


def periods_per_year(frequency: Frequency) -> Fraction:
    """Twelve months, 52 weeks or 365 days a year (Regulation Z, Appendix J (b)(4))."""
    in_a_year = {Unit.MONTH: 12, Unit.WEEK: 52, Unit.DAY: 365}[frequency.unit]
    return Fraction(in_a_year, frequency.every)


def _first_payment(schedule: Schedule) -> tuple[int, Fraction]:
    """When the first payment falls, in periods; the others follow one period after another."""
    terms, first = schedule.terms, schedule.rows[0]
    if is_regular(terms.start_date, first.period_end, terms.frequency, terms.month_end):
        return 1, Fraction(0)
    return periods_between(terms.start_date, first.period_end, terms.frequency)


def _agreed_payments(schedule: Schedule) -> list[Payment]:
    """The payments of an agreed plan, each in months and a part of one."""
    start = schedule.terms.start_date
    return [Payment(*periods_between(start, row.period_end, MONTHLY), row.total) for row in schedule.rows]


def periods_between(start: date, due_date: date, frequency: Frequency) -> tuple[int, Fraction]:
    """Whole periods counted back from `due_date` and the rest as part of one: days over 30 a month."""
    if frequency.unit is not Unit.MONTH:
        length = frequency.every * (7 if frequency.unit is Unit.WEEK else 1)
        periods, days = divmod((due_date - start).days, length)
        return periods, Fraction(days, length)
    months = (due_date.year - start.year) * 12 + due_date.month - start.month
    periods = months // frequency.every
    if due_date < add_months(start, periods * frequency.every):
        periods -= 1
    reached = add_months(due_date, -periods * frequency.every)
    days = max((reached - start).days, 0)
    part = Fraction(days, 30 * frequency.every)
    return (periods, part) if part < 1 else (periods + 1, Fraction(0))


def _periodic_rate(paid_out: float, payments: Sequence[Payment]) -> float:
    flows = [(payment.periods, float(payment.part), float(payment.amount)) for payment in payments]

    def surplus(rate: float) -> float:
        return sum(amount / ((1 + part * rate) * (1 + rate) ** n) for n, part, amount in flows) - paid_out

    low, high = 0.0, 0.01
    if surplus(low) < 0:
        low, high = _LOWEST_RATE, 0.0
    while surplus(high) > 0:
        low, high = high, high * 2
        if high > _HIGHEST_RATE:
            raise CostError("no rate makes the payments worth what is paid out")
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        low, high = (middle, high) if surplus(middle) > 0 else (low, middle)
    return (low + high) / 2


def _rate(value: float) -> Decimal:
    return round_money(Decimal(repr(value)), places=PLACES)
