"""Money a borrower paid early is put to what falls due today, before days past due are counted."""

from __future__ import annotations

from loans.models import Loan
from loans.queries.loans import held_money_due
from loans.services.repayments import use_held_money
from postloan.services.steps.part import Part, Work, work_of


def held_money(part: Part) -> Work:
    """Loan by loan, under its lock, as any repayment; few loans hold money on a day something is due."""
    due = part.of(Loan.objects.filter(pk__in=held_money_due(part.date))).order_by("pk").values_list("pk", flat=True)
    return work_of(f"{pk}|{use_held_money(loan_id=pk, on_date=part.date)}" for pk in list(due))
