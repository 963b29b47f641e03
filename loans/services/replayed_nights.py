"""The night of loans that one rate can't tell: misuse of funds, a penalty rate that changed. They are replayed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.db.models import F, QuerySet

from loans.domain.allocation import DueKind
from loans.domain.stored_rows import accrued
from loans.models import Accrual, Loan
from loans.queries.loans import OWING
from loans.queries.servicing import account_of, live_transactions
from loans.services.projection import accrued_so_far, waived_of


def accrue_replayed(loans: QuerySet[Loan], night: date) -> Iterator[Accrual]:
    """Write the night's accrual of each such loan among `loans`: what the replay has by morning, less what there is.

    Done again it writes nothing.
    """
    rows = loans.filter(is_replayed_nightly=True, state__in=OWING, start_date__lte=night)
    for loan in rows.exclude(accruals__date=night).select_for_update(of=("self",)).order_by("pk"):
        transactions = live_transactions(loan)
        account, _keys = account_of(loan, transactions)
        account.advance(night + timedelta(days=1))
        waived = waived_of(transactions)
        wanted, found = accrued(account, waived[DueKind.INTEREST], waived[DueKind.PENALTY]), accrued_so_far(loan)
        accrual = Accrual.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            date=night,
            interest=wanted.interest - found[0],
            penalty=wanted.penalty - found[1],
        )
        if accrual.penalty:
            Loan.objects.filter(pk=loan.pk).update(
                penalty_due=F("penalty_due") + accrual.penalty, version=F("version") + 1
            )
        yield accrual
