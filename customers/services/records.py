"""Taking in outside figures one call at a time. Good rows are kept, bad ones come back with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.transition import may, require_in_use
from branch.services.use_case import use_case
from customers.domain.records import Figure, FigureError, Outcome, read_figure
from customers.models import Customer, RecordSource
from customers.queries.metrics import limits_of_metrics
from customers.queries.visibility import pushable_customers
from customers.services.intake.figures import figures_of_one, lock_sources, outcomes, store_figures

SENDERS = frozenset({Role.ACCOUNT_MANAGER, Role.INTEGRATION, Role.POST_LOAN_OFFICER})
MOST_ROWS = 5000


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
    """Store figures `{"metric", "source", "period_month", "value"}` of one customer; the source by code or name.

    A figure for a month that is already there replaces it (the former is kept as history), or changes nothing
    where it is equal; sending twice therefore does it once. Of several rows for one month the last stands. Raises
    InvalidInput for no rows or too many.
    """
    if not isinstance(records, list | tuple) or not 0 < len(records) <= MOST_ROWS:
        raise InvalidInput(fields={"records": [_("Send 1 to %(most)d rows.") % {"most": MOST_ROWS}]})
    customer = _customer(actor, customer_id)
    figures, rejected = _read(records)
    found = _store(customer.pk, figures)
    rows = [rejected.get(row) or RowReport(row, found[row]) for row in range(len(records))]
    report = Receipt(customer.pk, tuple(rows))
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


def _customer(actor: Actor, customer_id: int) -> Customer:
    for rows in (visible(Customer, actor), pushable_customers(actor)):
        customer = rows.filter(pk=customer_id).select_related("office").first()
        if customer is not None:
            break
    else:
        raise NotFound(_("There is no such record."))
    if not may(actor, Transition("receive_records", (), "", SENDERS), customer):
        raise PermissionRefused(_("Your role does not allow this here."), event="receive_records")
    # What is sent for a merged file is read with the one that stands for it.
    require_in_use(customer)
    return customer


def _read(records: Sequence[Any]) -> tuple[list[tuple[int, Figure]], dict[int, RowReport]]:
    """The figures with their places, and what is to be said of the other rows."""
    metrics, sources = limits_of_metrics(), _sources()
    this_month = business_date().replace(day=1)
    figures, rejected = [], {}
    for place, row in enumerate(records):
        try:
            figures.append((place, read_figure(row, metrics=metrics, sources=sources, this_month=this_month)))
        except FigureError as error:
            rejected[place] = RowReport(place, Outcome.REJECTED, _reason(error.code))
    return figures, rejected


def _sources() -> dict[str, str]:
    """The code of each source in use by its name, and by itself, which comes first."""
    known = list(RecordSource.objects.filter(is_active=True).values_list("code", "name"))
    return {name: code for code, name in known} | {code: code for code, _name in known}


def _store(customer_id: int, figures: list[tuple[int, Figure]]) -> dict[int, Outcome]:
    if not figures:
        return {}
    codes = {figure.source for _place, figure in figures}
    with connection.cursor() as cursor:
        lock_sources(cursor, RecordSource.objects.filter(code__in=codes).values_list("pk", flat=True))
        figures_of_one(cursor, customer_id, figures)
        store_figures(cursor)
        found = outcomes(cursor)
        # Inside somebody else's transaction they would outlive the call.
        cursor.execute("DROP TABLE figures, known")
    return found


def _reason(code: str) -> str:
    return {
        "row": _("Not a row of named values."),
        "metric": _("Unknown metric."),
        "source": _("Unknown source: register it first."),
        "month": _("The month is not of the form 2026-03."),
        "future": _("The month lies in the future."),
        "value": _("Not a number this metric takes."),
    }[code]
