"""Collection: promises kept or broken, cases that are paid up, new cases for loans long past due."""

from __future__ import annotations

from django.db.models import DecimalField, Exists, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from branch.domain.actor import Actor
from branch.queries.parameters import parameter
from branch.services.events import record_all
from branch.services.outbox import publish
from loans.models import Loan, Repayment
from loans.services.numbers import next_numbers
from postloan.models import CollectionCase
from postloan.services.steps.move import move
from postloan.services.steps.part import LIVE_STATES, Part, Work, work_of

MONEY = DecimalField(max_digits=16, decimal_places=2)


def collection(part: Part, actor: Actor) -> Work:
    """Close what is paid, break promises past their day, open cases from the day the bank set."""
    paid = _close_paid(part, actor)
    broken = _break_promises(part, actor)
    opened = _open(part, actor)
    if broken or opened:
        publish("collection_cases.moved", opened=[case.pk for case in opened], broken=broken)
    lines = [f"paid|{pk}" for pk in paid] + [f"broken|{pk}" for pk in broken]
    return work_of(lines + [f"opened|{case.number}|{case.loan_id}" for case in opened])


def _close_paid(part: Part, actor: Actor) -> list[int]:
    """Nothing is past due any more: settled, or up to date again."""
    over = Q(loan__state__in=LIVE_STATES, loan__days_past_due=0) | Q(loan__state="settled")
    rows = part.of(CollectionCase.objects.filter(over).exclude(state="closed"))
    return move(rows.filter(opened_on__lt=part.date), "close_paid", actor, outcome=CollectionCase.Outcome.PAID)


def _break_promises(part: Part, actor: Actor) -> list[int]:
    since = Repayment.objects.filter(
        loan=OuterRef("loan"), value_date__gte=OuterRef("promised_on"), value_date__lte=OuterRef("promised_date")
    )
    came_in = since.order_by().values("loan").annotate(total=Sum("amount")).values("total")
    rows = part.of(CollectionCase.objects.filter(state="promised", promised_date__lte=part.date))
    short = rows.annotate(came_in=Coalesce(Subquery(came_in, output_field=MONEY), 0, output_field=MONEY))
    return move(short.filter(came_in__lt=F("promised_amount")), "break_promise", actor)


def _open(part: Part, actor: Actor) -> list[CollectionCase]:
    has_one = CollectionCase.objects.filter(loan=OuterRef("pk")).exclude(state="closed")
    least = max(parameter("collection.opens_at_days_past_due"), 1)
    overdue = Loan.objects.filter(~Exists(has_one), state__in=LIVE_STATES, days_past_due__gte=least)
    loans = list(part.of(overdue).select_related("office").order_by("pk"))
    opened = CollectionCase.objects.bulk_create(
        [
            CollectionCase(
                office=loan.office,
                number=number,
                customer_id=loan.customer_id,
                loan=loan,
                owner_id=loan.owner_id,
                opened_on=part.date,
            )
            for loan, number in zip(loans, next_numbers("CC", part.date.year, len(loans)), strict=True)
        ],
        batch_size=1000,
    )
    record_all("collection_case.create", opened, actor=actor)
    return opened
