"""What the pages of a customer and of a loan show of the time after release."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet, Window
from django.db.models.functions import Lag
from django.utils.translation import gettext as _

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
    return Panel(_("After release"), "postloan/_customer_panel.html", context, "warnings")


@panel("loan")
def history_of_loan(loan: Loan, actor: Actor) -> Panel | None:
    """The days on which past-due days began or ended, or the class moved, newest first."""
    days = LoanDay.objects.filter(loan=loan).order_by("-date")
    last = days.first()
    if last is None:
        return None
    shown = list(_changes(days)[:CHANGES_SHOWN])
    if shown[0] != last:
        shown.insert(0, last)
    return Panel(_("Class and days past due"), "postloan/_loan_panel.html", {"days": shown})


def _changes(days: QuerySet[LoanDay]) -> QuerySet[LoanDay]:
    """The days that differ from the day before in class, in the rule behind it, or in whether anything is past due."""

    def before(field: str) -> Window:
        return Window(Lag(field), order_by=F("date").asc())

    annotated = days.annotate(
        class_before=before("asset_class"), rule_before=before("class_rule"), days_before=before("days_past_due")
    )
    began_or_ended = Q(days_before=0, days_past_due__gt=0) | Q(days_before__gt=0, days_past_due=0)
    moved = ~Q(class_before=F("asset_class")) | ~Q(rule_before=F("class_rule"))
    return annotated.filter(Q(class_before=None) | moved | began_or_ended)
