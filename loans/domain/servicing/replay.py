"""`replay(terms, events)`: a loan served from its first day through everything that happened to it.

The result follows from the terms and the events alone. A backdated or reversed payment is another list of events;
replaying it gives the right interest, arrears and balances after it. Conventions, each with a worked example in
docs/algorithms:
- Interest runs on the balance the schedule has left, principal paid early taken off from its day on. A late payment
  leaves the schedule as it is.
- Money goes to what has fallen due, oldest first; then to charges and interest of the running instalment; then to
  principal as `Servicing.surplus` says.
- The instalment keeps its size until a drawdown, a change of rate, added instalments, a principal grace or a surplus
  that lowers it; the last one takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import TypeVar

from branch.domain.money import allocate, from_cents, round_ratio, to_cents
from loans.domain.allocation import DueKind
from loans.domain.daycount import year_fraction
from loans.domain.periods import Period
from loans.domain.schedule import due_periods
from loans.domain.servicing.events import Event, EventType, PayoffInterest, Servicing, Surplus, in_order
from loans.domain.servicing.lines import CHARGES, Line, initial_clock
from loans.domain.servicing.plan import Plan, each_fees
from loans.domain.terms import RepaymentMethod, ScheduleTerms, TermsError

T = TypeVar("T")
INTEREST, PRINCIPAL, FEE, PENALTY = DueKind.INTEREST, DueKind.PRINCIPAL, DueKind.FEE, DueKind.PENALTY


@dataclass(frozen=True, slots=True)
class Posting:
    """What of one event's money went where: cents of `kind` on the instalment (0: held for the borrower)."""

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
    held: int = 0
    #: Instalments that a pay-off found; they stay in the schedule even where nothing is left of them.
    kept: set[int] = field(default_factory=set)
    postings: list[Posting] = field(default_factory=list)
    event: int = -1

    @property
    def lines(self) -> list[Line]:
        return self.plan.lines

    @property
    def drawn(self) -> list[tuple[date, int]]:
        """What was paid out, and when."""
        first = (self.terms.start_date, to_cents(self.terms.principal))
        return [first, *((day, cents) for day, cents in self.plan.clock.moves if cents > 0)]

    def first_open(self, day: date) -> int:
        """Index of the instalment whose period `day` falls in; as many as there are lines when all are closed."""
        return next((index for index, line in enumerate(self.lines) if not line.is_closed(day)), len(self.lines))

    # --- time

    def advance(self, day: date) -> None:
        """Bring the account to `day`: principal that fell due and was not paid has borne interest until then.

        Instalments that closed on the way stand as they were asked for on their day.
        """
        day = max(self.day, day)
        self._charge_penalty(day)
        first, self.day = self.first_open(self.day), day
        if not self.servicing.late_interest or self.terms.repayment_method is RepaymentMethod.FLAT:
            return
        while True:
            self.plan.clock.late = [piece for line in self.lines for piece in self._late(line)]
            self.plan.project(first)
            if first >= len(self.lines) or not self.lines[first].is_closed(self.day):
                break
            first += 1

    def _charge_penalty(self, day: date) -> None:
        """Penalty interest from where the account stands to `day` (out), as nothing is paid meanwhile."""
        if self.servicing.penalty_rate is None or day == self.day:
            return
        cents = self._running_penalty(day) - self._running_penalty(self.day)
        if cents:
            overdue = [line for line in self.lines if line.due_date < day and line.unpaid_but(PENALTY, FEE)]
            overdue[0].asked[PENALTY] += cents

    def _running_penalty(self, until: date) -> int:
        """Penalty interest up to `until` (out) on all that is overdue by then, had it always stood as it stands now.

        Differences of it are what the days between cost; it is rounded once, so that days add up.
        """
        exact = Fraction(0)
        for line in self.lines:
            if line.due_date < until:
                unpaid = line.unpaid(PRINCIPAL) + (line.unpaid(INTEREST) if self.servicing.compounds else 0)
                exact += unpaid * year_fraction(self.terms.day_count, line.due_date, until)
        return self.plan.round(exact * Fraction(self.servicing.penalty_rate or 0))

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
        if first == len(self.lines):
            return 0
        line = self.lines[first]
        if self.terms.repayment_method is RepaymentMethod.FLAT:
            days, passed = (line.end - line.start).days, max((day - line.start).days, 0)
            earned = round_ratio(line.own_interest * passed, days, self.terms.rounding)
        else:
            earned = line.carried + self.plan.round(self.plan.clock.interest(line.period, line.opening, day))
        put_off = self._put_off(first) + line.deferred
        return max(earned + put_off - line.paid[INTEREST], 0)

    def _put_off(self, first: int) -> int:
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
        if first == len(self.lines):
            return 0
        line = self.lines[first]
        regular = min(each_fees(self.terms), line.unpaid(FEE))
        return sum(line.unpaid(kind) for kind in CHARGES) - regular

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

    def hold(self, cents: int, day: date) -> None:
        if cents:
            self.held += cents
            self.postings.append(Posting(self.event, day, 0, None, cents))


def open_account(terms: ScheduleTerms, servicing: Servicing) -> Account:
    """The loan on its first day, before anything has happened."""
    lines = [Line(period) for period in due_periods(terms)]
    fees = each_fees(terms)
    for line in lines:
        line.asked[FEE] = fees
    principal = to_cents(terms.principal)
    lines[0].opening = principal
    plan = Plan(terms, initial_clock(terms.annual_rate, terms.day_count, terms.start_date), lines)
    plan.interest_only = set(range(1, terms.principal_grace + 1))
    plan.flat_base = principal
    plan.resize(0)
    plan.project(0)
    return Account(terms, servicing, plan, terms.instalments, terms.start_date)


def replay(terms: ScheduleTerms, events: Sequence[Event] = (), servicing: Servicing | None = None) -> Account:
    """The account after all `events`. Raises TermsError for one that can't have happened."""
    account = open_account(terms, servicing or Servicing())
    for number, event in enumerate(in_order(events, terms.start_date)):
        account.event = number
        account.advance(event.date)
        _APPLY[event.type](account, event)
    return account


# --- events that change the terms


def _draw(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    cents = to_cents(_needed(event.amount))
    account.plan.clock.moves.append((event.date, cents))
    account.plan.flat_base += cents
    _replan(account, first)


def _change_rate(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    account.plan.clock.rates.append((event.date, Fraction(_needed(event.annual_rate))))
    _replan(account, first)


def _pause(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    account.plan.clock.pauses.append((event.date, _needed(event.until)))
    account.plan.project(first)


def _extend(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    account.instalments += _needed(event.count)
    periods = due_periods(account.terms, instalments=account.instalments)
    for line, period in zip(account.lines, periods, strict=False):
        line.period = period
    for period in periods[len(account.lines) :]:
        line = Line(period)
        line.asked[FEE] = each_fees(account.terms)
        account.lines.append(line)
    _replan(account, first)


def _grant_grace(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    numbers = [line.number for line in account.lines[first : first + _needed(event.count)]]
    account.plan.interest_only |= set(numbers)
    _replan(account, first)


def _replan(account: Account, first: int) -> None:
    account.plan.resize(first)
    account.plan.project(first)


def _open_line(account: Account, event: Event) -> int:
    first = account.first_open(event.date)
    if first == len(account.lines):
        raise TermsError("events", "too_late", f"no instalment is left on {event.date} for a {event.type}")
    return first


def _charge(account: Account, event: Event) -> None:
    """Added to the instalment whose period the day falls in; after the last one it falls due by itself."""
    kind = FEE if event.type is EventType.FEE else PENALTY
    lines = [line for line in account.lines if line.end >= event.date]
    if not lines:
        last = account.lines[-1]
        days = (event.date - last.end).days
        lines = [Line(Period(last.number + 1, last.end, event.date, event.date, days, 0))]
        account.lines.append(lines[0])
    lines[0].asked[kind] += to_cents(_needed(event.amount))


def _waive(account: Account, event: Event) -> None:
    """What is waived is no longer asked for: of what has fallen due, oldest first."""
    kind, amount = _needed(event.kind), _needed(event.amount)
    left = to_cents(amount)
    for line in account.lines:
        if line.is_closed(event.date):
            cents = min(left, line.unpaid(kind))
            line.asked[kind] -= cents
            left -= cents
    if left:
        raise TermsError("events", "waiver", f"only {amount - from_cents(left)} of {kind} is due")


# --- money that comes in


def _repay(account: Account, event: Event) -> None:
    left = _pay_due(account, event.date, to_cents(_needed(event.amount)))
    if left:
        left = _pay_ahead(account, event.date, left)
    account.hold(left, event.date)


def _pay_off(account: Account, event: Event) -> None:
    figure = account.payoff(event.date)
    left = figure if event.amount is None else to_cents(event.amount)
    if left < figure:
        raise TermsError("events", "payoff", f"it takes {from_cents(figure)} to pay off on {event.date}")
    left = _pay_due(account, event.date, left)
    account.hold(_settle(account, event.date, left), event.date)


def _pay_due(account: Account, day: date, left: int) -> int:
    """Pay what has fallen due by `day`; how much is left."""
    lines = [line for line in account.lines if line.is_closed(day)]
    order = account.servicing.allocation
    if account.servicing.by_kind:
        # Charges first as their order has it, then what is overdue, then what is due on the day.
        overdue = [line for line in lines if line.due_date < day]
        groups = (overdue, [line for line in lines if line.due_date >= day])
        places = [(line, kind) for kind in order if kind in CHARGES for line in lines]
        places += [(line, kind) for group in groups for kind in order if kind not in CHARGES for line in group]
    else:
        places = [(line, kind) for line in lines for kind in order]
    for line, kind in places:
        left -= account.pay(line, kind, min(left, line.unpaid(kind)), day)
    return left


def _pay_ahead(account: Account, day: date, left: int) -> int:
    first = account.first_open(day)
    if first == len(account.lines):
        return left
    if left >= account.payoff(day):
        return _settle(account, day, left)
    return _AHEAD[account.servicing.surplus](account, day, first, left)


def _settle(account: Account, day: date, left: int) -> int:
    """End the loan. Every instalment keeps its day and its principal; interest stops with what is paid now."""
    first = account.first_open(day)
    if first == len(account.lines):
        return left
    account.kept = {line.number for line in account.lines if not line.is_idle()}
    line, interest = account.lines[first], account.interest_to_settle(day)
    # An instalment paid ahead in full has no room for it.
    bearer = next((line for line in account.lines[first:] if not account.plan.is_complete(line)), line)
    regular_fees = min(each_fees(account.terms), line.unpaid(FEE))
    for kind, cents in ((PENALTY, line.unpaid(PENALTY)), (FEE, line.unpaid(FEE) - regular_fees)):
        left -= account.pay(line, kind, cents, day)
    left -= account.pay(bearer, INTEREST, interest, day)
    for index in range(first, len(account.lines)):
        line = account.lines[index]
        cents = _principal_ahead(account, line, index, day)
        _ahead_of(account, line, cents, day)
        left -= cents
        line.asked, line.closing = dict(line.paid), 0
    return left


def _pay_charges_and_interest(account: Account, day: date, line: Line, left: int) -> tuple[int, int]:
    """Charges made so far and interest accrued on the running instalment; what is left, and the interest paid."""
    charges = account.charged(day)
    interest = 0
    for kind in account.servicing.allocation:
        if kind in CHARGES:
            cents = min(left, line.unpaid(kind), charges)
            charges -= cents
        elif kind is INTEREST:
            cents = interest = min(left, account.accrued(day))
        else:
            continue
        left -= account.pay(line, kind, cents, day)
    return left, interest


def _on_top(account: Account, day: date, first: int, left: int) -> int:
    """Principal beyond the running instalment, which stays due."""
    line = account.lines[first]
    starts_now = line.start == day
    left, interest = _pay_charges_and_interest(account, day, line, left)
    line.interest_on_top += interest
    # On a due day it stands with the instalment of that day, not with the one that starts.
    shown = account.lines[first - 1] if starts_now and first else line
    shown.on_top += left
    shown.asked[PRINCIPAL] += left
    account.plan.clock.moves.append((day, -left))
    account.pay(shown, PRINCIPAL, left, day)
    if account.servicing.surplus is Surplus.LOWER_INSTALMENT:
        account.plan.resize(first)
    account.plan.project(first)
    return 0


def _next(account: Account, day: date, first: int, left: int) -> int:
    """Instalments one after another, each in the order of its kinds."""
    for index in range(first, len(account.lines)):
        line = account.lines[index]
        owed = {
            PENALTY: line.unpaid(PENALTY),
            FEE: line.unpaid(FEE),
            INTEREST: account.accrued(day) if index == first else 0,
        }
        if account.terms.repayment_method is RepaymentMethod.FLAT:
            owed[INTEREST] = line.unpaid(INTEREST)
        for kind in account.servicing.allocation:
            if kind is PRINCIPAL:
                cents = min(left, _principal_ahead(account, line, index, day))
                _ahead_of(account, line, cents, day)
            else:
                cents = account.pay(line, kind, min(left, owed.get(kind, 0)), day)
            left -= cents
    account.plan.project(first)
    return left


def _principal_ahead(account: Account, line: Line, index: int, day: date) -> int:
    """Principal that completes the line when it is paid now, with the interest paid on it so far."""
    outstanding = account.plan.running(account.first_open(day))
    if index == len(account.lines) - 1:
        return outstanding
    if account.plan.is_level(line):
        wanted = account.plan.part - line.paid[INTEREST] + line.interest_on_top - line.ahead
    else:
        wanted = account.plan.wanted_principal(line)
    return min(max(wanted, 0), outstanding)


def _last(account: Account, day: date, first: int, left: int) -> int:
    """Principal of the last instalment, up to its full size, then of the one before it, back to the running one."""
    for index in range(len(account.lines) - 1, first - 1, -1):
        line = account.lines[index]
        wanted = account.plan.part - line.ahead if account.plan.part else line.unpaid(PRINCIPAL)
        cents = min(left, max(wanted, 0), account.plan.running(first))
        _ahead_of(account, line, cents, day)
        left -= cents
    account.plan.project(first)
    return left


def _spread(account: Account, day: date, first: int, left: int) -> int:
    """The same to every instalment that is left, as far as each has principal to take it."""
    while left:
        takers = [line for line in account.lines[first:] if line.unpaid(PRINCIPAL)]
        if not takers:
            break
        shares = allocate(from_cents(left), [1] * len(takers))
        for line, share in zip(takers, shares, strict=True):
            cents = min(to_cents(share), line.unpaid(PRINCIPAL))
            _ahead_of(account, line, cents, day)
            left -= cents
    account.plan.project(first)
    return left


def _ahead_of(account: Account, line: Line, cents: int, day: date) -> None:
    if cents:
        account.plan.clock.moves.append((day, -cents))
        line.ahead += cents
        account.pay(line, PRINCIPAL, cents, day)


_AHEAD: dict[Surplus, Callable[[Account, date, int, int], int]] = {
    Surplus.SHORTEN_TERM: _on_top,
    Surplus.LOWER_INSTALMENT: _on_top,
    Surplus.NEXT_INSTALMENT: _next,
    Surplus.LAST_INSTALMENT: _last,
    Surplus.SPREAD_EVENLY: _spread,
}
_APPLY: dict[EventType, Callable[[Account, Event], None]] = {
    EventType.DRAWDOWN: _draw,
    EventType.RATE_CHANGE: _change_rate,
    EventType.INTEREST_PAUSE: _pause,
    EventType.EXTRA_INSTALMENTS: _extend,
    EventType.PRINCIPAL_GRACE: _grant_grace,
    EventType.FEE: _charge,
    EventType.PENALTY: _charge,
    EventType.WAIVER: _waive,
    EventType.REPAYMENT: _repay,
    EventType.PAYOFF: _pay_off,
}


def _needed(value: T | None) -> T:
    if value is None:
        raise TypeError("checked by in_order")
    return value
