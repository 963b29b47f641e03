"""Arrears of a loan on any day, from what fell due and what was paid by then. Nothing is stored or guessed.

A backdated or reversed payment is only another list of payments: asking again gives the right days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from branch.domain.money import ZERO


@dataclass(frozen=True, slots=True)
class InstalmentDue:
    """What one instalment asks for."""

    number: int
    due_date: date
    principal: Decimal
    interest: Decimal
    fees: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class InstalmentPayment:
    """What was paid to one instalment on one value date."""

    number: int
    paid_date: date
    principal: Decimal = ZERO
    interest: Decimal = ZERO
    fees: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Arrears:
    """Standing on one day. `past_due_days` runs from the oldest due date with anything unpaid (0 on the due
    date itself); `delinquent_days` is what is left of it after the grace days."""

    past_due_days: int
    delinquent_days: int
    oldest_unpaid_due_date: date | None
    overdue_principal: Decimal
    overdue_interest: Decimal
    overdue_fees: Decimal
    overdue_instalments: int

    @property
    def overdue_amount(self) -> Decimal:
        return self.overdue_principal + self.overdue_interest + self.overdue_fees


def arrears_on(
    as_of: date,
    instalments: Sequence[InstalmentDue],
    payments: Sequence[InstalmentPayment],
    *,
    grace_days: int = 0,
) -> Arrears:
    """Arrears at the end of `as_of`: payments dated up to that day count, later ones do not.

    An instalment is overdue from the day after its due date. Grace days (a technical delay) shorten
    `delinquent_days`, never the amounts. Raises ValueError for a payment to an unknown instalment.
    """
    known = {instalment.number for instalment in instalments}
    if any(payment.number not in known for payment in payments):
        raise ValueError("a payment names an instalment that is not in the schedule")
    overdue = [
        unpaid
        for instalment in instalments
        if instalment.due_date < as_of and _amount(unpaid := _unpaid(instalment, payments, as_of)) > 0
    ]
    oldest = min((unpaid.due_date for unpaid in overdue), default=None)
    past_due_days = (as_of - oldest).days if oldest else 0
    return Arrears(
        past_due_days=past_due_days,
        delinquent_days=max(past_due_days - grace_days, 0),
        oldest_unpaid_due_date=oldest,
        overdue_principal=sum((unpaid.principal for unpaid in overdue), ZERO),
        overdue_interest=sum((unpaid.interest for unpaid in overdue), ZERO),
        overdue_fees=sum((unpaid.fees for unpaid in overdue), ZERO),
        overdue_instalments=len(overdue),
    )


def _unpaid(due: InstalmentDue, payments: Sequence[InstalmentPayment], as_of: date) -> InstalmentDue:
    counted = [payment for payment in payments if payment.number == due.number and payment.paid_date <= as_of]
    return InstalmentDue(
        due.number,
        due.due_date,
        max(due.principal - sum((payment.principal for payment in counted), ZERO), ZERO),
        max(due.interest - sum((payment.interest for payment in counted), ZERO), ZERO),
        max(due.fees - sum((payment.fees for payment in counted), ZERO), ZERO),
    )


def _amount(due: InstalmentDue) -> Decimal:
    return due.principal + due.interest + due.fees
