"""Taking in outside figures: meters, tax, account flows. Good rows are kept, bad ones come back with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models.functions import Now
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.transition import may
from branch.services.use_case import use_case
from customers.domain.records import Figure, FigureError, Outcome, read_figure
from customers.models import Customer, ExternalRecord
from customers.queries.visibility import pushable_customers

SENDERS = frozenset({Role.ACCOUNT_MANAGER, Role.INTEGRATION, Role.POST_LOAN_OFFICER})
MOST_ROWS = 5000
Key = tuple[str, str, date]


@dataclass(frozen=True)
class RowReport:
    """What became of one row, by its place in what was sent (from 0)."""

    row: int
    outcome: Outcome
    reason: str = ""


@dataclass(frozen=True)
class Receipt:
    customer_id: int
    rows: tuple[RowReport, ...]

    @property
    def counts(self) -> dict[str, int]:
        found = Counter(row.outcome for row in self.rows)
        return {outcome.value: found[outcome] for outcome in Outcome}


@use_case("receive_records")
def receive_records(*, actor: Actor, customer_id: int, records: Sequence[Any]) -> Receipt:
    """Store figures `{"metric", "source", "period_month", "value"}` of one customer.

    A figure for a month that is already there replaces it (the former is kept as history), or changes nothing
    where it is equal; sending twice therefore does it once. Raises InvalidInput for no rows or too many.
    """
    if not isinstance(records, list | tuple) or not 0 < len(records) <= MOST_ROWS:
        raise InvalidInput(fields={"records": [_("Send 1 to %(most)d rows.") % {"most": MOST_ROWS}]})
    customer = _lock(actor, customer_id)
    current = {
        (row.metric, row.source, row.period_month): row
        for row in ExternalRecord.objects.filter(customer=customer, superseded_at=None)
    }
    today = business_date()
    report = Receipt(
        customer.pk, tuple(_take(customer, current, number, row, today) for number, row in enumerate(records))
    )
    if any(row.outcome in (Outcome.ACCEPTED, Outcome.REPLACED) for row in report.rows):
        record("customer.receive_records", customer, actor=actor, before={}, after=report.counts)
    return report


@use_case("push_records")
def push_records(*, actor: Actor, uscc: str, records: Sequence[Any]) -> Receipt:
    """The same for a client system, which knows a customer by its code and can't read the file.

    Raises NotFound for a code of no customer it may send figures of.
    """
    for rows in (pushable_customers(actor), visible(Customer, actor)):
        customer = rows.filter(uscc=uscc.strip().upper()).first()
        if customer is not None:
            return receive_records(actor=actor, customer_id=customer.pk, records=records)
    raise NotFound(_("There is no such record."))


def _lock(actor: Actor, customer_id: int) -> Customer:
    """The customer, locked: two senders of one customer's figures wait for each other."""
    seen = visible(Customer, actor).filter(pk=customer_id).exists()
    if not seen and not pushable_customers(actor).filter(pk=customer_id).exists():
        raise NotFound(_("There is no such record."))
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    if not may(actor, Transition("receive_records", (), "", SENDERS), customer):
        raise PermissionRefused(_("Your role does not allow this here."), event="receive_records")
    return customer


def _take(customer: Customer, current: dict[Key, ExternalRecord], number: int, row: Any, today: date) -> RowReport:
    try:
        figure = read_figure(row, metrics=frozenset(ExternalRecord.Metric.values), this_month=today.replace(day=1))
    except FigureError as error:
        return RowReport(number, Outcome.REJECTED, _reason(error.code))
    former = current.get(figure.key)
    if former is not None and former.value == figure.value:
        return RowReport(number, Outcome.UNCHANGED)
    if former is not None:
        ExternalRecord.objects.filter(pk=former.pk).update(superseded_at=Now())
    current[figure.key] = _store(customer, figure)
    return RowReport(number, Outcome.REPLACED if former else Outcome.ACCEPTED)


def _store(customer: Customer, figure: Figure) -> ExternalRecord:
    return ExternalRecord.objects.create(
        customer=customer,
        metric=figure.metric,
        source=figure.source,
        period_month=figure.period_month,
        value=figure.value,
    )


def _reason(code: str) -> str:
    return {
        "row": _("Not a row of named values."),
        "metric": _("Unknown metric."),
        "source": _("The source is missing or too long."),
        "month": _("The month is not of the form 2026-03."),
        "future": _("The month lies in the future."),
        "value": _("The value is not a number from 0 on with at most three decimal places."),
    }[code]
