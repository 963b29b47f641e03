"""The end of a loan that will not be paid: its claim leaves the books, and what still comes in is a recovery."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.db.models import Sum
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import ZERO, format_money
from branch.domain.refusals import InvalidInput, Unmet
from branch.domain.roles import Role
from branch.queries.parameters import parameter
from branch.services.open_day import open_business_date
from branch.services.outbox import publish
from branch.services.transition import authorise, change, fire
from branch.services.use_case import use_case
from loans.domain.ledger import Kind, MoneyEvent
from loans.domain.transactions import TransactionKind
from loans.models import Loan, LoanEntry, LoanTransaction, Movement, Repayment
from loans.queries.servicing import picture_of
from loans.services.inputs import clean_amount, clean_reference
from loans.services.ledger import post
from loans.services.projection import accrued_so_far
from loans.services.transactions import insert

RECOVERERS = frozenset({Role.LOAN_ACCOUNTANT})
#: In this order a recovery is put to the claim.
CLAIM = (Kind.PRINCIPAL, Kind.INTEREST, Kind.PENALTY, Kind.FEE)


def claim_of(loan: Loan) -> dict[Kind, Decimal]:
    """What the books hold against the borrower: principal, interest and penalty earned, fees charged, all unpaid."""
    sums = dict(loan.entries.values_list("kind").annotate(total=Sum("amount")))
    interest, _penalty = accrued_so_far(loan)
    Entry = LoanEntry.Kind
    return {
        Kind.PRINCIPAL: loan.outstanding_principal,
        Kind.INTEREST: interest - sums.get(Entry.INTEREST, ZERO) - sums.get(Entry.INTEREST_WAIVED, ZERO),
        Kind.PENALTY: loan.penalty_due,
        Kind.FEE: sums.get(Entry.FEE_CHARGED, ZERO) - sums.get(Entry.FEE, ZERO) - sums.get(Entry.FEE_WAIVED, ZERO),
    }


def require_class(new: LoanTransaction) -> Callable[[Loan], None]:
    """Only a loan of the classes the bank names is written off. Raises Unmet."""

    def look(loan: Loan) -> None:
        if loan.asset_class not in parameter("write_off.classes"):
            raise Unmet(_("Its class is too good for a write-off."), asset_class=loan.asset_class)
        new.amount = sum(claim_of(loan).values(), ZERO)

    return look


def write_down(new: LoanTransaction) -> None:
    """Take the claim off the books; it goes on in the memo accounts."""
    loan = Loan.objects.get(pk=new.loan_id)
    claim = {kind: amount for kind, amount in claim_of(loan).items() if amount}
    LoanEntry.objects.bulk_create(
        LoanEntry(
            loan=loan,
            customer_id=loan.customer_id,
            kind=f"{kind}_written_off",
            amount=amount,
            value_date=new.value_date,
            transaction=new,
        )
        for kind, amount in claim.items()
    )
    post(MoneyEvent.WRITE_OFF, loan, claim, value_date=new.value_date, reference=f"transaction:{new.pk}")


def unrecovered(loan: Loan) -> dict[Kind, Decimal]:
    """What is left of the claim written off, by kind."""
    sums = dict(loan.entries.values_list("kind").annotate(total=Sum("amount")))
    left = sums.get(LoanEntry.Kind.RECOVERED, ZERO)
    open_claim = {}
    for kind in CLAIM:
        claimed = sums.get(f"{kind}_written_off", ZERO)
        taken = min(left, claimed)
        open_claim[kind], left = claimed - taken, left - taken
    return open_claim


@use_case("book_recovery")
def book_recovery(
    *,
    actor: Actor,
    loan_id: int,
    amount: Decimal,
    reference: str,
    is_final: bool = False,
    expected_version: int | None = None,
) -> LoanTransaction:
    """Book what came in on a claim written off. The loan is recovered with the whole claim, or when `is_final`.

    Raises InvalidInput for more than the claim, KeyReused for a reference used before, WrongState for another loan.
    """
    amount, reference = clean_amount(amount), clean_reference(reference)
    today = open_business_date()
    new = LoanTransaction(
        loan_id=loan_id,
        kind=TransactionKind.RECOVERY,
        reference=reference,
        value_date=today,
        amount=amount,
        booked_by_id=actor.user_id,
    )
    with change(
        Loan, loan_id, "book_recovery", actor=actor, roles=RECOVERERS, states=("written_off",), reason=reference,
        expected_version=expected_version,
    ) as loan:  # fmt: skip
        before, left = picture_of(loan), unrecovered(loan)
        total = sum(left.values(), ZERO)
        if amount > total:
            message = _("Only %(total)s of the claim is left.") % {"total": format_money(total)}
            raise InvalidInput(fields={"amount": [message]})
        authorise(actor, loan, "recover")
        new.customer_id = loan.customer_id
        new.repayment = Repayment.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            reference=reference,
            amount=amount,
            value_date=today,
            channel=Repayment.Channel.COUNTER,
            booked_by_id=actor.user_id,
        )
        insert(new, today)
        LoanEntry.objects.create(
            loan=loan,
            customer_id=loan.customer_id,
            kind=LoanEntry.Kind.RECOVERED,
            amount=amount,
            value_date=today,
            transaction=new,
            repayment=new.repayment,
        )
        if is_final or amount == total:
            fire(loan, "recover")
    post(MoneyEvent.RECOVERY, loan, _split(amount, left), value_date=today, reference=f"repayment:{new.repayment_id}")
    Movement.objects.create(transaction=new, before=before, after=picture_of(loan))
    publish("loan.recovered", loan_id=loan.pk, transaction_id=new.pk)
    return new


def _split(amount: Decimal, left: dict[Kind, Decimal]) -> dict[Kind, Decimal]:
    split = {}
    for kind in CLAIM:
        split[kind] = min(amount, left[kind])
        amount -= split[kind]
    return split
