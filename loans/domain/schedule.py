"""Repayment schedules: `build_schedule(terms)` gives the instalments of a loan, to the cent.

Conventions (each with a worked example in docs/algorithms):
- The level instalment brings the balance to zero under unrounded period factors, and is then rounded.
- Interest of a period is rounded once; the last instalment takes whatever principal is left.
- Principal grace: interest only, the principal spread over the remaining instalments.
- Interest-free instalments carry no interest. Interest of interest-grace instalments is charged without
  compounding and joins the first instalment after them: on top of it, but within a level instalment, whose size stays.
- A loan that is paid off early by a rounded-up instalment ends there.
- An agreed plan says the days and the principal; interest falls due with each row, on the balance before it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

from branch.domain.money import CENT, ZERO, from_cents, round_ratio, round_to_multiple, to_cents
from loans.domain.daycount import YEAR_BASIS, DayCount, bond_basis_days
from loans.domain.periods import Frequency, Period, Unit, interest_periods, nominal_due_dates
from loans.domain.terms import Fee, FeeOn, RepaymentMethod, ScheduleTerms, TermsError

__all__ = [
    "Fee",
    "FeeOn",
    "RepaymentMethod",
    "Row",
    "Schedule",
    "ScheduleTerms",
    "TermsError",
    "Totals",
    "build_schedule",
    "due_periods",
    "level_instalment",
]

# Far more digits than any product of growth factors needs, so that only the rounding to cents rounds.
_PRECISION = 50


# A tuple, not a dataclass: schedules are built by the hundred thousand, and this halves the time.
class Row(NamedTuple):
    """One instalment. `total` is principal + interest + fees; `balance` is the principal left after it."""

    number: int
    due_date: date
    days: int
    principal: Decimal
    interest: Decimal
    fees: Decimal
    total: Decimal
    balance: Decimal
    period_start: date
    period_end: date


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over the loan; `fees` and `total` include what is kept back at the start."""

    principal: Decimal
    interest: Decimal
    fees: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Schedule:
    terms: ScheduleTerms
    rows: tuple[Row, ...]
    totals: Totals
    start_fees: Decimal


def build_schedule(terms: ScheduleTerms) -> Schedule:
    """The schedule of `terms`: principal sums to the loan exactly and the last balance is zero.

    Raises TermsError when the dates do not fit together.
    """
    periods = due_periods(terms)
    sums = _METHODS[terms.repayment_method](terms, _interest_charger(terms), periods)
    if terms.interest_grace and terms.repayment_method is not RepaymentMethod.EQUAL_INSTALMENT and len(sums) > 1:
        sums = _defer_interest(sums, terms.interest_grace)
    start_fees = sum((fee.amount for fee in terms.fees if fee.on is FeeOn.START), ZERO)
    each_fees = sum((fee.amount for fee in terms.fees if fee.on is FeeOn.EACH), ZERO)
    rows = _rows(terms.principal, periods, sums, each_fees)
    return Schedule(terms, rows, _totals(terms, rows, each_fees, start_fees), start_fees)


def level_instalment(principal: Decimal, annual_rate: Decimal, weights: list[int], year_basis: int) -> Decimal:
    """The unrounded payment that brings `principal` to zero over periods of `weights / year_basis` years.

    Balance after period i is balance × (1 + f_i) − payment, so payment = principal × Π(1 + f_i) ÷ s_n with
    s_i = s_(i−1) × (1 + f_i) + 1.
    """
    with localcontext() as context:
        context.prec = _PRECISION
        factors = {weight: 1 + annual_rate * weight / year_basis for weight in set(weights)}
        growth, payments = Decimal(1), Decimal(0)
        for weight in weights:
            factor = factors[weight]
            growth *= factor
            payments = payments * factor + 1
        return principal * growth / payments


# Interest in whole cents on (balance in whole cents, weight of a period).
_Interest = Callable[[int, int], int]
# Cents of principal and of interest, per instalment.
_Sums = list[tuple[int, int]]


def _interest_charger(terms: ScheduleTerms) -> _Interest:
    """Interest that is exact until its one rounding, for the rate and day count of `terms`."""
    numerator, denominator = terms.annual_rate.as_integer_ratio()
    denominator *= YEAR_BASIS[terms.day_count]
    rounding = terms.rounding

    def interest(balance: int, weight: int) -> int:
        return round_ratio(balance * weight * numerator, denominator, rounding)

    return interest


def _equal_instalment(terms: ScheduleTerms, interest_on: _Interest, periods: list[Period]) -> _Sums:
    balance = to_cents(terms.principal)
    level, grace = _level_cents(terms, periods)
    sums = []
    last = len(periods)
    put_off = terms.interest_grace if last > 1 else 0
    deferred = 0
    for number, period in enumerate(periods, 1):
        interest = interest_on(balance, period.weight) + deferred
        deferred = interest if number <= put_off else 0
        interest -= deferred
        principal = level - interest if number > grace else 0
        if number == last or principal > balance:
            principal = balance
        elif principal < 0:
            principal = 0
        balance -= principal
        sums.append((principal, interest))
    return sums


def _level_cents(terms: ScheduleTerms, periods: list[Period]) -> tuple[int, int]:
    """The rounded level instalment in cents and the number of instalments before it that pay interest only.

    A first period so long that its interest alone exceeds the level instalment pays just that interest
    (interest is never added to principal); the level is then found over the instalments after it.
    """
    grace, basis = terms.principal_grace, YEAR_BASIS[terms.day_count]
    while True:
        weights = [period.weight for period in periods[grace:]]
        level = level_instalment(terms.principal, terms.annual_rate, weights, basis)
        first_interest = terms.principal * terms.annual_rate * weights[0] / basis
        if level >= first_interest or len(weights) == 1:
            return to_cents(round_to_multiple(level, terms.instalment_rounding, terms.rounding)), grace
        grace += 1


def _equal_principal(terms: ScheduleTerms, interest_on: _Interest, periods: list[Period]) -> _Sums:
    principals = _equal_principals(terms, len(periods))
    balance = sum(principals)
    sums = []
    for principal, period in zip(principals, periods, strict=True):
        sums.append((principal, interest_on(balance, period.weight)))
        balance -= principal
    return sums


def _interest_only(terms: ScheduleTerms, interest_on: _Interest, periods: list[Period]) -> _Sums:
    principal = to_cents(terms.principal)
    sums = [(0, interest_on(principal, period.weight)) for period in periods]
    sums[-1] = (principal, sums[-1][1])
    return sums


def _agreed_plan(terms: ScheduleTerms, interest_on: _Interest, periods: list[Period]) -> _Sums:
    balance = to_cents(terms.principal)
    sums = []
    for row, period in zip(terms.plan, periods, strict=True):
        principal = to_cents(row.principal)
        sums.append((principal, interest_on(balance, period.weight)))
        balance -= principal
    return sums


def _flat(terms: ScheduleTerms, interest_on: _Interest, periods: list[Period]) -> _Sums:
    """Interest on the original principal all along: its total is rounded once, the last takes the rest."""
    loan = to_cents(terms.principal)
    interest_left = interest_on(loan, sum(period.weight for period in periods))
    interests = []
    for period in periods[:-1]:
        interests.append(min(interest_on(loan, period.weight), interest_left))
        interest_left -= interests[-1]
    interests.append(interest_left)
    return list(zip(_flat_principals(terms, interests), interests, strict=True))


def _flat_principals(terms: ScheduleTerms, interests: list[int]) -> list[int]:
    if terms.instalment_rounding == CENT:
        return _equal_principals(terms, len(interests))
    balance = to_cents(terms.principal)
    equal = Fraction(terms.principal) / (len(interests) - terms.principal_grace)
    principals = []
    for number, interest in enumerate(interests, 1):
        instalment = round_to_multiple(equal + Fraction(interest, 100), terms.instalment_rounding, terms.rounding)
        principal = min(max(to_cents(instalment) - interest, 0), balance)
        if number <= terms.principal_grace:
            principal = 0
        principals.append(balance if number == len(interests) else principal)
        balance -= principals[-1]
    return principals


def _equal_principals(terms: ScheduleTerms, count: int) -> list[int]:
    """Cents of principal per instalment: equal parts after the grace, the last takes the rest."""
    balance = to_cents(terms.principal)
    paying = count - terms.principal_grace
    part = to_cents(round_to_multiple(Fraction(terms.principal) / paying, terms.instalment_rounding, terms.rounding))
    principals = [0] * terms.principal_grace
    for _ in range(paying - 1):
        principals.append(min(part, balance))
        balance -= principals[-1]
    return [*principals, balance]


_METHODS: dict[RepaymentMethod, Callable[[ScheduleTerms, _Interest, list[Period]], _Sums]] = {
    RepaymentMethod.EQUAL_INSTALMENT: _equal_instalment,
    RepaymentMethod.EQUAL_PRINCIPAL: _equal_principal,
    RepaymentMethod.INTEREST_ONLY: _interest_only,
    RepaymentMethod.BULLET: _interest_only,
    RepaymentMethod.FLAT: _flat,
    RepaymentMethod.AGREED_PLAN: _agreed_plan,
    # What is drawn is owed until the end unless it is paid back before; until then it bears interest.
    RepaymentMethod.PAY_AS_YOU_USE: _interest_only,
}


def _defer_interest(sums: _Sums, grace: int) -> _Sums:
    deferred = sum(interest for _, interest in sums[:grace])
    principal, interest = sums[grace]
    return [
        *((principal, 0) for principal, _ in sums[:grace]),
        (principal, interest + deferred),
        *sums[grace + 1 :],
    ]


def due_periods(terms: ScheduleTerms, *, instalments: int | None = None) -> list[Period]:
    """The interest periods of the terms, or of as many `instalments`; one for a loan that pays all at maturity.

    Raises TermsError when the dates do not fit together.
    """
    periods = _periods(terms, instalments or terms.instalments)
    return [_merge(periods)] if terms.repayment_method is RepaymentMethod.BULLET else periods


def _periods(terms: ScheduleTerms, instalments: int) -> list[Period]:
    if terms.repayment_method is RepaymentMethod.AGREED_PLAN:
        return _plan_periods(terms)
    try:
        due_dates = nominal_due_dates(
            start_date=terms.start_date,
            instalments=instalments,
            frequency=terms.frequency,
            first_due_date=terms.first_due_date,
            due_day=terms.due_day,
            month_end=terms.month_end,
        )
    except OverflowError as error:
        raise TermsError("instalments", "beyond_calendar", "the last due date is beyond year 9999") from error
    except ValueError as error:
        raise TermsError("first_due_date", "not_on_due_day", str(error)) from error
    periods = interest_periods(
        start_date=terms.start_date,
        due_dates=due_dates,
        day_count=terms.day_count,
        frequency=terms.frequency,
        month_end=terms.month_end,
        roll=terms.roll,
    )
    free = terms.interest_free
    return [period._replace(weight=0) for period in periods[:free]] + periods[free:]


def _plan_periods(terms: ScheduleTerms) -> list[Period]:
    """The periods between the days agreed on; none of them is regular, so 30/360 counts by bond basis."""
    periods = interest_periods(
        start_date=terms.start_date,
        due_dates=[row.due_date for row in terms.plan],
        day_count=terms.day_count,
        frequency=Frequency(Unit.DAY, 1),
        roll=terms.roll,
    )
    if terms.day_count is DayCount.THIRTY_360:
        days = [bond_basis_days(period.start, period.end) for period in periods]
        periods = [period._replace(days=n, weight=n) for period, n in zip(periods, days, strict=True)]
    free = terms.interest_free
    return [period._replace(weight=0) for period in periods[:free]] + periods[free:]


def _merge(periods: list[Period]) -> Period:
    """All periods as one, for a loan that pays everything at maturity."""
    first, last = periods[0], periods[-1]
    days, weight = sum(period.days for period in periods), sum(period.weight for period in periods)
    return Period(1, first.start, last.end, last.due_date, days, weight)


def _rows(principal: Decimal, periods: list[Period], sums: _Sums, each_fees: Decimal) -> tuple[Row, ...]:
    balance = principal + ZERO
    fees = each_fees + ZERO
    rows = []
    for period, (principal_cents, interest_cents) in zip(periods, _without_idle_end(sums), strict=False):
        paid = from_cents(principal_cents)
        interest = from_cents(interest_cents)
        balance -= paid
        number, start, end, due_date, days, _ = period
        rows.append(Row(number, due_date, days, paid, interest, fees, paid + interest + fees, balance, start, end))
    return tuple(rows)


def _without_idle_end(sums: _Sums) -> _Sums:
    """Instalments up to the last one with anything due (a rounded-up instalment can finish early)."""
    count = len(sums)
    while sums[count - 1] == (0, 0):
        count -= 1
    return sums[:count]


def _totals(terms: ScheduleTerms, rows: tuple[Row, ...], each_fees: Decimal, start_fees: Decimal) -> Totals:
    interest = sum([row.interest for row in rows], ZERO)
    fees = start_fees + each_fees * len(rows)
    return Totals(terms.principal + ZERO, interest, fees, terms.principal + interest + fees)
