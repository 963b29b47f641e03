"""What a product sets of a loan besides its price and its instalments: the terms that travel.

They are fixed when a file is priced and go from there to the contract and the loan as one JSON value, so that a
running file keeps the version it began with. `ProductTerms()` is what a loan has of which nothing else is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from branch.domain.calendar import MonthEnd, RollRule, WorkingCalendar
from branch.domain.money import CENT, ZERO, round_money
from loans.domain.accrual import PenaltyTerms
from loans.domain.allocation import AllocationSequence, DueKind
from loans.domain.daycount import DayCount
from loans.domain.periods import WEEKENDS_OFF, Frequency, PaymentRoll
from loans.domain.repricing import Floating
from loans.domain.servicing.events import DEFAULT_ALLOCATION, PayoffInterest, Servicing, Surplus
from loans.domain.terms import Fee, FeeOn, PlanRow, RepaymentMethod, ScheduleTerms


class FeeKind(StrEnum):
    FIXED = "fixed"
    PERCENT = "percent"


@dataclass(frozen=True, slots=True)
class ProductFee:
    """A fee in yuan or as a fraction of the amount lent (0.01 is 1 %), at the start or with each instalment."""

    name_zh: str
    name_en: str
    kind: FeeKind
    value: Decimal
    on: FeeOn

    def amount_on(self, principal: Decimal) -> Decimal:
        """The fee in yuan for a loan of `principal` yuan."""
        return round_money(self.value if self.kind is FeeKind.FIXED else self.value * principal)

    def as_json(self) -> dict[str, str]:
        return {
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "kind": self.kind.value,
            "value": str(self.value),
            "on": self.on.value,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, str]) -> ProductFee:
        """Raises KeyError or ValueError for what is no fee."""
        value = Decimal(values["value"])
        return cls(values["name_zh"], values["name_en"], FeeKind(values["kind"]), value, FeeOn(values["on"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTerms:
    """`due_day` is a day of the month (None: that of the start); graces count instalments, `grace_days` days after
    a due date on which no penalty runs; uplifts are parts of the contract rate (0.50 is half as much again)."""

    due_day: int | None = None
    month_end: MonthEnd = MonthEnd.CLAMP
    holiday_roll: RollRule = RollRule.NONE
    interest_follows_holiday: bool = False
    principal_grace: int = 0
    interest_grace: int = 0
    instalment_rounding: Decimal = CENT
    fees: tuple[ProductFee, ...] = ()
    overdue_uplift: Decimal = Decimal("0.50")
    misuse_uplift: Decimal = Decimal("1.00")
    penalty_compounds: bool = True
    allocation_order: tuple[DueKind, ...] = DEFAULT_ALLOCATION
    allocation_sequence: AllocationSequence = AllocationSequence.INSTALMENT_FIRST
    grace_days: int = 0
    prepayment_allowed: bool = True
    surplus: Surplus = Surplus.SHORTEN_TERM
    payoff_interest: PayoffInterest = PayoffInterest.TO_DATE
    floating: Floating | None = None

    @property
    def penalty(self) -> PenaltyTerms:
        return PenaltyTerms(self.overdue_uplift, self.misuse_uplift, self.penalty_compounds)

    def servicing(self, contract_rate: Decimal) -> Servicing:
        """How payments of a loan at this rate are taken; money paid early is held where that may not be repaid."""
        return Servicing(
            surplus=self.surplus if self.prepayment_allowed else Surplus.HOLD,
            payoff_interest=self.payoff_interest,
            allocation=self.allocation_order,
            by_kind=self.allocation_sequence is AllocationSequence.BUCKET_FIRST,
            grace_days=self.grace_days,
            late_interest=False,
            penalty_rate=contract_rate * (1 + self.overdue_uplift),
            compounds=self.penalty_compounds,
        )

    def as_json(self) -> dict[str, Any]:
        """JSON values: decimals as text, enumerations by value."""
        values = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        values["fees"] = [fee.as_json() for fee in self.fees]
        values["floating"] = self.floating.as_json() if self.floating else None
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ProductTerms:
        """The terms `as_json` wrote; what is missing is as in `ProductTerms()`. Raises ValueError for bad values."""
        return cls(**{name: _READ.get(name, _as_it_is)(value) for name, value in values.items()})


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, StrEnum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def _as_it_is(value: Any) -> Any:
    return value


_READ: dict[str, Any] = {
    "month_end": MonthEnd,
    "holiday_roll": RollRule,
    "instalment_rounding": Decimal,
    "fees": lambda fees: tuple(ProductFee.from_json(fee) for fee in fees),
    "overdue_uplift": Decimal,
    "misuse_uplift": Decimal,
    "allocation_order": lambda order: tuple(DueKind(kind) for kind in order),
    "allocation_sequence": AllocationSequence,
    "surplus": Surplus,
    "payoff_interest": PayoffInterest,
    "floating": lambda values: Floating.from_json(values) if values else None,
}


def schedule_terms(
    terms: ProductTerms,
    *,
    principal: Decimal,
    annual_rate: Decimal,
    start_date: date,
    method: RepaymentMethod,
    day_count: DayCount,
    instalments: int,
    frequency: Frequency,
    calendar: WorkingCalendar = WEEKENDS_OFF,
    plan: tuple[PlanRow, ...] = (),
) -> ScheduleTerms:
    """What the schedule of a loan under `terms` follows from; fees become amounts of this principal.

    Raises TermsError when they do not fit together.
    """
    return ScheduleTerms(
        principal=principal,
        annual_rate=annual_rate,
        start_date=start_date,
        repayment_method=method,
        day_count=day_count,
        instalments=instalments,
        frequency=frequency,
        due_day=terms.due_day,
        month_end=terms.month_end,
        principal_grace=terms.principal_grace,
        interest_grace=terms.interest_grace,
        instalment_rounding=terms.instalment_rounding,
        fees=tuple(Fee(fee.amount_on(principal), fee.on) for fee in terms.fees),
        roll=PaymentRoll(terms.holiday_roll, calendar, terms.interest_follows_holiday),
        plan=plan,
    )


def start_fees(terms: ProductTerms, principal: Decimal) -> Decimal:
    """What is kept back of a loan of `principal` yuan when it is paid out."""
    return sum((fee.amount_on(principal) for fee in terms.fees if fee.on is FeeOn.START), ZERO)
