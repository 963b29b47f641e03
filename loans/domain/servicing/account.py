"""A loan as it stands on a day: what it owes, what has accrued, and where money went."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from branch.domain.money import round_ratio, to_cents
from loans.domain.allocation import DueKind
from loans.domain.daycount import year_fraction
from loans.domain.schedule import due_periods
from loans.domain.servicing.events import PayoffInterest, Servicing
from loans.domain.servicing.lines import CHARGES, Clock, Line, initial_clock
from loans.domain.servicing.plan import Plan, each_fees
from loans.domain.terms import RepaymentMethod, ScheduleTerms

#: Of a posting that no event made.
NO_EVENT = -1
INTEREST, PRINCIPAL, FEE, PENALTY = DueKind.INTEREST, DueKind.PRINCIPAL, DueKind.FEE, DueKind.PENALTY


@dataclass(frozen=True, slots=True)
class Posting:
    """What of one event's money went where: cents of `kind` on the instalment (0: held for the borrower, below zero
    where held money was used). `event` is -1 where no event moved it: held money put to what fell due."""

    event: int
    date: date
    number: int
    kind: DueKind | None
    cents: int


@dataclass(slots=True)
class Account:
    """A loan as it stands after the events so far. Amounts in whole cents."""

    terms: ScheduleTerms
    servicing: Servicing
    plan: Plan
    instalments: int
    day: date
    #: Yearly rate on what is overdue, by the day it applies from; none where the contract has no penalty.
    penalty_rates: list[tuple[date, Fraction]] = field(default_factory=list)
    #: Since when funds are known to be misused, and the rate that costs.
    misuse: tuple[date, Fraction] | None = None
    held: int = 0
    #: Instalments that a pay-off found; they stay in the schedule even where nothing is left of them.
    kept: set[int] = field(default_factory=set)
    #: The day it was paid off.
    ended: date | None = None
    postings: list[Posting] = field(default_factory=list)
    event: int = NO_EVENT

    @property
    def lines(self) -> list[Line]:
        return self.plan.lines

    @property
    def drawn(self) -> list[tuple[date, int]]:
        """What was paid out, and when."""
        return self.plan.drawn()

    def first_open(self, day: date) -> int:
        """Index of the instalment whose period `day` falls in; as many as there are lines when all are closed."""
        return next((index for index, line in enumerate(self.lines) if not line.is_closed(day)), len(self.lines))

    # --- time

    def advance(self, day: date) -> None:
        """Bring the account to `day`: principal that fell due and was not paid has borne interest until then.

        Instalments that closed on the way stand as they were asked for on their day; held money went to what fell due
        on each day that is over.
        """
        if self.held:
            for due_date in sorted({line.due_date for line in self.lines if self.day <= line.due_date < day}):
                self._advance(due_date)
                self.use_held(due_date)
        self._advance(day)

    def use_held(self, day: date) -> int:
        """Put what is held for the borrower to what is due on `day`, as at its end; how much of it was used."""
        event, self.event = self.event, NO_EVENT
        held = self.held
        left = self.pay_due(day, held)
        self.hold(left - held, day)
        self.event = event
        return held - left

    def _advance(self, day: date) -> None:
        day = max(self.day, day)
        self._charge_penalty(day)
        first, self.day = self.first_open(self.day), day
        if not self.servicing.late_interest or self.terms.repayment_method is RepaymentMethod.FLAT:
            return
        # A line that closed on the way changes what those after it ask for, one after another.
        while first < len(self.lines) and self.lines[first].is_closed(self.day):
            self.plan.clock.late = self._all_late(first)
            self.plan.project(first, first + 1)
            first += 1
        self.plan.clock.late = self._all_late(first)
        self.plan.project(first)

    def _all_late(self, before: int) -> list[tuple[date, date, int]]:
        return [piece for line in self.lines[:before] for piece in self._late(line)]

    def _charge_penalty(self, day: date) -> None:
        """Penalty interest from where the account stands to `day` (out), as nothing is paid meanwhile."""
        if day == self.day:
            return
        if self.penalty_rates and (cents := self._running_penalty(day) - self._running_penalty(self.day)):
            overdue = [line for line in self.lines if line.due_date < day and line.unpaid_but(PENALTY, FEE)]
            overdue[0].asked[PENALTY] += cents
        if self.misuse and (cents := self._running_surcharge(day) - self._running_surcharge(self.day)):
            self.lines[min(self.first_open(self.day), len(self.lines) - 1)].asked[PENALTY] += cents

    def _running_penalty(self, until: date) -> int:
        """Penalty interest up to `until` (out) on all that is overdue by then, had it always stood as it stands now.

        Differences of it are what the days between cost; it is rounded once, so that days add up.
        """
        exact = Fraction(0)
        for line in self.lines:
            since = line.due_date + timedelta(days=self.servicing.grace_days)
            if since < until:
                unpaid = line.unpaid(PRINCIPAL) + (line.unpaid(INTEREST) if self.servicing.compounds else 0)
                exact += unpaid * self._penalty_factor(since, until)
        return self.plan.round(exact)

    def _penalty_factor(self, start: date, until: date) -> Fraction:
        changes = [day for day, _ in self.penalty_rates if start < day < until]
        edges = sorted({start, until, *changes})
        return sum(
            (
                next(rate for day, rate in reversed(self.penalty_rates) if day <= since)
                * year_fraction(self.terms.day_count, since, to)
                for since, to in pairwise(edges)
            ),
            Fraction(0),
        )

    def _running_surcharge(self, until: date) -> int:
        """What misused principal that is not overdue has cost up to `until` (out), beyond the contract's interest."""
        if not self.misuse:
            return 0
        since, heavier = self.misuse
        clock = self.plan.clock
        rates = [(self.terms.start_date, Fraction(0)), (since, max(heavier - clock.rate_on(since), Fraction(0)))]
        rates += [(day, max(heavier - rate, Fraction(0))) for day, rate in clock.rates if day > since]
        surcharge = Clock(clock.day_count, rates, moves=clock.moves)
        exact = sum((surcharge.interest(line.period, line.opening, until) for line in self.lines), Fraction(0))
        return self.plan.round(exact)

    def _late(self, line: Line) -> list[tuple[date, date, int]]:
        """The stretches of time for which principal of the line stayed out after its period."""
        if line.end >= self.day or not line.is_closed(self.day):
            return []
        on_time = sum(cents for day, cents in line.principal_paid if day <= line.end)
        pieces, out = [], line.asked[PRINCIPAL] - on_time
        for day, cents in line.principal_paid:
            if day > line.end:
                pieces.append((line.end, day, cents))
                out -= cents
        return [*pieces, (line.end, self.day, out)] if out > 0 else pieces

    # --- what is owed

    def accrued(self, day: date) -> int:
        """Interest of the running period up to `day` (out), not yet due and not paid ahead."""
        first = self.first_open(day)
        if self.plan.is_settled or first == len(self.lines):
            return 0
        line = self.lines[first]
        if self.terms.repayment_method is RepaymentMethod.FLAT:
            days, passed = (line.end - line.start).days, max((day - line.start).days, 0)
            earned = round_ratio(line.own_interest * passed, days, self.terms.rounding)
        else:
            earned = line.carried + self.plan.round(self.plan.clock.interest(line.period, line.opening, day))
        put_off = self.put_off(first) + line.deferred
        return max(earned + put_off - line.paid[INTEREST], 0)

    def put_off(self, first: int) -> int:
        """Interest of instalments in their grace, earned but not asked for yet."""
        grace = self.terms.interest_grace
        if not self.lines[first].number <= grace:
            return 0
        return sum(line.own_interest - line.paid[INTEREST] for line in self.lines[:first])

    def balance(self) -> int:
        """Principal not paid back."""
        out = sum(line.asked[PRINCIPAL] for line in self.lines)
        return out - sum(line.paid[PRINCIPAL] for line in self.lines)

    def due(self, day: date) -> int:
        """All that has fallen due by `day` and is unpaid."""
        return sum(line.unpaid(kind) for line in self.lines if line.is_closed(day) for kind in DueKind)

    def charged(self, day: date) -> int:
        """Charges on the running instalment that were made by `day`, besides its regular fees."""
        first = self.first_open(day)
        penalty = self.lines[first].unpaid(PENALTY) if first < len(self.lines) else 0
        return penalty + self.charged_fees(day)

    def charged_fees(self, day: date) -> int:
        """Unpaid fees on the running instalment that were charged by `day`, besides its regular ones."""
        first = self.first_open(day)
        if first == len(self.lines):
            return 0
        unpaid = self.lines[first].unpaid(FEE)
        return unpaid - min(each_fees(self.terms), unpaid)

    def payoff(self, day: date) -> int:
        """What settles the loan on `day`, what is held for the borrower not yet taken off."""
        return self.balance() + self.interest_to_settle(day) + self._charges_due(day) + self._interest_due(day)

    def interest_to_settle(self, day: date) -> int:
        first = self.first_open(day)
        if self.servicing.payoff_interest is PayoffInterest.TO_PERIOD_END and first < len(self.lines):
            line = self.lines[first]
            if line.start < day:
                return line.unpaid(INTEREST)
        return self.accrued(day)

    def _interest_due(self, day: date) -> int:
        return sum(line.unpaid(INTEREST) for line in self.lines if line.is_closed(day))

    def _charges_due(self, day: date) -> int:
        closed = sum(line.unpaid(kind) for line in self.lines if line.is_closed(day) for kind in CHARGES)
        return closed + self.charged(day)

    # --- taking money

    def pay(self, line: Line, kind: DueKind, cents: int, day: date) -> int:
        if cents:
            line.paid[kind] += cents
            if kind is PRINCIPAL:
                line.principal_paid.append((day, cents))
            self.postings.append(Posting(self.event, day, line.number, kind, cents))
        return cents

    def pay_due(self, day: date, left: int) -> int:
        """Pay what has fallen due by `day` out of `left`; how much is left."""
        lines = [line for line in self.lines if line.is_closed(day)]
        order = self.servicing.allocation
        if self.servicing.by_kind:
            # Charges first as their order has it, then what is overdue, then what is due on the day.
            overdue = [line for line in lines if line.due_date < day]
            groups = (overdue, [line for line in lines if line.due_date >= day])
            places = [(line, kind) for kind in order if kind in CHARGES for line in lines]
            places += [(line, kind) for group in groups for kind in order if kind not in CHARGES for line in group]
        else:
            places = [(line, kind) for line in lines for kind in order]
        for line, kind in places:
            left -= self.pay(line, kind, min(left, line.unpaid(kind)), day)
        return left

    def take_held(self, day: date) -> int:
        """What is held for the borrower, no longer held: it is used before what comes in."""
        held = self.held
        self.hold(-held, day)
        return held

    def hold(self, cents: int, day: date) -> None:
        if cents:
            self.held += cents
            self.postings.append(Posting(self.event, day, 0, None, cents))


def open_account(terms: ScheduleTerms, servicing: Servicing) -> Account:
    """The loan on its first day, before anything has happened."""
    lines = [Line(period) for period in due_periods(terms)]
    principal = to_cents(terms.principal)
    lines[0].opening = principal
    plan = Plan(terms, initial_clock(terms.annual_rate, terms.day_count, terms.start_date), lines)
    plan.interest_only = set(range(1, terms.principal_grace + 1))
    plan.resize(0)
    plan.project(0)
    account = Account(terms, servicing, plan, terms.instalments, terms.start_date)
    if servicing.penalty_rate is not None:
        account.penalty_rates.append((terms.start_date, Fraction(servicing.penalty_rate)))
    return account
