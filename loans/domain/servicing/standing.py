"""Where a loan is on a day: its instalments with what is paid on them, arrears, accrued interest, pay-off figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from branch.domain.money import from_cents
from loans.domain.allocation import DueKind
from loans.domain.servicing.account import Account


@dataclass(frozen=True, slots=True)
class ServedRow:
    """One instalment, in yuan. `total` is principal + interest + fees, `outstanding` what of it is unpaid; `penalties`
    is what of the fees is penalties; `balance` is the principal of the instalments after it."""

    number: int
    due_date: date
    days: int
    principal: Decimal
    interest: Decimal
    fees: Decimal
    penalties: Decimal
    total: Decimal
    balance: Decimal
    paid: Decimal
    outstanding: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """A loan at the end of the day `as_of`. `past_due_days` runs from the oldest due date with anything unpaid,
    `delinquent_days` is what is left of it after the grace days. `held` is the borrower's, not used yet."""

    as_of: date
    accrued_interest: Decimal
    past_due_days: int
    delinquent_days: int
    overdue_amount: Decimal
    payoff_amount: Decimal
    outstanding_principal: Decimal
    held: Decimal


def served_rows(account: Account) -> list[ServedRow]:
    """The instalments up to the last one that asks for anything or was paid; a loan paid early has no others left."""
    drawn = account.drawn
    rows, repaid = [], 0
    last = max(line.number for line in account.lines if not line.is_idle() or line.number in account.kept)
    for line in account.lines[:last]:
        repaid += line.asked[DueKind.PRINCIPAL]
        balance = sum(cents for day, cents in drawn if day <= line.end) - repaid
        rows.append(
            ServedRow(
                number=line.number,
                due_date=line.due_date,
                days=line.period.days,
                principal=from_cents(line.asked[DueKind.PRINCIPAL]),
                interest=from_cents(line.asked[DueKind.INTEREST]),
                fees=from_cents(line.asked[DueKind.FEE] + line.asked[DueKind.PENALTY]),
                penalties=from_cents(line.asked[DueKind.PENALTY]),
                total=from_cents(line.total),
                balance=from_cents(balance),
                paid=from_cents(line.total_paid),
                outstanding=from_cents(line.total - line.total_paid),
            )
        )
    return rows


def standing(account: Account, as_of: date) -> Standing:
    """Where the loan is at the end of `as_of`, whose events must all be in the account and no later ones."""
    account.advance(as_of)
    late = [line for line in account.lines if line.due_date < as_of and line.total > line.total_paid]
    past_due_days = max(((as_of - line.due_date).days for line in late), default=0)
    return Standing(
        as_of=as_of,
        accrued_interest=from_cents(account.accrued(as_of)),
        past_due_days=past_due_days,
        delinquent_days=max(past_due_days - account.servicing.grace_days, 0),
        overdue_amount=from_cents(sum(line.total - line.total_paid for line in late)),
        payoff_amount=from_cents(max(account.payoff(as_of) - account.held, 0)),
        outstanding_principal=from_cents(account.balance()),
        held=from_cents(account.held),
    )
