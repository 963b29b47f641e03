"""What the pages of a customer and of a loan show of the time after release."""

from __future__ import annotations

from django.utils.translation import gettext as text

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from branch.web.panels import Panel, panel
from customers.models import Customer
from loans.models import Loan
from postloan.models import CollectionCase, Inspection, LoanDay, WarningCase
from postloan.nouns.signals import READERS

#: Days of history a loan's page shows: those on which its standing changed.
CHANGES_SHOWN = 12


@panel("customer")
def warnings_of_customer(customer: Customer, actor: Actor) -> Panel | None:
    """Cases, collection and inspections of the customer; nothing where there is none, or not for this person."""
    if not actor.roles & READERS:
        return None
    context = {
        "cases": visible(WarningCase, actor).filter(customer=customer).select_related("officer").order_by("-pk")[:5],
        "collections": visible(CollectionCase, actor).filter(customer=customer).order_by("-pk")[:5],
        "inspections": visible(Inspection, actor).filter(customer=customer).order_by("-due_date", "-pk")[:5],
    }
    if not any(rows.exists() for rows in context.values()):
        return None
    return Panel(text("After release"), "postloan/_customer_panel.html", context)


@panel("loan")
def history_of_loan(loan: Loan, actor: Actor) -> Panel | None:
    """The days on which past-due days began or ended, or the class moved, newest first."""
    days = list(LoanDay.objects.filter(loan=loan).order_by("date"))
    if not days:
        return None
    changes = [
        day
        for before, day in zip([None, *days], days, strict=False)
        if before is None
        or (before.asset_class, before.class_rule, before.days_past_due > 0)
        != (day.asset_class, day.class_rule, day.days_past_due > 0)
    ]
    shown = [*reversed(changes[-CHANGES_SHOWN:])]
    if days[-1] not in shown:
        shown.insert(0, days[-1])
    return Panel(text("Class and days past due"), "postloan/_loan_panel.html", {"days": shown})
