"""`replay(terms, events)`: a loan served from its first day through everything that happened to it.

The result follows from the terms and the events alone. A backdated or reversed payment is another list of events;
replaying it gives the right interest, arrears and balances after it. Conventions, each with a worked example in
docs/algorithms:
- Interest runs on the principal that is out: what is paid early stops bearing it on its day, what is late goes on
  (`Servicing.late_interest`), or bears the contract's penalty instead (`Servicing.penalty_rate`).
- Money goes to what has fallen due, oldest first; then to charges and interest of the running instalment; then to
  principal as `Servicing.surplus` says.
- The instalment keeps its size until a drawdown, a change of rate, added instalments, a principal grace or a surplus
  that lowers it; the last one takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from itertools import groupby
from typing import TypeVar

from branch.domain.money import from_cents, to_cents
from loans.domain.allocation import DueKind
from loans.domain.periods import Period, cut_short
from loans.domain.schedule import due_periods
from loans.domain.servicing import payments
from loans.domain.servicing.account import NO_EVENT, Account, open_account
from loans.domain.servicing.events import Event, EventType, Servicing, in_order
from loans.domain.servicing.lines import Line
from loans.domain.terms import ScheduleTerms, TermsError

T = TypeVar("T")
PAYMENTS = frozenset({EventType.REPAYMENT, EventType.PAYOFF})
ONE_DAY = timedelta(days=1)


def replay(
    terms: ScheduleTerms,
    events: Sequence[Event] = (),
    servicing: Servicing | None = None,
    *,
    punctual_until: date | None = None,
) -> Account:
    """The account after all `events`; its postings name an event by its place in them.

    With `punctual_until` whatever falls due up to that day is paid on its day, besides what the events pay.
    Payments of one day whose surplus goes the same way are taken as one, so that it doesn't matter which came first.
    Raises TermsError for an event that can't have happened.
    """
    account = open_account(terms, servicing or Servicing())
    for _, group in groupby(in_order(events, terms.start_date), partial(_group_of, account)):
        together = list(group)
        event = together[0][1]
        if punctual_until is not None:
            # What changes the terms of a day comes before what is paid on it.
            before = event.date if event.type in PAYMENTS else event.date - ONE_DAY
            _pay_on_time(account, min(before, punctual_until))
        account.advance(event.date)
        account.event = together[0][0]
        try:
            _apply(account, together)
        except TermsError as error:
            raise TermsError(f"events.{account.event}.{error.field}", error.code, error.reason) from error
    if punctual_until is not None:
        _pay_on_time(account, punctual_until)
    return account


def _pay_on_time(account: Account, until: date) -> None:
    for day in sorted({line.due_date for line in account.lines if account.day <= line.due_date <= until}):
        account.advance(day)
        account.event = NO_EVENT
        account.pay_due(day, account.due(day))


def _group_of(account: Account, pair: tuple[int, Event]) -> tuple[object, ...]:
    number, event = pair
    if event.type is EventType.REPAYMENT:
        return event.date, event.surplus or account.servicing.surplus
    return (number,)


def _apply(account: Account, together: list[tuple[int, Event]]) -> None:
    first = together[0][1]
    if first.type is not EventType.REPAYMENT:
        _APPLY[first.type](account, first)
        return
    amounts = [(number, to_cents(_needed(event.amount))) for number, event in together]
    total = sum(cents for _, cents in amounts)
    payments.take(account, first.date, total, first.surplus or account.servicing.surplus)
    if len(amounts) > 1:
        _share_out(account, amounts)


def _share_out(account: Account, amounts: list[tuple[int, int]]) -> None:
    """What was taken as one, told apart again: the first payment filled what was filled first."""
    start = next(index for index, posting in enumerate(account.postings) if posting.event == account.event)
    taken = account.postings[start:]
    del account.postings[start:]
    payers = iter(amounts)
    number, left = next(payers)
    for posting in taken:
        cents = posting.cents
        while cents > left:
            if left:
                account.postings.append(replace(posting, event=number, cents=left))
            cents -= left
            number, left = next(payers)
        account.postings.append(replace(posting, event=number, cents=cents))
        left -= cents


def _draw(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    account.plan.is_settled = False
    account.plan.clock.moves.append((event.date, to_cents(_needed(event.amount))))
    _replan(account, first)


def _change_rate(account: Account, event: Event) -> None:
    first = _open_line(account, event)
    account.plan.clock.rates.append((event.date, Fraction(_needed(event.annual_rate))))
    if event.penalty_rate is not None:
        _change_penalty(account, event.date, Fraction(event.penalty_rate))
    _replan(account, first)


def _change_penalty(account: Account, day: date, rate: Fraction) -> None:
    """A heavier rate for misuse stays: never the sum of two penalties, always the heavier one."""
    heavier = account.misuse[1] if account.misuse else rate
    account.penalty_rates.append((day, max(rate, heavier)))


def _misuse(account: Account, event: Event) -> None:
    """From now on principal bears the misuse rate: the part above the contract's interest as a penalty."""
    account.misuse = (event.date, Fraction(_needed(event.annual_rate)))
    if not account.penalty_rates:
        account.penalty_rates.append((account.terms.start_date, Fraction(0)))
    _change_penalty(account, event.date, account.penalty_rates[-1][1])


def _call_in(account: Account, event: Event) -> None:
    """All principal and the interest earned so far fall due today; the instalments after it go."""
    first = _open_line(account, event)
    line = account.lines[first]
    interest, principal = account.accrued(event.date), account.plan.running(first)
    line.period = cut_short(line.period, event.date, account.terms.day_count)
    line.own_interest, line.deferred, line.closing = line.paid[DueKind.INTEREST] + interest, 0, 0
    line.asked[DueKind.INTEREST] = line.own_interest
    line.asked[DueKind.PRINCIPAL] = principal + line.ahead + line.on_top
    for later in account.lines[first + 1 :]:
        # Paid ahead of its day: that stays on the record, with the instalment that now ends the loan.
        for kind, cents in later.paid.items():
            line.asked[kind] += cents
            line.paid[kind] += cents
    del account.lines[first + 1 :]


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
        account.lines.append(Line(period))
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
        raise TermsError("date", "too_late", f"no instalment is left on {event.date} for a {event.type}")
    return first


def _charge(account: Account, event: Event) -> None:
    """Added to the instalment whose period the day falls in; after the last one it falls due by itself."""
    kind = DueKind.FEE if event.type is EventType.FEE else DueKind.PENALTY
    lines = [line for line in account.lines if line.end >= event.date]
    if not lines:
        last = account.lines[-1]
        days = (event.date - last.end).days
        lines = [Line(Period(last.number + 1, last.end, event.date, event.date, days, 0))]
        account.lines.append(lines[0])
    cents = to_cents(_needed(event.amount))
    lines[0].asked[kind] += cents
    if kind is DueKind.FEE:
        lines[0].charged_fees += cents


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
        raise TermsError("amount", "waiver", f"only {amount - from_cents(left)} of {kind} is due")


def _pay_off(account: Account, event: Event) -> None:
    payments.pay_off(account, event.date, None if event.amount is None else to_cents(event.amount))


_APPLY: dict[EventType, Callable[[Account, Event], None]] = {
    EventType.DRAWDOWN: _draw,
    EventType.RATE_CHANGE: _change_rate,
    EventType.INTEREST_PAUSE: _pause,
    EventType.EXTRA_INSTALMENTS: _extend,
    EventType.PRINCIPAL_GRACE: _grant_grace,
    EventType.FEE: _charge,
    EventType.PENALTY: _charge,
    EventType.MISUSE: _misuse,
    EventType.CALL_IN: _call_in,
    EventType.WAIVER: _waive,
    EventType.PAYOFF: _pay_off,
}


def _needed(value: T | None) -> T:
    if value is None:
        raise TypeError("checked by in_order")
    return value
