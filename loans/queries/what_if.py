"""What would become of a loan if something happened to it: its plan before and after, side by side. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.money import from_cents
from branch.domain.refusals import InvalidInput, NotFound
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from loans.domain.schedule_change import Change, compare
from loans.domain.servicing import Event, EventType, Servicing, Standing, Surplus, replay, served_rows, standing
from loans.domain.terms import ScheduleTerms, TermsError
from loans.domain.transactions import engine_events
from loans.models import Loan
from loans.queries.servicing import happening, live_transactions, servicing_of, terms_of_loan
from loans.queries.terms import terms_of

#: What can be tried, and what each needs besides its day.
NEEDS: dict[EventType, str] = {
    EventType.REPAYMENT: "amount",
    EventType.RATE_CHANGE: "annual_rate",
    EventType.EXTRA_INSTALMENTS: "count",
    EventType.PRINCIPAL_GRACE: "count",
    EventType.INTEREST_PAUSE: "until",
}


@dataclass(frozen=True)
class WhatIf:
    """`change` sets the plan as it stands against the one tried; `standing` is the loan after it, on its day."""

    loan: Loan
    what: EventType
    on_date: date
    change: Change
    standing: Standing


def what_if(
    *,
    actor: Actor,
    loan_id: int,
    what: str,
    on_date: date,
    amount: Decimal | None = None,
    annual_rate: Decimal | None = None,
    count: int | None = None,
    until: date | None = None,
    surplus: str = "",
) -> WhatIf:
    """Try one thing on `on_date`, today or later; instalments until then are taken as paid on their days.

    Raises NotFound, InvalidInput by field.
    """
    loan = visible(Loan, actor).filter(pk=loan_id).first()
    if loan is None:
        raise NotFound(_("There is no such record."))
    today, kind = business_date(), EventType(what)
    if on_date < today:
        raise InvalidInput(fields={"on_date": [_("Choose today or a later day.")]})
    given = {"amount": amount, "annual_rate": annual_rate, "count": count, "until": until}
    if given[NEEDS[kind]] is None:
        raise InvalidInput(fields={NEEDS[kind]: [_("This field is required.")]})
    tried = Event(
        date=on_date,
        type=kind,
        surplus=Surplus(surplus) if surplus else terms_of(loan).surplus,
        **{NEEDS[kind]: given[NEEDS[kind]]},  # type: ignore[arg-type]
    )
    try:
        terms, events, servicing = _so_far(loan)
        events += _paid_until(terms, events, servicing, today, on_date)
        old, new = replay(terms, events, servicing), replay(terms, [*events, tried], servicing)
        stands = standing(new, on_date)
        old.advance(on_date)
        return WhatIf(loan, kind, on_date, compare(served_rows(old), served_rows(new), on_date), stands)
    except TermsError as error:
        field = error.field.rpartition(".")[2]
        name = {"date": "on_date"}.get(field, field if field in given else "on_date")
        raise InvalidInput(fields={name: [_("This can't happen to the loan on that day.")]}) from error


def _so_far(loan: Loan) -> tuple[ScheduleTerms, list[Event], Servicing]:
    """The loan as the servicing engine reads it: its terms, what happened to it, and how payments are taken."""
    events = [event for _key, event in engine_events(happening(row) for row in live_transactions(loan))]
    return terms_of_loan(loan), events, servicing_of(loan)


def _paid_until(
    terms: ScheduleTerms, events: Sequence[Event], servicing: Servicing, today: date, until: date
) -> list[Event]:
    """What falls due from today to the day tried, paid on its day; nobody asks "what if" of a loan left unpaid."""
    account = replay(terms, events, servicing)
    account.advance(today)
    paid = []
    for day in sorted({line.due_date for line in account.lines if today <= line.due_date <= until}):
        account.advance(day)
        if due := account.due(day) - account.held:
            account.pay_due(day, account.due(day))
            paid.append(Event(date=day, type=EventType.REPAYMENT, amount=from_cents(due)))
    return [event for event in paid if event.amount and event.amount > 0]
