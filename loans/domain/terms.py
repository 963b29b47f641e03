"""What a repayment schedule follows from, checked."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from branch.domain.calendar import MonthEnd
from branch.domain.money import CENT, ZERO, Rounding, round_money
from loans.domain.daycount import DayCount
from loans.domain.periods import MONTHLY, NO_ROLL, Frequency, PaymentRoll

MOST_INSTALMENTS = 1200


class RepaymentMethod(StrEnum):
    EQUAL_INSTALMENT = "equal_instalment"
    EQUAL_PRINCIPAL = "equal_principal"
    INTEREST_ONLY = "interest_only"
    BULLET = "bullet"
    FLAT = "flat"
    AGREED_PLAN = "agreed_plan"
    PAY_AS_YOU_USE = "pay_as_you_use"


class FeeOn(StrEnum):
    START = "start"
    EACH = "each"


@dataclass(frozen=True, slots=True)
class Fee:
    """A fixed amount, kept back at the start or paid with each instalment."""

    amount: Decimal
    on: FeeOn


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One row of an agreed plan: the principal to be paid on a day, in yuan."""

    due_date: date
    principal: Decimal


def plan_for(plan: tuple[PlanRow, ...], principal: Decimal) -> tuple[PlanRow, ...]:
    """An agreed plan for another amount: every row in proportion, to the cent; the running total is rounded."""
    agreed = sum((row.principal for row in plan), ZERO)
    if agreed in (principal, 0):
        return plan
    rows, before, planned = [], ZERO, ZERO
    for row in plan:
        planned += row.principal
        after = round_money(Fraction(planned) * Fraction(principal) / Fraction(agreed))
        rows.append(PlanRow(row.due_date, after - before))
        before = after
    return tuple(rows)


class TermsError(ValueError):
    """Terms no schedule can be built from; `field` and `code` say which and why."""

    def __init__(self, field: str, code: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.code = code
        self.reason = message


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleTerms:
    """What a schedule follows from. `annual_rate` 12 % is 0.12; grace and free periods count instalments.

    `plan` belongs to the agreed plan alone: its rows are the due dates and the principal, one per instalment.
    """

    principal: Decimal
    annual_rate: Decimal
    start_date: date
    repayment_method: RepaymentMethod
    day_count: DayCount
    instalments: int
    frequency: Frequency = MONTHLY
    first_due_date: date | None = None
    due_day: int | None = None
    month_end: MonthEnd = MonthEnd.CLAMP
    principal_grace: int = 0
    interest_free: int = 0
    interest_grace: int = 0
    instalment_rounding: Decimal = CENT
    fees: tuple[Fee, ...] = ()
    rounding: Rounding = Rounding.HALF_UP
    roll: PaymentRoll = NO_ROLL
    plan: tuple[PlanRow, ...] = ()

    def __post_init__(self) -> None:
        _check_amounts(self)
        _check_counts(self)
        _check_plan(self)


def _check_amounts(terms: ScheduleTerms) -> None:
    _require(_is_money(terms.principal) and terms.principal > 0, "principal", "an amount above zero")
    _require(terms.annual_rate.is_finite() and terms.annual_rate >= 0, "annual_rate", "not below zero")
    rounding = terms.instalment_rounding
    _require(_is_money(rounding) and rounding > 0, "instalment_rounding", "a multiple of 0.01")
    _require(all(_is_money(fee.amount) and fee.amount >= 0 for fee in terms.fees), "fees", "amounts of money")


def _check_counts(terms: ScheduleTerms) -> None:
    count = terms.instalments
    _require(1 <= count <= MOST_INSTALMENTS, "instalments", f"between 1 and {MOST_INSTALMENTS}")
    _require(terms.frequency.every >= 1, "frequency", "every 1 or more")
    _require(0 <= terms.principal_grace < count, "principal_grace", "fewer than the instalments")
    _require(0 <= terms.interest_free <= count, "interest_free", "not more than the instalments")
    _require(0 <= terms.interest_grace < count, "interest_grace", "fewer than the instalments")
    _require(terms.due_day is None or 1 <= terms.due_day <= 31, "due_day", "between 1 and 31")
    first = terms.first_due_date
    _require(first is None or first > terms.start_date, "first_due_date", "after the start date")


def _check_plan(terms: ScheduleTerms) -> None:
    plan = terms.plan
    if terms.repayment_method is not RepaymentMethod.AGREED_PLAN:
        _require(not plan, "plan", "left out unless the plan is agreed")
        return
    _require(len(plan) == terms.instalments, "plan", "one row per instalment")
    days = [terms.start_date, *(row.due_date for row in plan)]
    for number, (earlier, later) in enumerate(pairwise(days)):
        _require(later > earlier, f"plan.{number}.due_date", "after the start and the row before", "not_rising")
    for number, row in enumerate(plan):
        _require(_is_money(row.principal) and row.principal >= 0, f"plan.{number}.principal", "an amount of money")
    _require(
        sum(row.principal for row in plan) == terms.principal, "plan", "principal that sums to the loan", "wrong_sum"
    )
    _require(not (terms.principal_grace or terms.interest_grace), "plan", "without graces: its rows say when")


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and amount == amount.quantize(CENT)


def _require(holds: bool, field: str, wanted: str, code: str = "invalid") -> None:
    if not holds:
        raise TermsError(field, code, f"must be {wanted}")
