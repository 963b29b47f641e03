"""Inspections fall due by themselves: the first soon after release, the next when the last one is accepted."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from branch.domain.actor import Actor
from branch.domain.calendar import add_months
from branch.queries.parameters import parameters
from branch.services.events import record_all
from branch.services.outbox import publish
from loans.models import Loan
from postloan.models import Inspection, WarningCase
from postloan.services.steps.part import LIVE_STATES, Part, Work, work_of


def inspections(part: Part, actor: Actor) -> Work:
    """Plan the first inspection of new loans and the next one of inspected loans."""
    made = Inspection.objects.bulk_create(_first(part) + _next(part), batch_size=1000)
    record_all("inspection.create", made, actor=actor)
    if made:
        publish("inspections.planned", inspection_ids=[row.pk for row in made])
    return work_of(f"{row.loan_id}|{row.sequence}|{row.due_date}" for row in made)


def _live(part: Part) -> QuerySet[Loan]:
    return part.of(Loan.objects.filter(state__in=LIVE_STATES)).select_related("office").order_by("pk")


def _first(part: Part) -> list[Inspection]:
    days = parameters("inspection.first_within_days", on=part.date)["inspection.first_within_days"]
    new = _live(part).filter(~Exists(Inspection.objects.filter(loan=OuterRef("pk"))))
    return [_planned(loan, 1, loan.start_date + timedelta(days=days)) for loan in new]


def _next(part: Part) -> list[Inspection]:
    months = parameters(
        "inspection.short_term_months",
        "inspection.short_interval_months",
        "inspection.long_interval_months",
        on=part.date,
    )
    last = Inspection.objects.filter(loan=OuterRef("pk")).order_by("-sequence")
    has_case = WarningCase.objects.filter(customer=OuterRef("customer")).exclude(state="closed")
    done = _live(part).annotate(
        last_state=Subquery(last.values("state")[:1]),
        last_sequence=Subquery(last.values("sequence")[:1]),
        last_due=Subquery(last.values("due_date")[:1]),
        has_case=Exists(has_case),
    )
    planned = []
    for loan in done.filter(last_state="accepted"):
        is_short = loan.maturity_date <= add_months(loan.start_date, months["inspection.short_term_months"])
        often = is_short or loan.has_case
        interval = months["inspection.short_interval_months" if often else "inspection.long_interval_months"]
        due = next_due(loan.last_due, interval, after=part.date)
        if due < loan.maturity_date:
            planned.append(_planned(loan, loan.last_sequence + 1, due))
    return planned


def next_due(last_due: date, interval_months: int, *, after: date) -> date:
    """The first date `interval_months`, or a multiple, after `last_due` that lies after `after`."""
    step = max(interval_months, 1)
    months = step
    while (due := add_months(last_due, months)) <= after:
        months += step
    return due


def _planned(loan: Loan, sequence: int, due_date: date) -> Inspection:
    return Inspection(
        office=loan.office,
        customer_id=loan.customer_id,
        loan=loan,
        owner_id=loan.owner_id,
        sequence=sequence,
        due_date=due_date,
    )
