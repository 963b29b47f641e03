"""check_balances: what is stored of every loan is what its contract and its transactions come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from branch.domain.money import from_cents
from branch.queries.business_date import business_date
from loans.domain.allocation import DueKind
from loans.domain.stored_rows import accrued, stored_rows
from loans.domain.transactions import TransactionKind
from loans.models import Loan
from loans.queries.servicing import account_of, live_transactions, stands_on
from loans.services.balances import Row
from loans.services.ledger_checks import check
from loans.services.projection import COLUMNS, accrued_so_far, waived_of


@check("replay")
def _replays() -> Iterator[Row]:
    """Stored amounts, days and rates that differ from the replay; a day is told as a number, 20260402."""
    for loan in Loan.objects.filter(transactions__kind=TransactionKind.DISBURSEMENT).order_by("pk"):
        yield from differences(loan, business_date())


def differences(loan: Loan, today: date) -> Iterator[Row]:
    """(where, stored, replayed) of one loan at the beginning of `today`."""
    rows = live_transactions(loan)
    account, _keys = account_of(loan, rows)
    account.advance(stands_on(rows, today))
    waived = waived_of(rows)
    wanted = {row.number: row for row in stored_rows(account, waived[DueKind.INTEREST])}
    found = {row.number: row for row in loan.instalments.all()}
    for number in sorted(wanted.keys() | found.keys()):
        for name in COLUMNS:
            pair = getattr(found.get(number), name, None), getattr(wanted.get(number), name, None)
            yield from _differing(f"{loan.number}/{number} {name}", *pair)
    interest, penalty = accrued_so_far(loan)
    replayed = accrued(account, waived[DueKind.INTEREST], waived[DueKind.PENALTY])
    figures: dict[str, tuple[Any, Any]] = {
        "outstanding principal": (loan.outstanding_principal, from_cents(account.balance())),
        "penalty due": (loan.penalty_due, from_cents(sum(line.unpaid(DueKind.PENALTY) for line in account.lines))),
        "held": (loan.suspense_amount, from_cents(account.held)),
        "interest accrued": (interest, replayed.interest),
        "penalty accrued": (penalty, replayed.penalty),
    }
    for name, pair in figures.items():
        yield from _differing(f"{loan.number} {name}", *pair)


def _differing(where: str, stored: Any, replayed: Any) -> Iterator[Row]:
    if stored != replayed:
        yield where, _number(stored), _number(replayed)


def _number(value: Any) -> Decimal:
    if isinstance(value, date):
        return Decimal(f"{value:%Y%m%d}")
    return Decimal(0) if value is None else Decimal(value)
