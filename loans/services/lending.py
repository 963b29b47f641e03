"""From a drawdown paid out to a loan with its schedule."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.domain.refusals import Unmet
from branch.domain.roles import Role
from branch.services.outbox import publish
from branch.services.transition import create
from loans.domain.ledger import Kind, MoneyEvent
from loans.domain.product_terms import start_fees
from loans.domain.schedule import Schedule, build_schedule
from loans.domain.stored_rows import stored_rows
from loans.domain.terms import TermsError
from loans.domain.transactions import TransactionKind
from loans.models import Contract, Drawdown, Instalment, Loan, LoanEntry, LoanTransaction
from loans.queries.servicing import account_of, contract_terms
from loans.queries.terms import terms_of
from loans.services.ledger import post

SYSTEM = frozenset({Role.SYSTEM})


def schedule_of(contract: Contract, amount: Decimal, start_date: date) -> Schedule:
    """The schedule of `amount` yuan paid out on `start_date` under the contract's terms.

    Raises Unmet when no schedule follows from them.
    """
    try:
        return build_schedule(contract_terms(contract, amount, start_date))
    except (TermsError, ValueError) as error:
        raise Unmet(
            _("No schedule follows from the contract's terms for this amount."), terms_error=str(error)
        ) from error


def create_loan_from_drawdown(*, actor: Actor, drawdown: Drawdown, start_date: date) -> Loan:
    """The loan of a drawdown paid out on `start_date`, its instalments and the entry its balance rests on.

    Runs in the transaction that confirms the drawdown. Raises IntegrityError for a second loan of one drawdown.
    """
    contract = drawdown.facility.contract
    schedule = schedule_of(contract, drawdown.amount, start_date)
    loan = Loan(
        office=drawdown.office,
        number=_loan_number(drawdown),
        drawdown=drawdown,
        application_id=drawdown.application_id,
        customer_id=drawdown.customer_id,
        owner_id=drawdown.owner_id,
        product_family=drawdown.application.product_version.product.family,
        principal=drawdown.amount,
        annual_rate=contract.annual_rate,
        penalty_rate=contract.penalty_rate,
        day_count=contract.day_count,
        terms=contract.terms,
        start_date=start_date,
        maturity_date=schedule.rows[-1].due_date,
        outstanding_principal=drawdown.amount,
        shard_key=drawdown.customer_id,
    )
    create(loan, actor=actor, roles=SYSTEM)
    add_instalments(loan)
    paid_out = LoanTransaction.objects.create(
        loan=loan,
        customer_id=loan.customer_id,
        kind=TransactionKind.DISBURSEMENT,
        reference=loan.number,
        value_date=start_date,
        booked_date=start_date,
        amount=loan.principal,
        booked_by_id=drawdown.released_by_id,
    )
    LoanEntry.objects.create(
        loan=loan,
        customer_id=loan.customer_id,
        kind=LoanEntry.Kind.DISBURSEMENT,
        amount=loan.principal,
        value_date=start_date,
        transaction=paid_out,
    )
    post(
        MoneyEvent.RENEWAL if drawdown.application.renews_id else MoneyEvent.DISBURSEMENT,
        loan,
        {Kind.PRINCIPAL: loan.principal},
        value_date=start_date,
        reference=f"drawdown:{drawdown.pk}",
    )
    _post_fees_kept_back(loan)
    publish("loan.created", loan_id=loan.pk)
    return loan


def _post_fees_kept_back(loan: Loan) -> None:
    """Fees at the start are owed and paid in one: the payout was less by them."""
    kept_back = {Kind.FEE: start_fees(terms_of(loan), loan.principal)}
    for event, suffix in ((MoneyEvent.FEE_CHARGED, "charged"), (MoneyEvent.REPAYMENT, "paid")):
        reference = f"drawdown:{loan.drawdown_id}:fees-{suffix}"
        post(event, loan, kept_back, value_date=loan.start_date, reference=reference)


def _loan_number(drawdown: Drawdown) -> str:
    """The drawdown's own number with L for D: HT-2026-000012-D1 becomes HT-2026-000012-L1."""
    contract, _dash, rest = drawdown.number.rpartition("-")
    return f"{contract}-L{rest.removeprefix('D')}"


def add_instalments(loan: Loan) -> None:
    """The schedule of a loan nothing has happened to yet."""
    account, _keys = account_of(loan, [])
    Instalment.objects.bulk_create(
        Instalment(loan=loan, customer_id=loan.customer_id, **asdict(row)) for row in stored_rows(account, ZERO)
    )
