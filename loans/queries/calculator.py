"""Quotes and simulations from terms alone: no file, no customer. Page and API ask here."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput
from loans.domain.annual_cost import CostError, annual_cost
from loans.domain.schedule import Schedule, build_schedule
from loans.domain.servicing import Event, EventType, Servicing, replay, served_rows, standing
from loans.domain.terms import ScheduleTerms, TermsError

#: More is no loan but a load: every event works out every instalment after it anew.
MOST_EVENTS = 500
MOST_WORK = 30_000
PAYMENTS = frozenset({EventType.REPAYMENT, EventType.PAYOFF})
_QUOTE_ROW = ("number", "due_date", "days", "principal", "interest", "fees", "total", "balance")
_SERVED_ROW = (*_QUOTE_ROW[:6], "penalties", *_QUOTE_ROW[6:], "paid", "outstanding")
_STANDING = (
    "as_of",
    "accrued_interest",
    "past_due_days",
    "delinquent_days",
    "overdue_amount",
    "payoff_amount",
    "outstanding_principal",
    "held",
)


def quote(terms: dict[str, Any]) -> dict[str, Any]:
    """`rows`, `totals`, `apr_simple` and `apr_irr` of the terms; both rates null where no rate fits the payments.

    Raises InvalidInput by field.
    """
    try:
        schedule = build_schedule(ScheduleTerms(**terms))
    except TermsError as error:
        raise _refusal(error) from error
    rows = [{name: getattr(row, name) for name in _QUOTE_ROW} for row in schedule.rows]
    totals = {name: getattr(schedule.totals, name) for name in ("principal", "interest", "fees", "total")}
    return {"rows": rows, "totals": totals, **_cost(schedule)}


def simulate(
    terms: dict[str, Any],
    events: Sequence[dict[str, Any]],
    servicing: dict[str, Any],
    as_of: date | None = None,
    *,
    is_punctual: bool = False,
) -> dict[str, Any]:
    """The rows after all `events`, and where the loan is at the end of `as_of` (default: the day of the last event).

    With neither `as_of` nor any payment nothing is known of what was paid: the rows are those of a loan paid on its
    days. Otherwise principal that stays out bears interest, unless `servicing` says it doesn't. With `is_punctual`
    every instalment due by that day is paid on its day, besides what the events pay.

    Raises InvalidInput by field.
    """
    if len(events) * terms["instalments"] > MOST_WORK:
        raise InvalidInput(fields={"events": [_("These are too many events for so many instalments.")]})
    is_followed = as_of is not None or any(event["type"] in PAYMENTS for event in events)
    servicing = {"late_interest": is_followed} | servicing
    day = as_of or max((event["date"] for event in events), default=terms["start_date"])
    try:
        checked, options, all_events = ScheduleTerms(**terms), Servicing(**servicing), [_event(e) for e in events]
        on_time = day if is_punctual else None
        account = replay(checked, all_events, options, punctual_until=on_time)
        account.advance(day)
        happened = [event for event in all_events if event.date <= day]
        then = replay(checked, happened, options, punctual_until=on_time)
    except TermsError as error:
        raise _refusal(error) from error
    rows = [{name: getattr(row, name) for name in _SERVED_ROW} for row in served_rows(account)]
    totals = {
        name: sum(row[name] for row in rows)
        for name in ("principal", "interest", "fees", "penalties", "total", "paid", "outstanding")
    }
    now = standing(then, day)
    return {"rows": rows, "totals": totals, "as_of": {name: getattr(now, name) for name in _STANDING}}


def _event(values: dict[str, Any]) -> Event:
    return Event(**values)


def _cost(schedule: Schedule) -> dict[str, Any]:
    try:
        cost = annual_cost(schedule)
    except CostError:
        return {"apr_simple": None, "apr_irr": None}
    return {"apr_simple": cost.apr_simple, "apr_irr": cost.apr_irr}


def _refusal(error: TermsError) -> InvalidInput:
    reasons = {
        "not_on_due_day": _("The first due date is not on the due day."),
        "beyond_calendar": _("The last due date lies beyond the calendar."),
        "not_rising": _("This day must come after the start and after the row before."),
        "wrong_sum": _("The principal of the rows must add up to the loan."),
        "too_late": _("The loan has no instalment left on that day."),
        "waiver": _("Less than this is due of it on that day."),
        "payoff": _("This is less than it takes to pay off on that day."),
    }
    message = reasons.get(error.code, _("No repayment plan can be made of this value."))
    return InvalidInput(f"{message} ({error})", fields={error.field: [message]})
