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
            fee=row.fee,
            fee_paid=row.fee_paid,
            end_date=row.end_date,
            counted_days=row.counted_days,
            earned_interest=row.earned_interest,
            brought_interest=row.brought_interest,
            bearing_principal=row.bearing_principal,
            bearing_from=row.bearing_from,
            interest_before=row.interest_before,
            is_spread=row.is_spread,
        )
        for row in loan.instalments.order_by("number")
    ]
