"""A loan whose past was worked out anew stands where it would have stood last night: days past due and class follow."""

from __future__ import annotations

from datetime import timedelta

from branch.queries.business_date import business_date
from customers.queries.merges import kept_id
from loans.models import Loan
from loans.services.transactions import RESTATE
from postloan.services.steps.classify import restate_classes
from postloan.services.steps.part import Part


def restate(loan: Loan) -> None:
    """By the rules of the night, over all loans of the borrower; the days kept so far stay as they are."""
    last_night = business_date() - timedelta(days=1)
    restate_classes(Part(last_night, 0, 1, (kept_id(loan.customer),)))


RESTATE.append(restate)
