"""What a line has left, and what stands in the way of releasing money from it."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import QuerySet, Sum

from branch.domain.money import ZERO
from branch.queries.parameters import parameter
from customers.models import Customer
from loans.domain.product_terms import start_fees
from loans.models import Condition, Drawdown, Facility
from loans.queries.terms import terms_of

#: A line may be asked before its conditions are settled; money needs an effective one.
MAY_BE_ASKED = ("pending_conditions", "effective")
#: Asked for and not yet reserved: from release on the amount is in `drawn_amount`.
ASKED_FOR = ("requested", "checked")


def open_conditions(application_id: int) -> QuerySet[Condition]:
    return Condition.objects.filter(application_id=application_id, state="open").order_by("pk")


def open_drawdowns(facility_id: int) -> QuerySet[Drawdown]:
    return Drawdown.objects.filter(facility_id=facility_id, state__in=ASKED_FOR)


def payout_amount(drawdown: Drawdown) -> Decimal:
    """What goes out of a drawdown: its amount less the fees kept back at the start, in yuan."""
    return drawdown.amount - start_fees(terms_of(drawdown.facility.contract), drawdown.amount)


def sized_by_draw(borrower: Customer) -> bool:
    """Whether the threshold of entrusted payment looks at the whole draw (a person's) or at one payment (a firm's)."""
    return borrower.kind != Customer.Kind.COMPANY


def entrusted_above(drawdown: Drawdown) -> Decimal:
    """The amount above which the bank pays the seller itself (entrusted payment), by what kind of borrower it is."""
    is_person = sized_by_draw(drawdown.customer)
    return parameter("entrusted.personal_above" if is_person else "entrusted.working_capital_above")


def is_the_borrower(borrower: Customer, name: str, account: str) -> bool:
    """Whether the money goes to the borrower's own name or account, who then controls it."""
    same_account = bool(borrower.repayment_account) and account == borrower.repayment_account
    return same_account or name.strip() == borrower.name.strip()


def undrawn_amount(facility: Facility, *, except_drawdown: int | None = None) -> Decimal:
    """What may still be asked for: the limit less what is drawn and what other drawdowns ask for."""
    others = open_drawdowns(facility.pk)
    if except_drawdown is not None:
        others = others.exclude(pk=except_drawdown)
    asked = others.aggregate(total=Sum("amount"))["total"] or ZERO
    return facility.limit_amount - facility.drawn_amount - asked
