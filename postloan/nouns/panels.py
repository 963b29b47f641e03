"""What the pages of a customer and of a loan show of the time after release."""

from __future__ import annotations

from django.db.models import Count, F, Max, Q, QuerySet, Window
from django.db.models.functions import Lag
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.panels import Panel, panel
from customers.models import Customer
from customers.queries.merges import files_of
from loans.models import Instalment, Loan
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
        "cases": visible(WarningCase, actor)
        .filter(customer__in=files_of(customer))
        .select_related("officer")
        .order_by("-pk")[:5],
        "collections": visible(CollectionCase, actor).filter(customer__in=files_of(customer)).order_by("-pk")[:5],
        "inspections": visible(Inspection, actor)
        .filter(customer__in=files_of(customer))
        .order_by("-due_date", "-pk")[:5],
    }
    if not any(rows.exists() for rows in context.values()):
        return None
    return Panel(_("After release"), "postloan/_customer_panel.html", context, "warnings")


@panel("customer")
def how_it_repays(customer: Customer, actor: Actor) -> Panel | None:
    """Instalments fallen due and paid, and the worst and the present arrears, over the loans this person sees."""
    loans = visible(Loan, actor).filter(customer__in=files_of(customer))
    due = Instalment.objects.filter(loan__in=loans, due_date__lt=business_date()).exclude(loan__state="renewed")
    is_open = Q(principal_paid__lt=F("principal")) | Q(interest_paid__lt=F("interest")) | Q(fee_paid__lt=F("fee"))
    counts = due.aggregate(due=Count("pk"), open=Count("pk", filter=is_open))
    if not counts["due"]:
        return None
    days = LoanDay.objects.filter(loan__in=loans).aggregate(
        worst=Max("days_past_due"), late=Count("pk", filter=Q(days_past_due__gt=0))
    )
    context = {
        "rows": [
            (_("Instalments fallen due"), counts["due"]),
            (_("of them paid"), counts["due"] - counts["open"]),
            (_("of them open"), counts["open"]),
            (_("Most days past due ever"), days["worst"] or 0),
            (_("Days in arrears, all loans together"), days["late"]),
            (_("Days past due today"), max(loans.values_list("days_past_due", flat=True), default=0)),
        ]
    }
    return Panel(_("Repayment behaviour"), "postloan/_repayment_panel.html", context, "repayment")


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
