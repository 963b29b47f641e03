"""The pay-off figure of one loan on its first day and on its 700th, with all that happened in between on file."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import date, timedelta

from django.db import connection

from branch.domain.money import ZERO
from loans.domain.daycount import DayCount
from loans.domain.schedule import RepaymentMethod, ScheduleTerms
from loans.domain.servicing import Servicing, replay
from loans.domain.stored_rows import StoredRow, stored_rows
from loans.models import Accrual, Instalment, Loan, LoanEntry, Repayment
from loans.queries.loans import payoff_figure
from postloan.bench.portfolio import make_portfolio

ROWS = 36
DAYS = 700


def payoffs(day: date, count: int, rounds: int) -> tuple[float, float]:
    """Seconds of `count` figures of a loan on its day 700 and on its day 1, the best of the rounds. In a scratch
    database: both loans are 36 months long, and what fell due of the older one was paid on its day."""
    make_portfolio(2, day)
    old, young = list(Loan.objects.exclude(state="settled").order_by("pk"))
    _begin(old, day - timedelta(days=DAYS), day)
    _begin(young, day - timedelta(days=1), day)
    for table in ("loans_loan", "loans_instalment", "loans_accrual", "loans_loanentry", "loans_repayment"):
        with connection.cursor() as cursor:
            cursor.execute(f"ANALYZE {table}")
    on_day_700, on_day_1 = [], []
    for _round in range(rounds):
        on_day_1.append(_seconds(young, day, count))
        on_day_700.append(_seconds(old, day, count))
    return min(on_day_700), min(on_day_1)


def _seconds(loan: Loan, day: date, count: int) -> float:
    begun = time.perf_counter()
    for _number in range(count):
        payoff_figure(Loan.objects.get(pk=loan.pk), day)
    return time.perf_counter() - begun


def _begin(loan: Loan, start: date, today: date) -> None:
    """Give the loan a schedule from `start`, and a history up to `today`."""
    Instalment.objects.filter(loan=loan).delete()
    Accrual.objects.filter(loan=loan).delete()
    terms = ScheduleTerms(
        principal=loan.principal,
        annual_rate=loan.annual_rate,
        start_date=start,
        repayment_method=RepaymentMethod.EQUAL_INSTALMENT,
        day_count=DayCount(loan.day_count),
        instalments=ROWS,
    )
    account = replay(terms, (), Servicing(late_interest=False), punctual_until=today)
    rows = stored_rows(account, ZERO)
    paid = [row for row in rows if row.principal_paid]
    Instalment.objects.bulk_create(Instalment(loan=loan, customer_id=loan.customer_id, **asdict(row)) for row in rows)
    repayments = Repayment.objects.bulk_create(_repayment(loan, row) for row in paid)
    LoanEntry.objects.bulk_create(
        _entry(loan, row, repayment, kind)
        for row, repayment in zip(paid, repayments, strict=True)
        for kind in ("principal", "interest")
    )
    Accrual.objects.bulk_create(
        Accrual(loan=loan, customer_id=loan.customer_id, date=start + timedelta(days=n), interest=1, penalty=0)
        for n in range((today - start).days)
    )
    loan.start_date, loan.maturity_date = start, rows[-1].due_date
    loan.outstanding_principal = loan.principal - sum((row.principal for row in paid), ZERO)
    loan.save()


def _repayment(loan: Loan, row: StoredRow) -> Repayment:
    return Repayment(
        loan=loan,
        customer_id=loan.customer_id,
        reference=f"{loan.number}-{row.number}",
        amount=row.principal + row.interest,
        value_date=row.due_date,
        channel=Repayment.Channel.COUNTER,
    )


def _entry(loan: Loan, row: StoredRow, repayment: Repayment, kind: str) -> LoanEntry:
    return LoanEntry(
        loan=loan,
        customer_id=loan.customer_id,
        kind=kind,
        amount=getattr(row, kind),
        value_date=row.due_date,
        instalment_number=row.number,
        repayment=repayment,
    )
