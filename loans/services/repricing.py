"""Loans that float with the prime rate: repriced on their days, with the penalty rate that goes with it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.services.use_case import use_case
from loans.domain.transactions import TransactionKind
from loans.models import Loan, LoanTransaction
from loans.queries.loans import OWING
from loans.queries.terms import rate_periods, terms_of
from loans.services.transactions import book

SYSTEM = frozenset({Role.SYSTEM})


def floating_loans() -> QuerySet[Loan]:
    return Loan.objects.filter(state__in=OWING, terms__floating__isnull=False).exclude(terms__floating=None)


@use_case("reprice_loan")
def reprice_loan(*, actor: Actor, loan_id: int, on_date: date) -> list[str]:
    """Book every change of rate up to `on_date` that is not booked yet; a line of text for each.

    Run again it books nothing: each repricing day has a reference of its own.
    """
    loan = Loan.objects.select_related("drawdown__facility__contract").get(pk=loan_id)
    uplift = terms_of(loan).overdue_uplift
    lines = []
    for period in rate_periods(loan, on_date)[1:]:
        reference = f"{loan.number}-LPR-{period.from_date:%Y%m%d}"
        if period.from_date > on_date or LoanTransaction.objects.filter(reference=reference).exists():
            continue
        penalty = (period.annual_rate * (1 + uplift)).quantize(Decimal("0.000001"))
        new = LoanTransaction(
            loan_id=loan.pk,
            customer_id=loan.customer_id,
            kind=TransactionKind.RATE_CHANGE,
            reference=reference,
            value_date=period.from_date,
            parameters={"annual_rate": str(period.annual_rate), "penalty_rate": str(penalty)},
        )
        book(new, event="change_rate", actor=actor, roles=SYSTEM, states=OWING, reason=reference, day=on_date)
        lines.append(f"{reference}|{period.annual_rate}")
    return lines
