"""What can happen to a loan as the bank books it, and the events of the engine each of it stands for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from loans.domain.allocation import DueKind
from loans.domain.servicing import Event, EventType, Surplus
from loans.domain.servicing.events import DAY_ORDER


class TransactionKind(StrEnum):
    DISBURSEMENT = "disbursement"
    REPAYMENT = "repayment"
    PREPAYMENT = "prepayment"
    PAYOFF = "payoff"
    RATE_CHANGE = "rate_change"
    INTEREST_PAUSE = "interest_pause"
    EXTENSION = "extension"
    PRINCIPAL_GRACE = "principal_grace"
    RESTRUCTURING = "restructuring"
    FEE = "fee"
    WAIVER = "waiver"
    MISUSE = "misuse"
    JUDGEMENT = "judgement"
    CALL_IN = "call_in"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    RENEWAL = "renewal"
    REVERSAL = "reversal"


#: What may be taken back. What ends a loan, or was paid out, is not undone by a row.
REVERSIBLE = frozenset(
    {
        TransactionKind.REPAYMENT,
        TransactionKind.PREPAYMENT,
        TransactionKind.PAYOFF,
        TransactionKind.RATE_CHANGE,
        TransactionKind.INTEREST_PAUSE,
        TransactionKind.EXTENSION,
        TransactionKind.PRINCIPAL_GRACE,
        TransactionKind.RESTRUCTURING,
        TransactionKind.FEE,
        TransactionKind.WAIVER,
        TransactionKind.MISUSE,
        TransactionKind.JUDGEMENT,
    }
)
#: Money that came in from the borrower and was put to what the loan owes.
PAYMENTS = frozenset({TransactionKind.REPAYMENT, TransactionKind.PREPAYMENT, TransactionKind.PAYOFF})


@dataclass(frozen=True, slots=True)
class Happening:
    """One live transaction as the engine reads it. `key` is the row's id, None for one not booked yet.

    `parameters` as stored: decimals and dates as text.
    """

    key: int | None
    kind: TransactionKind
    value_date: date
    amount: Decimal | None
    parameters: Mapping[str, Any]


def engine_events(happenings: Iterable[Happening]) -> list[tuple[int | None, Event]]:
    """The engine's events in the order it plays them, each with the key of its transaction.

    Of one day, terms come before payments; otherwise what was booked first comes first.
    """
    pairs = [(happening.key, event) for happening in happenings for event in _events(happening)]
    return sorted(pairs, key=lambda pair: (pair[1].date, DAY_ORDER[pair[1].type]))


def _events(happening: Happening) -> list[Event]:
    day, amount, given = happening.value_date, happening.amount, happening.parameters
    match happening.kind:
        case TransactionKind.REPAYMENT | TransactionKind.PREPAYMENT:
            surplus = Surplus(given.get("surplus", Surplus.HOLD))
            return [Event(date=day, type=EventType.REPAYMENT, amount=amount, surplus=surplus)]
        case TransactionKind.PAYOFF | TransactionKind.RENEWAL:
            return [Event(date=day, type=EventType.PAYOFF, amount=amount)]
        case TransactionKind.FEE:
            return [Event(date=day, type=EventType.FEE, amount=amount)]
        case TransactionKind.WAIVER:
            return [Event(date=day, type=EventType.WAIVER, amount=amount, kind=DueKind(given["kind"]))]
        case TransactionKind.MISUSE:
            return [Event(date=day, type=EventType.MISUSE, annual_rate=Decimal(given["misuse_rate"]))]
        case TransactionKind.CALL_IN:
            return [Event(date=day, type=EventType.CALL_IN)]
    return _changes_of_terms(day, given)


def _changes_of_terms(day: date, given: Mapping[str, Any]) -> list[Event]:
    """What a change of terms asks for: any of a new rate, a pause, more instalments, a grace."""
    events = []
    if "annual_rate" in given:
        penalty = Decimal(given["penalty_rate"]) if "penalty_rate" in given else None
        rate = Decimal(given["annual_rate"])
        events.append(Event(date=day, type=EventType.RATE_CHANGE, annual_rate=rate, penalty_rate=penalty))
    if "until" in given:
        events.append(Event(date=day, type=EventType.INTEREST_PAUSE, until=date.fromisoformat(given["until"])))
    if "extra_instalments" in given:
        events.append(Event(date=day, type=EventType.EXTRA_INSTALMENTS, count=int(given["extra_instalments"])))
    if "principal_grace" in given:
        events.append(Event(date=day, type=EventType.PRINCIPAL_GRACE, count=int(given["principal_grace"])))
    return events
