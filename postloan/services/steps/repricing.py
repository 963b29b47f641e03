"""Floating rates: a loan whose repricing day has come bears the new rate from this night on."""

from __future__ import annotations

from branch.domain.actor import Actor
from loans.services.repricing import floating_loans, reprice_loan
from postloan.services.steps.part import Part, Work, work_of


def repricing(part: Part, actor: Actor) -> Work:
    """Loan by loan, under its lock: few reprice on a day."""
    loans = part.of(floating_loans()).order_by("pk").values_list("pk", flat=True)
    return work_of(line for pk in list(loans) for line in reprice_loan(actor=actor, loan_id=pk, on_date=part.date))
