"""What check_balances compares of the post-loan part: provisions on the books with those of the loans' days."""

from __future__ import annotations

from branch.domain.money import ZERO
from branch.models import Office
from loans.models import LedgerDay
from loans.services.balances import Row
from loans.services.ledger_checks import check
from postloan.services.steps.provisions import booked_provisions, needed_provisions


@check("provisions on the books")
def _provisions() -> list[Row]:
    """Offices and families where they differ at the end of the last closed day."""
    day = LedgerDay.objects.order_by("-date").values_list("date", flat=True).first()
    if day is None:
        return []
    booked, needed = booked_provisions(day), needed_provisions(day)
    codes = dict(Office.objects.values_list("pk", "code"))
    rows = [
        (f"{codes[office]}/{family}", booked.get((office, family), ZERO), needed.get((office, family), ZERO))
        for office, family in booked.keys() | needed.keys()
    ]
    return sorted(row for row in rows if row[1] != row[2])
