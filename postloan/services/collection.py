"""Getting overdue money back: contact, promises, the law, and an end with a reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, Unmet
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, create, lock, transition
from branch.services.use_case import use_case
from customers.queries.merges import kept_by_file
from loans.models import Loan
from loans.services.inputs import clean_amount
from loans.services.numbers import next_number
from postloan.models import CollectionCase

OFFICERS = frozenset({Role.POST_LOAN_OFFICER})
Outcome = CollectionCase.Outcome


@use_case("open_collection")
def open_collection(*, actor: Actor, loan_id: int, note: str = "") -> CollectionCase:
    """Take a loan that is past due into collection. Raises Unmet where nothing is past due or one is open."""
    loan = lock(Loan, loan_id, actor)
    if not loan.days_past_due:
        raise Unmet(_("Nothing is past due on this loan."), days_past_due=0)
    known = CollectionCase.objects.filter(loan=loan).exclude(state="closed").first()
    if known is not None:
        raise Unmet(_("This loan is in collection already."), collection_case=known.number)
    case = CollectionCase(
        office=loan.office,
        number=next_number("CC", business_date().year),
        customer_id=loan.customer_id,
        loan=loan,
        owner_id=loan.owner_id,
        officer_id=actor.user_id,
        opened_on=business_date(),
        note=note.strip(),
    )
    create(case, actor=actor, roles=OFFICERS)
    publish("collection_cases.moved", opened=[case.pk], broken=[])
    return case


def open_for_customer(*, actor: Actor, customer_id: int, note: str) -> int:
    """Open collection for each loan of the customer that is past due and has none; how many are in collection now.

    Loans on all files of the customer. Runs in the caller's transaction.
    """
    files = list(kept_by_file([customer_id]))
    overdue = Loan.objects.filter(customer_id__in=files, days_past_due__gt=0, state__in=("active", "called_in"))
    in_collection = CollectionCase.objects.exclude(state="closed").filter(loan__customer_id__in=files)
    known = set(in_collection.values_list("loan_id", flat=True))
    new = [loan_id for loan_id in overdue.order_by("pk").values_list("pk", flat=True) if loan_id not in known]
    for loan_id in new:
        open_collection(actor=actor, loan_id=loan_id, note=note)
    return len(known) + len(new)


@use_case("contact_borrower")
def contact_borrower(
    *, actor: Actor, collection_case_id: int, note: str, expected_version: int | None = None
) -> CollectionCase:
    """The borrower was reached, or tried: what came of it."""
    with transition(
        CollectionCase, collection_case_id, "contact", actor=actor, expected_version=expected_version
    ) as case:
        case.officer_id = actor.user_id
        case.note = _note(note)
    return case


@use_case("note_collection")
def note_collection(
    *, actor: Actor, collection_case_id: int, note: str, expected_version: int | None = None
) -> CollectionCase:
    """One more contact; the record keeps every earlier note."""
    with change(
        CollectionCase,
        collection_case_id,
        "note",
        actor=actor,
        roles=OFFICERS,
        states=("contacting", "promised", "broken_promise", "legal"),
        expected_version=expected_version,
    ) as case:
        case.note = _note(note)
    return case


@use_case("record_promise")
def record_promise(
    *,
    actor: Actor,
    collection_case_id: int,
    amount: Decimal,
    promised_date: date,
    note: str = "",
    expected_version: int | None = None,
) -> CollectionCase:
    """The borrower promises to pay `amount` by a day. Raises InvalidInput for a day that is past."""
    with transition(
        CollectionCase, collection_case_id, "promise", actor=actor, expected_version=expected_version
    ) as case:
        if promised_date < business_date():
            raise InvalidInput(fields={"promised_date": [_("Choose today or a later day.")]})
        case.promised_amount = clean_amount(amount)
        case.promised_on = business_date()
        case.promised_date = promised_date
        if note.strip():
            case.note = _note(note)
    return case


@use_case("break_promise")
def break_promise(
    *, actor: Actor, collection_case_id: int, reason: str, expected_version: int | None = None
) -> CollectionCase:
    """The promise is not kept, or no longer stands. The nightly close does it by itself after the promised day."""
    return _moved(actor, collection_case_id, "break_promise", reason, expected_version)


@use_case("go_legal")
def go_legal(
    *, actor: Actor, collection_case_id: int, reason: str, expected_version: int | None = None
) -> CollectionCase:
    """Over to the lawyers, with the reason."""
    return _moved(actor, collection_case_id, "go_legal", reason, expected_version)


@use_case("close_paid")
def close_paid(
    *, actor: Actor, collection_case_id: int, reason: str, expected_version: int | None = None
) -> CollectionCase:
    """The money came in. Raises Unmet while an instalment is past due."""
    return _closed(actor, collection_case_id, "close_paid", Outcome.PAID, reason, expected_version)


@use_case("close_restructured")
def close_restructured(
    *, actor: Actor, collection_case_id: int, reason: str, expected_version: int | None = None
) -> CollectionCase:
    """New terms stand. Raises Unmet for a loan that was not restructured since collection began."""
    return _closed(actor, collection_case_id, "close_restructured", Outcome.RESTRUCTURED, reason, expected_version)


@use_case("close_written_off")
def close_written_off(
    *, actor: Actor, collection_case_id: int, reason: str, expected_version: int | None = None
) -> CollectionCase:
    """The loan was written off. Raises Unmet before it was."""
    return _closed(actor, collection_case_id, "close_written_off", Outcome.WRITTEN_OFF, reason, expected_version)


def _moved(actor: Actor, case_id: int, event: str, reason: str, version: int | None) -> CollectionCase:
    with transition(
        CollectionCase, case_id, event, actor=actor, reason=clean_reason(reason), expected_version=version
    ) as case:
        pass
    return case


def _closed(actor: Actor, case_id: int, event: str, outcome: str, reason: str, version: int | None) -> CollectionCase:
    with transition(
        CollectionCase, case_id, event, actor=actor, reason=clean_reason(reason), expected_version=version
    ) as case:
        _require_outcome(case, outcome)
        case.outcome = outcome
    return case


def _require_outcome(case: CollectionCase, outcome: str) -> None:
    """The loan must show what the outcome says. Raises Unmet."""
    loan = case.loan
    restructured = loan.restructured_date is not None and loan.restructured_date >= case.opened_on
    facts = {
        Outcome.PAID: (not arrears_today(loan), _("Instalments of this loan are still past due.")),
        Outcome.RESTRUCTURED: (restructured, _("The loan was not restructured since collection began.")),
        Outcome.WRITTEN_OFF: (loan.state == "written_off", _("The loan is not written off.")),
    }
    holds, message = facts[Outcome(outcome)]
    if not holds:
        raise Unmet(message, loan=loan.number, loan_state=loan.state)


def arrears_today(loan: Loan) -> bool:
    """Whether anything that fell due before today is unpaid; the loan's own days are yesterday evening's."""
    return any(
        row.principal_paid < row.principal or row.interest_paid < row.interest
        for row in loan.instalments.filter(due_date__lt=business_date())
    )


def _note(note: str) -> str:
    note = note.strip()
    if not note:
        raise InvalidInput(fields={"note": [_("This field is required.")]})
    return note[:4000]
