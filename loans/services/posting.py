"""Putting an allocation on the books: entries, the instalments they pay, the balances that add them up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from branch.domain.money import ZERO
from loans.domain import ledger
from loans.domain.allocation import Allocation, DueKind
from loans.models import Instalment, Loan, LoanEntry, Repayment

Kind = LoanEntry.Kind
ENTRY_KIND = {DueKind.PENALTY: Kind.PENALTY, DueKind.INTEREST: Kind.INTEREST, DueKind.PRINCIPAL: Kind.PRINCIPAL}


def post_allocation(
    loan: Loan, allocation: Allocation, value_date: date, repayment: Repayment | None = None
) -> dict[ledger.Kind, Decimal]:
    """Change `loan` (unsaved), its instalments and entries by money that came in, or that was held for the borrower.

    The entries of a repayment sum to its amount. Runs under the loan's lock. Answers the amounts by kind, which the
    caller posts to the ledger once the event is recorded.
    """
    lines = [(ENTRY_KIND[s.item.kind], s.amount, s.item.instalment or None) for s in allocation.splits]
    held = allocation.surplus - loan.suspense_amount
    if held:
        lines.append((Kind.SUSPENSE if held > 0 else Kind.SUSPENSE_USED, abs(held), None))
    LoanEntry.objects.bulk_create(
        LoanEntry(
            loan=loan,
            customer_id=loan.customer_id,
            kind=kind,
            amount=amount,
            value_date=value_date,
            instalment_number=number,
            repayment=repayment,
        )
        for kind, amount, number in lines
    )
    loan.outstanding_principal -= allocation.total(DueKind.PRINCIPAL)
    loan.penalty_due -= allocation.total(DueKind.PENALTY)
    loan.suspense_amount = allocation.surplus
    _pay_instalments(loan, allocation)
    amounts: dict[ledger.Kind, Decimal] = {}
    for kind, amount, _number in lines:
        amounts[ledger.Kind(kind)] = amounts.get(ledger.Kind(kind), ZERO) + amount
    return amounts


def _pay_instalments(loan: Loan, allocation: Allocation) -> None:
    paid: dict[int, dict[DueKind, Decimal]] = {}
    for split in allocation.splits:
        if split.item.instalment:
            kinds = paid.setdefault(split.item.instalment, {})
            kinds[split.item.kind] = kinds.get(split.item.kind, ZERO) + split.amount
    rows = list(loan.instalments.filter(number__in=paid))
    for row in rows:
        row.principal_paid += paid[row.number].get(DueKind.PRINCIPAL, ZERO)
        row.interest_paid += paid[row.number].get(DueKind.INTEREST, ZERO)
    Instalment.objects.bulk_update(rows, ["principal_paid", "interest_paid"])


def end_schedule(loan: Loan) -> None:
    """After a pay-off no further interest is asked for: what was not earned comes off the schedule."""
    rows = [row for row in loan.instalments.all() if row.interest != row.interest_paid]
    for row in rows:
        row.interest = row.interest_paid
    Instalment.objects.bulk_update(rows, ["interest"])
