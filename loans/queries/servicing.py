"""A loan as the servicing engine reads it: its terms, how it is served, what happened to it; and a picture of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from branch.domain.money import ZERO
from loans.domain.allocation import AllocationSequence
from loans.domain.periods import Frequency, Unit
from loans.domain.servicing import Account, Servicing, Surplus, replay
from loans.domain.terms import FeeOn, ScheduleTerms
from loans.domain.transactions import Happening, TransactionKind, engine_events
from loans.models import Contract, Loan, LoanTransaction
from loans.queries.terms import penalty_compounds, terms_for_schedule, terms_of


def contract_terms(contract: Contract, amount: Decimal, start_date: date) -> ScheduleTerms:
    """What the schedule of `amount` yuan paid out on `start_date` follows from. Raises TermsError, ValueError."""
    return terms_for_schedule(
        terms_of(contract),
        principal=amount,
        annual_rate=contract.annual_rate,
        start_date=start_date,
        method=contract.repayment_method,
        day_count=contract.day_count,
        instalments=contract.instalments,
        frequency=Frequency(Unit(contract.frequency_unit), contract.frequency_every),
        plan=contract.plan,
    )


def terms_of_loan(loan: Loan) -> ScheduleTerms:
    return contract_terms(loan.drawdown.facility.contract, loan.principal, loan.start_date)


def servicing_of(loan: Loan) -> Servicing:
    """How its payments are taken: in the contract's order, what is over held. Money that stays out bears penalty
    interest in place of contract interest."""
    terms = terms_of(loan)
    return Servicing(
        surplus=Surplus.HOLD,
        payoff_interest=terms.payoff_interest,
        allocation=terms.allocation_order,
        by_kind=terms.allocation_sequence is AllocationSequence.BUCKET_FIRST,
        grace_days=terms.grace_days,
        late_interest=False,
        penalty_rate=loan.drawdown.facility.contract.penalty_rate,
        compounds=penalty_compounds(loan),
    )


def each_fee(loan: Loan) -> Decimal:
    """The regular fee of every instalment, in yuan."""
    return sum((fee.amount for fee in terms_of_loan(loan).fees if fee.on is FeeOn.EACH), ZERO)


def live_transactions(loan: Loan) -> list[LoanTransaction]:
    """What happened to the loan and was not taken back, by value date."""
    rows = loan.transactions.filter(reversed_by=None).exclude(kind=TransactionKind.REVERSAL)
    return list(rows.order_by("value_date", "pk"))


def happening(row: LoanTransaction) -> Happening:
    return Happening(row.pk, TransactionKind(row.kind), row.value_date, row.amount, row.parameters)


def account_of(loan: Loan, rows: Iterable[LoanTransaction]) -> tuple[Account, list[int | None]]:
    """The loan replayed through `rows`, and which of them each of the engine's events stands for.

    Raises TermsError for one that can't have happened.
    """
    pairs = engine_events(happening(row) for row in rows)
    return replay(terms_of_loan(loan), [event for _key, event in pairs], servicing_of(loan)), [key for key, _ in pairs]


def stands_on(rows: Iterable[LoanTransaction], today: date) -> date:
    """The day up to which interest runs: today, or that of the write-off."""
    return next((row.value_date for row in rows if row.kind == TransactionKind.WRITE_OFF), today)


def picture_of(loan: Loan) -> dict[str, Any]:
    """The loan as it stands, in JSON values: its `rows` and its `figures`. Two of them tell what something moved."""
    rows = [
        {
            "number": row.number,
            "due_date": row.due_date.isoformat(),
            "principal": str(row.principal),
            "interest": str(row.interest),
            "fee": str(row.fee),
            "total": str(row.principal + row.interest + row.fee),
            "paid": str(row.principal_paid + row.interest_paid + row.fee_paid),
            "balance": str(row.balance_after),
        }
        for row in loan.instalments.order_by("number")
    ]
    figures = {
        "state": loan.state,
        "outstanding_principal": str(loan.outstanding_principal),
        "penalty_due": str(loan.penalty_due),
        "held": str(loan.suspense_amount),
        "annual_rate": str(loan.annual_rate),
        "maturity_date": loan.maturity_date.isoformat(),
        "days_past_due": loan.days_past_due,
        "asset_class": loan.asset_class,
    }
    return {"rows": rows, "figures": figures}
