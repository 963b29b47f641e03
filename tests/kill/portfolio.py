"""A program: fill an empty, migrated database with a few hundred loans in every condition a night can find."""

from __future__ import annotations

import sys
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import django

DAY = date(2026, 5, 20)
#: How long ago a loan began whose instalments nobody has paid since: by its serial, modulo their number.
UNPAID_DAYS = (0, 33, 40, 66, 130)
HELD = Decimal("500.00")


def fill(loans: int) -> None:
    from tests.cast import make_cast
    from tests.postloan.making import open_on

    cast = make_cast()
    open_on(DAY)
    for serial in range(1, loans + 1):
        _lend(cast, serial)


def _lend(cast: SimpleNamespace, serial: int) -> None:
    from loans.models import LoanEntry
    from tests.postloan.making import make_loan, pay_in_full, use_power

    unpaid = UNPAID_DAYS[serial % len(UNPAID_DAYS)]
    held = HELD if serial % 7 == 0 else Decimal(0)
    loan = make_loan(
        cast,
        serial,
        principal=Decimal(100_000 + 1000 * serial),
        start_date=DAY - timedelta(days=unpaid or 45),
        kind="company" if serial % 3 else "sole_trader",
        suspense_amount=held,
    )
    if not unpaid:
        pay_in_full(loan, DAY)
    if held:
        LoanEntry.objects.create(
            loan=loan, customer_id=loan.customer_id, kind=LoanEntry.Kind.SUSPENSE, amount=held, value_date=DAY
        )
    if serial % 6 == 0:
        use_power(loan.customer, {f"2026-0{month}": "30000" for month in (1, 2, 3)} | _winter() | {"2026-04": "12000"})


def _winter() -> dict[str, str]:
    return {f"2025-{month}": "30000" for month in (10, 11, 12)}


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]))
