"""One instalment while a loan is served, and the interest it earns on a balance that moves within its period."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from loans.domain.allocation import DueKind
from loans.domain.daycount import YEAR_BASIS, DayCount, year_weight
from loans.domain.periods import Period

CHARGES = (DueKind.PENALTY, DueKind.FEE)


@dataclass(slots=True)
class Line:
    """Whole cents throughout. What it asks for, what is paid on it, and what was paid before its day.

    `opening` and `closing` are the principal that runs before and after it. `ahead` is principal paid early that
    counts towards this instalment, `on_top` principal paid beyond it; `interest_on_top` is interest paid together with
    the latter. `carried` is interest for which an earlier instalment, paid ahead, had no room left, `deferred` that of
    instalments whose interest was put off to this one; `charged_fees` are those besides the regular ones.
    """

    period: Period
    asked: dict[DueKind, int] = field(default_factory=lambda: dict.fromkeys(DueKind, 0))
    paid: dict[DueKind, int] = field(default_factory=lambda: dict.fromkeys(DueKind, 0))
    principal_paid: list[tuple[date, int]] = field(default_factory=list)
    opening: int = 0
    closing: int = 0
    own_interest: int = 0
    ahead: int = 0
    on_top: int = 0
    interest_on_top: int = 0
    deferred: int = 0
    charged_fees: int = 0
    carried: int = 0

    @property
    def number(self) -> int:
        return self.period.number

    @property
    def start(self) -> date:
        return self.period.start

    @property
    def end(self) -> date:
        return self.period.end

    @property
    def due_date(self) -> date:
        return self.period.due_date

    @property
    def total(self) -> int:
        return sum(self.asked.values())

    @property
    def total_paid(self) -> int:
        return sum(self.paid.values())

    def unpaid(self, kind: DueKind) -> int:
        return self.asked[kind] - self.paid[kind]

    def unpaid_but(self, *kinds: DueKind) -> int:
        """What is unpaid besides these kinds."""
        return sum(self.unpaid(kind) for kind in DueKind if kind not in kinds)

    def is_closed(self, day: date) -> bool:
        """Whether nothing that happens on `day` changes what it asks for any more, but charges."""
        return self.end <= day or self.due_date <= day

    def is_idle(self) -> bool:
        """Whether it neither asks for anything nor was paid."""
        return not self.total and not self.total_paid


@dataclass(slots=True)
class Clock:
    """What interest depends on besides the terms: rates by date, pauses (first day in, last day out), and movements of
    the balance in cents."""

    day_count: DayCount
    rates: list[tuple[date, Fraction]]
    pauses: list[tuple[date, date]] = field(default_factory=list)
    #: Principal that fell due and stayed out: from, until, cents.
    late: list[tuple[date, date, int]] = field(default_factory=list)
    moves: list[tuple[date, int]] = field(default_factory=list)

    def rate_on(self, day: date) -> Fraction:
        return next(rate for since, rate in reversed(self.rates) if since <= day)

    def moved_within(self, period: Period) -> int:
        """Cents by which the balance moves from the period's start (in) to its end (out)."""
        return sum(cents for day, cents in self.moves if period.start <= day < period.end)

    def interest(self, period: Period, opening: Fraction | int, until: date | None = None) -> Fraction:
        """Exact interest, in cents, of the period up to `until` (out) on `opening` and what moves and is late in it."""
        end = period.end if until is None else min(until, period.end)
        if not period.weight or end <= period.start:
            return Fraction(0)
        if until is None and self._is_plain(period):
            return opening * self.rate_on(period.start) * Fraction(period.weight, YEAR_BASIS[self.day_count])
        steps = [(period.start, opening), *((day, cents) for day, cents in self.moves if period.start <= day < end)]
        for since, paid, cents in self.late:
            if max(since, period.start) < min(paid, end):
                steps += [(max(since, period.start), cents), (min(paid, end), -cents)]
        edges = {period.start, end, *(day for day, _ in steps)}
        edges |= {day for day, _ in self.rates if period.start < day < end}
        edges |= {day for pause in self.pauses for day in pause if period.start < day < end}
        ordered = sorted(edges)
        total = Fraction(0)
        for start, stop in pairwise(ordered):
            if any(first <= start < last for first, last in self.pauses):
                continue
            balance = sum((Fraction(cents) for day, cents in steps if day <= start), Fraction(0))
            total += balance * self.rate_on(start) * self.year_part(period, start, stop)
        return total

    def _is_plain(self, period: Period) -> bool:
        """Whether nothing changes within the period."""
        start, end = period.start, period.end
        return not (
            any(start <= day < end for day, _ in self.moves)
            or any(start < day < end for day, _ in self.rates)
            or any(first < end and start < last for first, last in self.pauses)
            or any(since < end and start < paid for since, paid, _ in self.late)
        )

    def year_part(self, period: Period, start: date, stop: date) -> Fraction:
        """A stretch of the period as part of a year. Under 30/360, and in a stub, the period's days are spread
        evenly over the actual ones, since they do not follow from its dates."""
        basis = YEAR_BASIS[self.day_count]
        if self.day_count is DayCount.THIRTY_360:
            return Fraction(period.weight * (stop - start).days, basis * (period.end - period.start).days)
        return Fraction(year_weight(self.day_count, start, stop), basis)


def initial_clock(annual_rate: Decimal, day_count: DayCount, start_date: date) -> Clock:
    return Clock(day_count, [(start_date, Fraction(annual_rate))])
