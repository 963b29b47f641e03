"""How a repayment is spread over what is due, in an order the bank sets. No cent is lost or made."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from branch.domain.money import ZERO, round_money


class DueKind(StrEnum):
    FEE = "fee"
    PENALTY = "penalty"
    COMPOUND_INTEREST = "compound_interest"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class Bucket(StrEnum):
    """A place in the order: interest and principal stand in it twice, overdue and current."""

    FEE = "fee"
    PENALTY = "penalty"
    COMPOUND_INTEREST = "compound_interest"
    OVERDUE_INTEREST = "overdue_interest"
    OVERDUE_PRINCIPAL = "overdue_principal"
    CURRENT_INTEREST = "current_interest"
    CURRENT_PRINCIPAL = "current_principal"


class AllocationSequence(StrEnum):
    """Bucket by bucket over all instalments, or instalment by instalment over all buckets."""

    BUCKET_FIRST = "bucket_first"
    INSTALMENT_FIRST = "instalment_first"


DEFAULT_ORDER = tuple(Bucket)


@dataclass(frozen=True, slots=True)
class DueItem:
    """One unpaid amount; overdue when its due date is before the day of the repayment, current otherwise."""

    instalment: int
    due_date: date
    kind: DueKind
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Split:
    """What of the repayment goes to one item."""

    item: DueItem
    bucket: Bucket
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Allocation:
    """Splits in the order they were filled, and what is left when everything in the order is paid."""

    splits: tuple[Split, ...]
    surplus: Decimal

    def total(self, kind: DueKind) -> Decimal:
        """What goes to one kind, over all instalments."""
        return sum((split.amount for split in self.splits if split.item.kind is kind), ZERO)


def allocate_repayment(
    amount: Decimal,
    items: Sequence[DueItem],
    *,
    as_of: date,
    order: Sequence[Bucket] = DEFAULT_ORDER,
    sequence: AllocationSequence = AllocationSequence.BUCKET_FIRST,
) -> Allocation:
    """Spread `amount` over `items`, oldest instalment first within a bucket.

    Pass only what may be paid now: an instalment not yet due is paid as current if it is passed. Items whose
    bucket is not in `order` get nothing. Raises ValueError for a negative amount or item, or an order that
    names a bucket twice.
    """
    if amount < 0 or any(item.amount < 0 for item in items):
        raise ValueError("amounts to allocate must not be negative")
    if len(set(order)) != len(order):
        raise ValueError("the order names a bucket twice")
    rank = {bucket: place for place, bucket in enumerate(order)}
    queue = [(item, bucket_of(item, as_of)) for item in items]
    queue = [(item, bucket) for item, bucket in queue if bucket in rank]
    queue.sort(key=_sort_key(rank, sequence))
    left = round_money(amount)
    splits = []
    for item, bucket in queue:
        paid = min(left, item.amount)
        if paid > 0:
            splits.append(Split(item, bucket, paid))
            left -= paid
    return Allocation(tuple(splits), left)


def bucket_of(item: DueItem, as_of: date) -> Bucket:
    """The bucket of an item on the day `as_of`; due today is current."""
    is_overdue = item.due_date < as_of
    if item.kind is DueKind.INTEREST:
        return Bucket.OVERDUE_INTEREST if is_overdue else Bucket.CURRENT_INTEREST
    if item.kind is DueKind.PRINCIPAL:
        return Bucket.OVERDUE_PRINCIPAL if is_overdue else Bucket.CURRENT_PRINCIPAL
    return Bucket(item.kind.value)


_Ranked = tuple[DueItem, Bucket]


def _sort_key(rank: dict[Bucket, int], sequence: AllocationSequence) -> Callable[[_Ranked], tuple[object, ...]]:
    if sequence is AllocationSequence.INSTALMENT_FIRST:
        return lambda pair: (pair[0].due_date, pair[0].instalment, rank[pair[1]])
    return lambda pair: (rank[pair[1]], pair[0].due_date, pair[0].instalment)
