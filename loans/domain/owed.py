"""What a loan owes on a day: what has fallen due, what has accrued since, and what it takes to pay it off."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from branch.domain.money import ZERO, round_money
from loans.domain.allocation import DueItem, DueKind
from loans.domain.daycount import DayCount, year_fraction


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One instalment with what is paid on it. Interest runs from `start_date` (in) to `end_date` (out).

    A row of a loan served as it was planned needs no more than the first eight. Otherwise `earned_interest` is what
    its period earns (asked by this row or a later one), `brought_interest` what earlier periods earned and it asks
    for; within the period `interest_before` yuan, exactly, were earned up to `bearing_from`, from when
    `bearing_principal` bears interest; `is_spread` interest is spread evenly over the period's days instead.
    """

    number: int
    start_date: date
    due_date: date
    principal: Decimal
    interest: Decimal
    principal_paid: Decimal
    interest_paid: Decimal
    balance_after: Decimal
    fee: Decimal = ZERO
    fee_paid: Decimal = ZERO
    end_date: date | None = None
    counted_days: int | None = None
    earned_interest: Decimal | None = None
    brought_interest: Decimal = ZERO
    bearing_principal: Decimal | None = None
    bearing_from: date | None = None
    interest_before: Decimal = ZERO
    is_spread: bool = False

    @property
    def principal_unpaid(self) -> Decimal:
        return self.principal - self.principal_paid

    @property
    def interest_unpaid(self) -> Decimal:
        return self.interest - self.interest_paid

    @property
    def fee_unpaid(self) -> Decimal:
        return self.fee - self.fee_paid

    @property
    def period_end(self) -> date:
        return self.end_date or self.due_date

    @property
    def earned(self) -> Decimal:
        return self.interest if self.earned_interest is None else self.earned_interest


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
    each_fee: Decimal = ZERO,
    whole_period: bool = False,
) -> Owed:
    """What is owed on `on_date` at its beginning, in yuan; `penalty_due` is what had accrued by then.

    An instalment is due with all its interest from its due date on. Before that its interest accrues on the
    balance of its period; overdue principal earns penalty interest instead. Paying off takes the fees charged in the
    running period, but not `each_fee`, the regular one of every instalment; of a period begun it takes the interest up
    to that day, or all of it (`whole_period`).
    """
    due: list[DueItem] = []
    early: list[DueItem] = []
    if penalty_due:
        due.append(DueItem(0, on_date, DueKind.PENALTY, penalty_due))
    for row in rows:
        has_fallen_due = row.due_date <= on_date
        if has_fallen_due or (whole_period and row.start_date < on_date):
            interest = row.interest
        else:
            interest = asked_by(on_date, row, annual_rate, day_count)
        fee = row.fee_unpaid
        if not has_fallen_due:
            fee = fee - min(each_fee, fee) if row.start_date <= on_date < row.period_end else ZERO
        items = (
            DueItem(row.number, row.due_date, DueKind.FEE, fee),
            DueItem(row.number, row.due_date, DueKind.INTEREST, max(interest - row.interest_paid, ZERO)),
            DueItem(row.number, row.due_date, DueKind.PRINCIPAL, row.principal_unpaid),
        )
        (due if has_fallen_due else early).extend(item for item in items if item.amount)
    return Owed(on_date, tuple(due), tuple(early))


def asked_by(on_date: date, row: ScheduleRow, annual_rate: Decimal, day_count: DayCount) -> Decimal:
    """Interest the row asks for by `on_date`: what it brought along and what its period earned by then."""
    if on_date < row.start_date:
        return ZERO
    return row.brought_interest + accrued_on(on_date, row, annual_rate, day_count)


def accrued_on(on_date: date, row: ScheduleRow, annual_rate: Decimal, day_count: DayCount) -> Decimal:
    """Interest of the row's period from its start (in) to `on_date` (out), never more than the period earns.

    Under 30/360 the counted days are spread evenly over the actual ones, as a part of a period does not follow from
    its dates.
    """
    if on_date <= row.start_date:
        return ZERO
    if on_date >= row.period_end:
        return row.earned
    days = (row.period_end - row.start_date).days
    if row.is_spread or (day_count is DayCount.THIRTY_360 and row.counted_days is None):
        return round_money(Fraction(row.earned) * Fraction((on_date - row.start_date).days, days))
    since = row.bearing_from or row.start_date
    exact = Fraction(row.interest_before)
    if on_date > since:
        balance = row.balance_after + row.principal if row.bearing_principal is None else row.bearing_principal
        if day_count is DayCount.THIRTY_360:
            part = Fraction((row.counted_days or 0) * (on_date - since).days, 360 * days)
        else:
            part = year_fraction(day_count, since, on_date)
        exact += Fraction(balance) * Fraction(annual_rate) * part
    return min(round_money(exact), row.earned)


def penalty_between(
    start: date,
    end: date,
    rows: Sequence[ScheduleRow],
    *,
    penalty_rate: Decimal,
    day_count: DayCount,
    compounds: bool = True,
    grace_days: int = 0,
) -> Decimal:
    """Penalty interest from `start` (in) to `end` (out) if nothing is paid meanwhile.

    What a row leaves unpaid earns it from the row's due date on, or from the end of the `grace_days` after it:
    principal, and interest too where the contract charges interest on unpaid interest (`compounds`). The running total
    is rounded, so that days add up.
    """

    def running(until: date) -> Decimal:
        exact = Fraction(0)
        for row in rows:
            since = row.due_date + timedelta(days=grace_days)
            if since < until:
                unpaid = row.principal_unpaid + (row.interest_unpaid if compounds else ZERO)
                exact += Fraction(unpaid) * year_fraction(day_count, since, until)
        return round_money(exact * Fraction(penalty_rate))

    return running(end) - running(start)


def _total(items: Iterable[DueItem]) -> Decimal:
    return sum((item.amount for item in items), ZERO)
