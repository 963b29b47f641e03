"""Money that comes in for a loan: first to what has fallen due, then to what is not due yet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from branch.domain.money import from_cents
from loans.domain.allocation import DueKind
from loans.domain.servicing.account import Account
from loans.domain.servicing.events import Surplus
from loans.domain.servicing.lines import CHARGES, Line
from loans.domain.servicing.plan import each_fees
from loans.domain.terms import RepaymentMethod, TermsError

INTEREST, PRINCIPAL, FEE, PENALTY = DueKind.INTEREST, DueKind.PRINCIPAL, DueKind.FEE, DueKind.PENALTY


def take(account: Account, day: date, cents: int, surplus: Surplus) -> None:
    """Put money to what is due, then ahead; what nothing is owed for is held for the borrower."""
    left = account.pay_due(day, account.take_held(day) + cents)
    if left and surplus is not Surplus.HOLD:
        left = _pay_ahead(account, day, left, surplus)
    account.hold(left, day)


def pay_off(account: Account, day: date, cents: int | None) -> None:
    """Settle the loan, with exactly what it takes where `cents` is None. Raises TermsError when it is too little."""
    figure = max(account.payoff(day) - account.held, 0)
    cents = figure if cents is None else cents
    if cents < figure:
        raise TermsError("amount", "payoff", f"it takes {from_cents(figure)} to pay off on {day}")
    left = account.pay_due(day, account.take_held(day) + cents)
    account.hold(_settle(account, day, left), day)


def _pay_ahead(account: Account, day: date, left: int, surplus: Surplus) -> int:
    first = account.first_open(day)
    if first == len(account.lines):
        return left
    if left >= account.payoff(day):
        return _settle(account, day, left)
    return _AHEAD[surplus](account, day, first, left)


def _settle(account: Account, day: date, left: int) -> int:
    """End the loan. Every instalment keeps its day and its principal; interest stops with what is paid now."""
    first = account.first_open(day)
    if first == len(account.lines):
        return left
    account.kept, account.ended = {line.number for line in account.lines if not line.is_idle()}, day
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
    account.plan.is_settled = True
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
    principal = min(left, account.plan.running(first))
    line.interest_on_top += interest
    # On a due day it stands with the instalment of that day, not with the one that starts.
    shown = account.lines[first - 1] if starts_now and first else line
    shown.on_top += principal
    shown.asked[PRINCIPAL] += principal
    account.plan.clock.moves.append((day, -principal))
    account.pay(shown, PRINCIPAL, principal, day)
    account.plan.project(first)
    return left - principal


def _on_top_and_lower(account: Account, day: date, first: int, left: int) -> int:
    left = _on_top(account, day, first, left)
    account.plan.resize(first)
    account.plan.project(first)
    return left


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
        share, odd = divmod(left, len(takers))
        for line in takers:
            # The odd cents go to the last one.
            wanted = share + odd if line is takers[-1] else share
            cents = min(wanted, line.unpaid(PRINCIPAL))
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
    Surplus.LOWER_INSTALMENT: _on_top_and_lower,
    Surplus.NEXT_INSTALMENT: _next,
    Surplus.LAST_INSTALMENT: _last,
    Surplus.SPREAD_EVENLY: _spread,
}
