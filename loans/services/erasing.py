"""What lending overwrites of an erased customer: payees, accounts, places and what was written about people."""

from __future__ import annotations

from collections.abc import Collection

from branch.models import PaymentInstruction
from customers.services.erasing import eraser
from loans.models import Drawdown, Investigation, Payee


@eraser
def erase_lending(ids: Collection[int]) -> None:
    """Amounts, days and postings stay; they name nobody without the customer's row."""
    Drawdown.objects.filter(customer__in=ids).update(payee_name="", payee_account="")
    Payee.objects.filter(customer_id__in=ids).update(name="", account="")
    PaymentInstruction.objects.filter(customer_id__in=ids).update(account="", account_name="", memo="")
    Investigation.objects.filter(customer__in=ids).update(
        visit_place="", visit_latitude=None, visit_longitude=None, deviation_note="", opinion=""
    )
