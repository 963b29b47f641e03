"""The pay-off figure of a loan for a day, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import NotFound
from branch.queries.visibility import visible
from loans.domain.allocation import DueKind
from loans.domain.owed import Owed
from loans.models import Loan
from loans.queries.loans import what_is_owed


@dataclass(frozen=True)
class PayoffQuote:
    """What settles `loan` on `on_date` if nothing is paid before. Amounts in yuan; `held` is taken off."""

    loan: Loan
    on_date: date
    principal: Decimal
    interest_due: Decimal
    interest_accrued: Decimal
    penalty: Decimal
    held: Decimal

    @property
    def amount(self) -> Decimal:
        owed = self.principal + self.interest_due + self.interest_accrued + self.penalty
        return max(owed - self.held, Decimal("0.00"))


def payoff_of(loan: Loan, owed: Owed) -> PayoffQuote:
    return PayoffQuote(
        loan=loan,
        on_date=owed.on_date,
        principal=owed.due_of(DueKind.PRINCIPAL) + owed.early_of(DueKind.PRINCIPAL),
        interest_due=owed.due_of(DueKind.INTEREST),
        interest_accrued=owed.accrued_interest,
        penalty=owed.due_of(DueKind.PENALTY),
        held=loan.suspense_amount,
    )


def quote_payoff(*, actor: Actor, loan_id: int, on_date: date) -> PayoffQuote:
    """What it takes to pay the loan off on `on_date`, today or later. Reads only.

    Raises NotFound, InvalidInput for an earlier day.
    """
    loan = visible(Loan, actor).filter(pk=loan_id).first()
    if loan is None:
        raise NotFound(_("There is no such record."))
    return payoff_of(loan, what_is_owed(loan, on_date))
