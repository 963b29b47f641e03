"""An old and a new plan side by side, and what came of the change. Amounts in yuan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from branch.domain.money import ZERO


class PlanRow(Protocol):
    """One instalment of either plan; rows of quotes, replays and stored schedules all are."""

    @property
    def number(self) -> int: ...
    @property
    def due_date(self) -> date: ...
    @property
    def principal(self) -> Decimal: ...
    @property
    def interest(self) -> Decimal: ...
    @property
    def total(self) -> Decimal: ...
    @property
    def balance(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class PlannedRow:
    number: int
    due_date: date
    principal: Decimal
    interest: Decimal
    total: Decimal
    balance: Decimal


def planned(values: Mapping[str, Any]) -> PlannedRow:
    """The row of a quote or simulation as an answer has it."""
    return PlannedRow(**{field.name: values[field.name] for field in fields(PlannedRow)})


@dataclass(frozen=True, slots=True)
class Pair:
    """The instalment of one number before and after; None where the plan has no such instalment."""

    number: int
    old: PlanRow | None
    new: PlanRow | None

    @property
    def due_date(self) -> date:
        row = self.new or self.old
        assert row is not None, "a pair has one row at least"
        return row.due_date

    @property
    def difference(self) -> Decimal:
        """What the new instalment asks for beyond the old one."""
        return (self.new.total if self.new else ZERO) - (self.old.total if self.old else ZERO)

    @property
    def is_changed(self) -> bool:
        if self.old is None or self.new is None:
            return True
        return any(
            getattr(self.old, name) != getattr(self.new, name)
            for name in ("due_date", "principal", "interest", "total")
        )


@dataclass(frozen=True, slots=True)
class Change:
    """`interest_saved` is below zero where the new plan costs more; `instalment` is the pair by which to compare the
    size of instalments: the first that falls due after the day of the change, the running one left out."""

    pairs: tuple[Pair, ...]
    interest_saved: Decimal
    old_total: Decimal
    new_total: Decimal
    old_last_due: date
    new_last_due: date
    instalment: Pair

    @property
    def interest_apart(self) -> Decimal:
        """By how much interest differs, whichever way."""
        return abs(self.interest_saved)

    @property
    def days_earlier(self) -> int:
        """By how many days the loan ends earlier; below zero when later."""
        return (self.old_last_due - self.new_last_due).days

    @property
    def days_apart(self) -> int:
        return abs(self.days_earlier)


def compare(old: Sequence[PlanRow], new: Sequence[PlanRow], changed_on: date) -> Change:
    """Both plans by number. Neither may be empty."""
    before, after = {row.number: row for row in old}, {row.number: row for row in new}
    pairs = tuple(Pair(number, before.get(number), after.get(number)) for number in sorted(before | after))
    return Change(
        pairs=pairs,
        interest_saved=_sum(row.interest for row in old) - _sum(row.interest for row in new),
        old_total=_sum(row.total for row in old),
        new_total=_sum(row.total for row in new),
        old_last_due=max(row.due_date for row in old),
        new_last_due=max(row.due_date for row in new),
        instalment=_regular(pairs, changed_on),
    )


def _regular(pairs: Sequence[Pair], changed_on: date) -> Pair:
    """The running instalment carries what was paid on top of it; the one after it shows the new size."""
    later = [pair for pair in pairs if pair.due_date > changed_on]
    return later[1] if len(later) > 1 else (later or list(pairs))[-1]


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, ZERO)
