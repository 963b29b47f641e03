"""`check_balances` agrees with what the services book, and finds each disagreement that is planted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from loans.models import Accrual, Facility, Instalment, Loan, LoanEntry, Repayment
from loans.queries.loans import payoff_figure
from loans.services import repayments
from loans.services.balances import CHECKS, disagreements
from tests.loans.given import checked_drawdown, effective_line, move_to, paid_out_loan, released_drawdown

DAY = date(2026, 4, 2)


@pytest.fixture
def portfolio(cast: SimpleNamespace) -> Loan:
    """One loan repaid in part with money held, one paid off, one revolving, one payment under way, one only checked."""
    paid_off = paid_out_loan(cast, serial=2)
    part = paid_out_loan(cast, serial=1)
    revolving = paid_out_loan(cast, serial=3, family="revolving")
    released_drawdown(cast, effective_line(cast, serial=4), Decimal("1000.00"))
    checked_drawdown(cast, effective_line(cast, serial=5))
    repayments.book_repayment(
        actor=cast.actor("he"),
        loan_id=paid_off.pk,
        amount=payoff_figure(paid_off, paid_off.start_date),
        reference="OFF",
        pay_off=True,
    )
    move_to(DAY)
    for loan in (part, revolving):
        repayments.book_repayment(
            actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal("26000.00"), reference=f"R-{loan.pk}"
        )
    return Loan.objects.get(pk=part.pk)


def found() -> set[tuple[str, str]]:
    return {(row.where, row.what) for row in disagreements()}


def test_what_the_services_book_agrees(portfolio: Loan) -> None:
    out = StringIO()
    call_command("check_balances", stdout=out)
    assert out.getvalue() == "3 loans and 37 journal entries agree.\n"
    assert portfolio.suspense_amount > 0


PLANTED = {
    "outstanding principal": lambda loan: Loan.objects.filter(pk=loan.pk).update(outstanding_principal=1),
    "principal paid out": lambda loan: Loan.objects.filter(pk=loan.pk).update(principal=Decimal("300000.01")),
    "held for the borrower": lambda loan: Loan.objects.filter(pk=loan.pk).update(suspense_amount=0),
    "penalty due": lambda loan: Accrual.objects.create(
        loan=loan, customer_id=loan.customer_id, date=DAY, interest=0, penalty=1
    ),
    "principal of the schedule": lambda loan: Instalment.objects.filter(loan=loan, number=5).update(principal=1),
    "principal paid on an instalment": lambda loan: Instalment.objects.filter(loan=loan, number=2).update(
        principal_paid=Decimal("0.01")
    ),
    "interest paid on an instalment": lambda loan: Instalment.objects.filter(loan=loan, number=1).update(
        interest_paid=0
    ),
    "fee paid on an instalment": lambda loan: Instalment.objects.filter(loan=loan, number=1).update(fee=1, fee_paid=1),
    "entry of no instalment": lambda loan: LoanEntry.objects.create(
        loan=loan, customer_id=loan.customer_id, kind="interest", amount=1, value_date=DAY, instalment_number=99
    ),
    "entries of a repayment": lambda loan: Repayment.objects.create(
        loan=loan, customer_id=loan.customer_id, reference="bare", amount=1, value_date=DAY, channel="counter"
    ),
    "drawn limit": lambda loan: Facility.objects.filter(pk=loan.drawdown.facility_id).update(drawn_amount=1),
}


def test_every_check_has_a_disagreement_planted() -> None:
    """Those of the books have theirs in tests/postloan/test_ledger_checks.py."""
    assert set(PLANTED) == {what for what, check in CHECKS.items() if isinstance(check, str)}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_disagreement_is_found(portfolio: Loan, what: str) -> None:
    PLANTED[what](portfolio)
    wheres = {where for where, kind in found() if kind == what}
    assert len(wheres) == 1
    assert wheres == {"bare"} or wheres.pop().startswith("HT-2026-000001")


def test_the_command_names_the_row_and_fails(portfolio: Loan) -> None:
    Loan.objects.filter(pk=portfolio.pk).update(suspense_amount=Decimal("1.23"))
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("check_balances", stdout=out, stderr=err)
    assert end.value.code == 1
    assert f"{portfolio.number}: held for the borrower is 1.23, its parts sum to" in out.getvalue()
    assert "2 rows disagree." in err.getvalue()
