"""One open case per customer takes in every signal raised for it; its level is the worst it has seen."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from branch.domain.actor import Actor
from branch.services.events import record_all
from branch.services.outbox import publish
from branch.services.transition import bulk_transition
from customers.models import Customer
from loans.services.numbers import next_numbers
from postloan.domain.indicators import Level
from postloan.models import Signal, WarningCase
from postloan.services.steps.part import Part, Work, work_of

SEVERITY = {level.value: place for place, level in enumerate(Level)}


def cases(part: Part, actor: Actor) -> Work:
    """Open cases for customers with new signals and none open, and take the signals in."""
    raised = list(part.of(Signal.objects.filter(state="raised")).select_related("office").order_by("pk"))
    worst = _worst_by_customer(raised)
    opened = _open(part, worst, actor)
    _take_in(raised, actor)
    worsened = _worsen(part, worst, opened, actor)
    if opened or worsened:
        publish(
            "warning_cases.moved",
            opened=[case.pk for case in opened],
            worsened=[case.pk for case in worsened],
        )
    lines = [f"opened|{case.number}|{case.level}" for case in opened]
    lines += [f"worsened|{case.number}|{case.level}" for case in worsened]
    return work_of(lines + [f"taken|{signal.pk}" for signal in raised])


def _worst_by_customer(raised: list[Signal]) -> dict[int, str]:
    worst: dict[int, str] = {}
    for signal in raised:
        before = worst.get(signal.customer_id, signal.level)
        worst[signal.customer_id] = max(before, signal.level, key=SEVERITY.__getitem__)
    return worst


def _open_cases() -> QuerySet[WarningCase]:
    return WarningCase.objects.exclude(state="closed")


def _open(part: Part, worst: dict[int, str], actor: Actor) -> list[WarningCase]:
    has_one = _open_cases().filter(customer=OuterRef("pk"))
    without = Customer.objects.filter(~Exists(has_one), pk__in=worst).select_related("office").order_by("pk")
    customers = list(without)
    numbers = next_numbers("EW", part.date.year, len(customers))
    opened = WarningCase.objects.bulk_create(
        [
            WarningCase(
                office=customer.office,
                number=number,
                customer=customer,
                owner_id=customer.owner_id,
                level=worst[customer.pk],
                opened_on=part.date,
            )
            for customer, number in zip(customers, numbers, strict=True)
        ],
        batch_size=1000,
    )
    record_all("warning_case.create", opened, actor=actor)
    return opened


def _take_in(raised: list[Signal], actor: Actor) -> None:
    theirs = _open_cases().filter(customer=OuterRef("customer")).values("pk")[:1]
    rows = Signal.objects.filter(pk__in=[signal.pk for signal in raised])
    bulk_transition(rows, "take_into_case", case=Subquery(theirs))
    case_of = dict(rows.values_list("pk", "case_id"))
    record_all(
        "signal.take_into_case",
        raised,
        actor=actor,
        before={"state": "raised"},
        after=lambda signal: {"state": "in_case", "case_id": case_of[signal.pk]},
    )


def _worsen(part: Part, worst: dict[int, str], opened: list[WarningCase], actor: Actor) -> list[WarningCase]:
    """Raise the level of cases whose live signals are worse than what the case has seen."""
    live = part.of(Signal.objects.filter(state="in_case", cleared_on=None, case__in=_open_cases()))
    levels = dict(worst)
    for customer_id, level in live.values_list("customer_id", "level").distinct():
        levels[customer_id] = max(levels.get(customer_id, level), level, key=SEVERITY.__getitem__)
    rows = part.of(_open_cases()).exclude(pk__in=[case.pk for case in opened]).filter(customer__in=levels)
    worse = [
        case
        for case in rows.select_for_update(of=("self",)).select_related("office").order_by("pk")
        if SEVERITY[levels[case.customer_id]] > SEVERITY[case.level]
    ]
    before = {case.pk: case.level for case in worse}
    for case in worse:
        case.level = levels[case.customer_id]
        case.version += 1
    WarningCase.objects.bulk_update(worse, ["level", "version"], batch_size=1000)
    record_all(
        "warning_case.worsen",
        worse,
        actor=actor,
        after=lambda case: {"level": case.level, "level_before": before[case.pk]},
    )
    return worse
