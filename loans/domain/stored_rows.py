"""What is stored of a replayed loan: its instalments as tables and nights read them, and what has accrued. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from branch.domain.money import from_cents, round_ratio
from loans.domain.allocation import DueKind
from loans.domain.servicing import Account
from loans.domain.servicing.lines import Line
from loans.domain.terms import RepaymentMethod

INTEREST, PENALTY = DueKind.INTEREST, DueKind.PENALTY
#: Of interest earned before a change within a period: finer than any rounding to cents can see.
_FINE = Decimal("0.00000000000001")


@dataclass(frozen=True, slots=True)
class StoredRow:
    """The columns of one instalment, as loans.domain.owed.ScheduleRow tells them."""

    number: int
    start_date: date
    due_date: date
    principal: Decimal
    interest: Decimal
    fee: Decimal
    principal_paid: Decimal
    interest_paid: Decimal
    fee_paid: Decimal
    balance_after: Decimal
    end_date: date
    counted_days: int
    earned_interest: Decimal
    brought_interest: Decimal
    bearing_principal: Decimal
    bearing_from: date
    interest_before: Decimal
    is_spread: bool


@dataclass(frozen=True, slots=True)
class Accrued:
    """What the nights should have accrued by the day the account stands on, in yuan."""

    interest: Decimal
    penalty: Decimal


def stored_rows(account: Account, waived_interest: Decimal) -> list[StoredRow]:
    """The instalments up to the last that asks for anything or was paid; `waived_interest` was earned but is not
    asked. A loan paid early has none after that."""
    earned = _earned(account, waived_interest)
    busy = [not line.is_idle() or line.number in account.kept for line in account.lines]
    length = max((index + 1 for index, is_busy in enumerate(busy) if is_busy), default=0)
    rows, repaid = [], 0
    for index, line in enumerate(account.lines[:length]):
        repaid += line.asked[DueKind.PRINCIPAL]
        drawn = sum(cents for day, cents in account.drawn if day <= line.end)
        rows.append(_stored(account, index, earned[index], from_cents(drawn - repaid)))
    return rows


def accrued(account: Account, waived_interest: Decimal, waived_penalty: Decimal) -> Accrued:
    """Interest earned and penalty charged up to the account's day (out), what was waived of it included."""
    earned = _earned(account, waived_interest)
    interest = sum(_earned_by(account, index, earned[index]) for index in range(len(earned)))
    penalty = sum(line.asked[PENALTY] for line in account.lines)
    return Accrued(from_cents(interest), from_cents(penalty) + waived_penalty)


def _stored(account: Account, index: int, earned: int, balance: Decimal) -> StoredRow:
    line, clock = account.lines[index], account.plan.clock
    bears = bool(line.period.weight) and not _is_over(account, index)
    since = _last_change(account, line)
    principal = line.opening + sum(cents for day, cents in clock.moves if line.start <= day < line.end)
    return StoredRow(
        number=line.number,
        start_date=line.start,
        due_date=line.due_date,
        principal=from_cents(line.asked[DueKind.PRINCIPAL]),
        interest=from_cents(line.asked[INTEREST]),
        fee=from_cents(line.asked[DueKind.FEE]),
        principal_paid=from_cents(line.paid[DueKind.PRINCIPAL]),
        interest_paid=from_cents(line.paid[INTEREST]),
        fee_paid=from_cents(line.paid[DueKind.FEE]),
        balance_after=balance,
        end_date=line.end,
        counted_days=line.period.days,
        earned_interest=from_cents(earned),
        brought_interest=from_cents(_brought(account, index)),
        bearing_principal=from_cents(principal if bears else 0),
        bearing_from=since,
        interest_before=_exact(clock.interest(line.period, line.opening, since) if bears else Fraction(0)),
        is_spread=_is_flat(account),
    )


def _is_flat(account: Account) -> bool:
    return account.terms.repayment_method is RepaymentMethod.FLAT


def _is_over(account: Account, index: int) -> bool:
    """Whether the loan was paid off before or in this period."""
    return account.ended is not None and index >= account.first_open(account.ended)


def _last_change(account: Account, line: Line) -> date:
    """The last day within the period on which the balance, the rate or a pause changed what it earns."""
    clock = account.plan.clock
    days = [day for day, _cents in clock.moves] + [day for day, _rate in clock.rates]
    days += [day for pause in clock.pauses for day in pause]
    inside = [day for day in days if line.start < day < line.end]
    # A pause that goes on beyond the period ends nothing in it.
    whole = [line.end for first, last in clock.pauses if first < line.end <= last]
    return max([line.start, *inside, *whole])


def _exact(cents: Fraction) -> Decimal:
    scaled = cents / 100 / Fraction(_FINE)
    return Decimal(round(scaled)) * _FINE


def _brought(account: Account, index: int) -> int:
    line = account.lines[index]
    return line.carried + line.deferred + account.put_off(index)


def _earned(account: Account, waived_interest: Decimal) -> list[int]:
    """Cents each period earns in all. Where the loan was paid off in one, what was asked for in all decides."""
    plan = account.plan
    earned = [
        line.own_interest if _is_flat(account) else plan.round(plan.clock.interest(line.period, line.opening))
        for line in account.lines
    ]
    if account.ended is None:
        return earned
    last = account.first_open(account.ended)
    asked = sum(line.asked[INTEREST] for line in account.lines) + int(waived_interest * 100)
    return [*earned[:last], asked - sum(earned[:last]), *[0] * (len(earned) - last - 1)]


def _earned_by(account: Account, index: int, earned: int) -> int:
    """Cents of it that the account's day has seen."""
    line, day = account.lines[index], account.day
    if day >= line.end or _is_over(account, index):
        return earned
    if day <= line.start:
        return 0
    if _is_flat(account):
        passed, days = (day - line.start).days, (line.end - line.start).days
        return round_ratio(earned * passed, days, account.terms.rounding)
    return account.plan.round(account.plan.clock.interest(line.period, line.opening, day))
