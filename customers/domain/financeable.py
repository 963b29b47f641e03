"""What a member's orders from, and receivables on, its anchor can carry as a loan."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from branch.domain.money import round_money


@dataclass(frozen=True)
class Terms:
    """Bank parameters `chain.*`: the shares of what is open that are lent, and when a receivable is late."""

    advance_share: Decimal
    order_share: Decimal
    late_days: int


@dataclass(frozen=True)
class Document:
    """An order or a receivable; `open_amount` is not yet delivered or paid, in yuan. `due_on` may be unknown."""

    is_receivable: bool
    open_amount: Decimal
    due_on: date | None


@dataclass(frozen=True)
class Financeable:
    """Sums of what is open, in yuan, and what of it can be lent, under the cap per member where there is one."""

    receivables: Decimal
    late_receivables: Decimal
    orders: Decimal
    amount: Decimal


def financeable(documents: Iterable[Document], on: date, terms: Terms, member_cap: Decimal | None) -> Financeable:
    """receivables not late × advance share + orders × order share, each rounded to the cent, capped.

    A receivable is late when it is overdue by more than `late_days` on `on`; one without a due date is not.
    """
    good = late = orders = Decimal(0)
    last_good = on - timedelta(days=terms.late_days)
    for document in documents:
        if not document.is_receivable:
            orders += document.open_amount
        elif document.due_on is not None and document.due_on < last_good:
            late += document.open_amount
        else:
            good += document.open_amount
    amount = _share(good, terms.advance_share) + _share(orders, terms.order_share)
    return Financeable(good, late, orders, amount if member_cap is None else min(amount, member_cap))


def _share(amount: Decimal, share: Decimal) -> Decimal:
    return round_money(amount * share)
