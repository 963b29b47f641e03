"""What a loan owes on a day: what has fallen due, what has accrued since, and what it takes to pay it off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from branch.domain.money import ZERO, round_money
from loans.domain.accrual import interest_between
from loans.domain.allocation import DueItem, DueKind
from loans.domain.daycount import DayCount, year_fraction


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One instalment with what is paid on it. Interest runs from `start_date` (in) to `due_date` (out)."""

    number: int
    start_date: date
    due_date: date
    principal: Decimal
    interest: Decimal
    principal_paid: Decimal
    interest_paid: Decimal
    balance_after: Decimal

    @property
    def principal_unpaid(self) -> Decimal:
        return self.principal - self.principal_paid

    @property
    def interest_unpaid(self) -> Decimal:
        return self.interest - self.interest_paid


@dataclass(frozen=True, slots=True)
class Owed:
    """`due` is what may be paid on `on_date`; `early` is what paying the loan off takes besides it."""

    on_date: date
    due: tuple[DueItem, ...]
    early: tuple[DueItem, ...]

    @property
    def due_amount(self) -> Decimal:
        return _total(self.due)

    @property
    def overdue_amount(self) -> Decimal:
        """What should have been paid before that day, penalty interest included."""
        return _total(item for item in self.due if item.due_date < self.on_date or item.kind is DueKind.PENALTY)

    @property
    def accrued_interest(self) -> Decimal:
        """Interest of the running period up to that day, not yet due."""
        return self.early_of(DueKind.INTEREST)

    @property
    def payoff_amount(self) -> Decimal:
        return self.due_amount + _total(self.early)

    def due_of(self, kind: DueKind) -> Decimal:
        return _total(item for item in self.due if item.kind is kind)

    def early_of(self, kind: DueKind) -> Decimal:
        return _total(item for item in self.early if item.kind is kind)


def owed_on(
    on_date: date,
    rows: Sequence[ScheduleRow],
    *,
    penalty_due: Decimal,
    annual_rate: Decimal,
    day_count: DayCount,
) -> Owed:
    """What is owed on `on_date` at its beginning, in yuan; `penalty_due` is what had accrued by then.

    An instalment is due with all its interest from its due date on. Before that its interest accrues on the
    scheduled balance of its period; overdue principal earns penalty interest instead.
    """
    due: list[DueItem] = []
    early: list[DueItem] = []
    if penalty_due:
        due.append(DueItem(0, on_date, DueKind.PENALTY, penalty_due))
    for row in rows:
        has_fallen_due = row.due_date <= on_date
        interest = row.interest if has_fallen_due else accrued_on(on_date, row, annual_rate, day_count)
        items = (
            DueItem(row.number, row.due_date, DueKind.INTEREST, max(interest - row.interest_paid, ZERO)),
            DueItem(row.number, row.due_date, DueKind.PRINCIPAL, row.principal_unpaid),
        )
        (due if has_fallen_due else early).extend(item for item in items if item.amount)
    return Owed(on_date, tuple(due), tuple(early))


def accrued_on(on_date: date, row: ScheduleRow, annual_rate: Decimal, day_count: DayCount) -> Decimal:
    """Interest of the row's period from its start (in) to `on_date` (out), never more than the row asks for.

    Under 30/360 the period's interest is spread evenly over its actual days, as its length does not follow
    from its dates.
    """
    if on_date <= row.start_date:
        return ZERO
    if on_date >= row.due_date:
        return row.interest
    if day_count is DayCount.THIRTY_360:
        share = Fraction((on_date - row.start_date).days, (row.due_date - row.start_date).days)
        return round_money(Fraction(row.interest) * share)
    balance = row.balance_after + row.principal
    accrued = interest_between(balance, annual_rate, row.start_date, on_date, day_count)
    return min(accrued, row.interest)


def penalty_between(
    start: date,
    end: date,
    rows: Sequence[ScheduleRow],
    *,
    penalty_rate: Decimal,
    day_count: DayCount,
    compounds: bool = True,
) -> Decimal:
    """Penalty interest from `start` (in) to `end` (out) if nothing is paid meanwhile.

    What a row leaves unpaid earns it from the row's due date on: principal, and interest too where the contract
    charges interest on unpaid interest (`compounds`). The running total is rounded, so that days add up.
    """

    def running(until: date) -> Decimal:
        exact = Fraction(0)
        for row in rows:
            if row.due_date < until:
                unpaid = row.principal_unpaid + (row.interest_unpaid if compounds else ZERO)
                exact += Fraction(unpaid) * year_fraction(day_count, row.due_date, until)
        return round_money(exact * Fraction(penalty_rate))

    return running(end) - running(start)


def _total(items: Iterable[DueItem]) -> Decimal:
    return sum((item.amount for item in items), ZERO)
