"""What one loan owes: due today, pay-off figure for a day, arrears. The portfolio's is the nightly sweep's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from django.db.models import Exists, F, OuterRef, Q
from django.utils.translation import gettext as _

from branch.domain.money import ZERO
from branch.domain.refusals import InvalidInput
from branch.queries.business_date import business_date
from loans.domain.arrears import Arrears, InstalmentDue, InstalmentPayment, arrears_on
from loans.domain.daycount import DayCount
from loans.domain.owed import Owed, ScheduleRow, owed_on, penalty_between
from loans.domain.servicing import PayoffInterest
from loans.models import Instalment, Loan, LoanEntry
from loans.queries.schedules import schedule_rows
from loans.queries.servicing import each_fee
from loans.queries.terms import penalty_compounds, terms_of

#: States in which a loan still asks for money.
OWING = ("active", "called_in")


def what_is_owed(loan: Loan, on_date: date, rows: Sequence[ScheduleRow] | None = None) -> Owed:
    """What the loan owes at the beginning of `on_date`, the business date or a later day, in yuan.

    For a later day: if nothing is paid until then. Raises InvalidInput for an earlier day.
    """
    today = business_date()
    if on_date < today:
        raise InvalidInput(fields={"on_date": [_("Choose today or a later day.")]})
    rows = schedule_rows(loan) if rows is None else rows
    day_count = DayCount(loan.day_count)
    penalty = loan.penalty_due + penalty_between(
        today,
        on_date,
        rows,
        penalty_rate=loan.penalty_rate,
        day_count=day_count,
        compounds=penalty_compounds(loan),
    )
    owed = owed_on(
        on_date,
        rows,
        penalty_due=penalty,
        annual_rate=loan.annual_rate,
        day_count=day_count,
        each_fee=each_fee(loan) if any(row.fee_unpaid for row in rows) else ZERO,
        whole_period=terms_of(loan).payoff_interest is PayoffInterest.TO_PERIOD_END,
    )
    if loan.state == "called_in":
        # A loan called in is due as a whole.
        return replace(owed, due=(*owed.due, *owed.early), early=())
    return owed if loan.state in OWING else replace(owed, due=(), early=())


def due_today(loan: Loan) -> Decimal:
    """What can be paid today without paying early, less what is held for the borrower."""
    return max(what_is_owed(loan, business_date()).due_amount - loan.suspense_amount, ZERO)


def payoff_figure(loan: Loan, on_date: date) -> Decimal:
    """What settles the loan on `on_date`: principal, interest to that day, penalty, less what is held."""
    return max(what_is_owed(loan, on_date).payoff_amount - loan.suspense_amount, ZERO)


def arrears_of(loan: Loan, as_of: date) -> Arrears:
    """Days past due and overdue amounts at the end of `as_of`, from the entries dated up to that day."""
    due = [InstalmentDue(row.number, row.due_date, row.principal, row.interest, row.fee) for row in schedule_rows(loan)]
    paid = [
        InstalmentPayment(
            entry.instalment_number or 0,
            entry.value_date,
            principal=entry.amount if entry.kind == LoanEntry.Kind.PRINCIPAL else ZERO,
            interest=entry.amount if entry.kind == LoanEntry.Kind.INTEREST else ZERO,
            fees=entry.amount if entry.kind == LoanEntry.Kind.FEE else ZERO,
        )
        for entry in loan.entries.filter(instalment_number__isnull=False)
    ]
    return arrears_on(as_of, due, paid)


def held_money_due(on_date: date) -> list[int]:
    """Loans that hold money of the borrower while something is due on `on_date`, by id."""
    unpaid = Instalment.objects.filter(loan=OuterRef("pk"), due_date__lte=on_date).filter(
        Q(principal_paid__lt=F("principal")) | Q(interest_paid__lt=F("interest")) | Q(fee_paid__lt=F("fee"))
    )
    rows = Loan.objects.filter(Q(penalty_due__gt=0) | Exists(unpaid), state__in=OWING, suspense_amount__gt=0)
    return list(rows.order_by("pk").values_list("pk", flat=True))
