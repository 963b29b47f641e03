"""What can happen to a loan after its schedule was made, and the settings under which it is served."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from branch.domain.money import CENT
from loans.domain.allocation import DueKind
from loans.domain.terms import MOST_INSTALMENTS, TermsError


class EventType(StrEnum):
    DRAWDOWN = "drawdown"
    RATE_CHANGE = "rate_change"
    INTEREST_PAUSE = "interest_pause"
    EXTRA_INSTALMENTS = "extra_instalments"
    PRINCIPAL_GRACE = "principal_grace"
    FEE = "fee"
    PENALTY = "penalty"
    MISUSE = "misuse"
    CALL_IN = "call_in"
    WAIVER = "waiver"
    REPAYMENT = "repayment"
    PAYOFF = "payoff"


#: What changes the terms of a day comes before what is paid on it, so that the order of entry doesn't matter.
DAY_ORDER = {kind: place for place, kind in enumerate(EventType)}


class Surplus(StrEnum):
    """Where money beyond what is due goes.

    `shorten_term` and `lower_instalment` take it as principal on top of the running instalment, which stays due;
    the next, the last and the even spread pay instalments ahead of their time. `hold` keeps it for the borrower: it is
    put to what falls due next, as is all money held.
    """

    SHORTEN_TERM = "shorten_term"
    LOWER_INSTALMENT = "lower_instalment"
    NEXT_INSTALMENT = "next_instalment"
    LAST_INSTALMENT = "last_instalment"
    SPREAD_EVENLY = "spread_evenly"
    HOLD = "hold"


class PayoffInterest(StrEnum):
    """Interest a pay-off takes for the running period: up to its day, or of the whole period."""

    TO_DATE = "to_date"
    TO_PERIOD_END = "to_period_end"


#: Charges first, then interest, then principal.
DEFAULT_ALLOCATION = (DueKind.PENALTY, DueKind.FEE, DueKind.INTEREST, DueKind.PRINCIPAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened. Amounts in yuan, rates as fractions a year; which fields it needs is its type's.

    `until` is the day from which interest runs again after a pause; `count` how many instalments are added, or pay
    interest only; `kind` what is waived; `surplus` where this payment's surplus goes, when not where the loan's does.
    A change of rate may change the contract's `penalty_rate` too; misuse of
    funds names in `annual_rate` the rate that takes the place of both from its day on.
    """

    date: datetime.date
    type: EventType
    amount: Decimal | None = None
    annual_rate: Decimal | None = None
    until: datetime.date | None = None
    count: int | None = None
    kind: DueKind | None = None
    surplus: Surplus | None = None
    penalty_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Servicing:
    """How payments are taken.

    `allocation` is the order of kinds within an instalment, oldest instalment first unless `by_kind`, which pays each
    kind over all instalments before the next kind. `late_interest`: principal that falls due and stays out goes on
    bearing interest until it is paid, asked for by the instalment then running. Where the contract has a penalty
    instead, `penalty_rate` is its yearly rate as a fraction: it runs on overdue principal, and on overdue interest too
    if `compounds`, and is asked for by the oldest overdue instalment. On the `grace_days` after a due date none runs.
    """

    surplus: Surplus = Surplus.NEXT_INSTALMENT
    payoff_interest: PayoffInterest = PayoffInterest.TO_DATE
    allocation: tuple[DueKind, ...] = DEFAULT_ALLOCATION
    by_kind: bool = False
    grace_days: int = 0
    late_interest: bool = True
    penalty_rate: Decimal | None = None
    compounds: bool = True


_NEEDS = {
    EventType.DRAWDOWN: ("amount",),
    EventType.RATE_CHANGE: ("annual_rate",),
    EventType.INTEREST_PAUSE: ("until",),
    EventType.EXTRA_INSTALMENTS: ("count",),
    EventType.PRINCIPAL_GRACE: ("count",),
    EventType.FEE: ("amount",),
    EventType.PENALTY: ("amount",),
    EventType.MISUSE: ("annual_rate",),
    EventType.CALL_IN: (),
    EventType.WAIVER: ("amount", "kind"),
    EventType.REPAYMENT: ("amount",),
    EventType.PAYOFF: (),
}


def in_order(events: Sequence[Event], start_date: datetime.date) -> list[tuple[int, Event]]:
    """The events, each with its place in `events`, by day, terms before payments within one.

    Raises TermsError for one that can't be, its field named as `events.3.amount`.
    """
    for number, event in enumerate(events):
        for field, message in _faults(event, start_date):
            raise TermsError(f"events.{number}.{field}", "invalid", message)
    return sorted(enumerate(events), key=lambda pair: (pair[1].date, DAY_ORDER[pair[1].type]))


def _faults(event: Event, start_date: datetime.date) -> Iterator[tuple[str, str]]:
    if event.date < start_date:
        yield "date", "must not be before the loan starts"
    for field in _NEEDS[event.type]:
        if getattr(event, field) is None:
            yield field, f"is needed for a {event.type}"
    amount, until, count = event.amount, event.until, event.count
    if amount is not None and not (amount.is_finite() and amount > 0 and amount == amount.quantize(CENT)):
        yield "amount", "must be an amount above zero"
    for field in ("annual_rate", "penalty_rate"):
        rate = getattr(event, field)
        if rate is not None and not (rate.is_finite() and rate >= 0):
            yield field, "must be not below zero"
    if until is not None and until <= event.date:
        yield "until", "must be after the first day"
    if event.kind is DueKind.PRINCIPAL:
        yield "kind", "must not be principal: that is written off, not waived"
    if count is not None and not 1 <= count <= MOST_INSTALMENTS:
        yield "count", f"must be between 1 and {MOST_INSTALMENTS}"
