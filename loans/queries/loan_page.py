"""What the page of one loan tells: where each instalment stands, what repayments went to, what comes next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from branch.domain.money import ZERO
from branch.models import PaymentInstruction
from loans.models import Instalment, Loan, LoanEntry, Repayment


@dataclass(frozen=True)
class ScheduleLine:
    """An instalment and where it stands: paid, ended (by a pay-off), overdue, due, next or later."""

    row: Instalment
    total: Decimal
    paid: Decimal
    unpaid: Decimal
    standing: str


@dataclass(frozen=True)
class RepaymentLine:
    """A repayment and what it went to; `held` is below zero where money held before was used."""

    repayment: Repayment
    principal: Decimal
    interest: Decimal
    penalty: Decimal
    held: Decimal


def schedule_lines(instalments: Iterable[Instalment], today: date) -> list[ScheduleLine]:
    """The instalments in order, each with its standing on `today`."""
    lines: list[ScheduleLine] = []
    next_is_found = False
    for row in instalments:
        total, paid = row.principal + row.interest, row.principal_paid + row.interest_paid
        standing = _standing(row, total - paid, today)
        if standing == "later" and not next_is_found:
            standing, next_is_found = "next", True
        lines.append(ScheduleLine(row, total, paid, total - paid, standing))
    return lines


def _standing(row: Instalment, unpaid: Decimal, today: date) -> str:
    if not unpaid:
        return "paid"
    if row.due_date < today:
        return "overdue"
    return "due" if row.due_date == today else "later"


def next_line(lines: Iterable[ScheduleLine]) -> ScheduleLine | None:
    """The next instalment that asks for money: the oldest unpaid one."""
    return next((line for line in lines if line.unpaid), None)


def repayment_lines(repayments: Iterable[Repayment]) -> list[RepaymentLine]:
    """What each repayment went to. One query for all of them."""
    rows = list(repayments)
    sums: dict[int, dict[str, Decimal]] = {row.pk: {} for row in rows}
    entries = LoanEntry.objects.filter(repayment__in=rows)
    for repayment_id, kind, amount in entries.values_list("repayment_id", "kind", "amount"):
        if repayment_id is not None:
            sums[repayment_id][kind] = sums[repayment_id].get(kind, ZERO) + amount
    return [_repayment_line(row, sums[row.pk]) for row in rows]


def _repayment_line(row: Repayment, by_kind: dict[str, Decimal]) -> RepaymentLine:
    kind = LoanEntry.Kind
    return RepaymentLine(
        repayment=row,
        principal=by_kind.get(kind.PRINCIPAL, ZERO),
        interest=by_kind.get(kind.INTEREST, ZERO),
        penalty=by_kind.get(kind.PENALTY, ZERO),
        held=by_kind.get(kind.SUSPENSE, ZERO) - by_kind.get(kind.SUSPENSE_USED, ZERO),
    )


def open_debit(loan: Loan) -> PaymentInstruction | None:
    """The debit of this loan that has no final answer yet."""
    rows = PaymentInstruction.objects.filter(subject_type="loan", subject_id=str(loan.pk))
    return rows.exclude(state__in=("succeeded", "failed")).first()
