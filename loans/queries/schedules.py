"""The schedule of a loan as the domain reads it."""

from __future__ import annotations

from loans.domain.owed import ScheduleRow
from loans.models import Loan


def schedule_rows(loan: Loan) -> list[ScheduleRow]:
    """The instalments with what is paid on them, in order. One query."""
    return [
        ScheduleRow(
            number=row.number,
            start_date=row.start_date,
            due_date=row.due_date,
            principal=row.principal,
            interest=row.interest,
            principal_paid=row.principal_paid,
            interest_paid=row.interest_paid,
            balance_after=row.balance_after,
        )
        for row in loan.instalments.order_by("number")
    ]
