"""What pages of other things show of lending: a customer's lines and loans."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from branch.web.panels import Panel, panel
from customers.models import Customer
from loans.models import Facility, Loan
from loans.nouns.facilities import FACILITY_NOUN
from loans.nouns.loans import LOAN_NOUN

SHOWN = 20


@panel("customer")
def lines_and_loans(customer: Customer, actor: Actor) -> Panel | None:
    """The customer's lines and loans, newest first, as far as this person may see them."""
    lines = visible(Facility, actor).filter(customer=customer).select_related("contract").order_by("-pk")[:SHOWN]
    loans = visible(Loan, actor).filter(customer=customer).order_by("-pk")[:SHOWN]
    if not lines and not loans:
        return None
    context = {
        "facilities": lines,
        "loans": loans,
        "all_facilities": f"{FACILITY_NOUN.url()}?customer={customer.pk}",
        "all_loans": f"{LOAN_NOUN.url()}?customer={customer.pk}",
    }
    return Panel(_("Lines and loans"), "loans/_customer_panel.html", context)
