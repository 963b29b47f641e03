"""Posting money events to the books, in the transaction of the event itself.

    post(MoneyEvent.REPAYMENT, loan, {Kind.PRINCIPAL: …, Kind.INTEREST: …}, value_date=day, reference=f"repayment:{pk}")

is all a use case does: the rules in force name the accounts. Call it after the event is recorded, so that the entry
leads to it. Sweeps post a part of the portfolio at once with `post_totals`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from branch.models import Event
from branch.queries.business_date import business_date
from loans.domain.ledger import Kind, Line, MoneyEvent, lines_of, require_balanced, turned_round
from loans.models import JournalEntry, JournalLine, Loan
from loans.queries.ledger import rules_in_force

Amounts = Mapping[Kind, Decimal]


def post(
    event: MoneyEvent,
    loan: Loan,
    amounts: Amounts,
    *,
    value_date: date,
    reference: str | None = None,
) -> JournalEntry | None:
    """The entry of one loan's event on the business date; None where all amounts are zero.

    `amounts` in yuan by kind; a negative one is posted the other way round. `reference` is posted
    once. Raises LedgerError without a rule, IntegrityError for a reference used before.
    """
    today = business_date()
    rules = rules_in_force(today)
    lines = lines_of(event, loan.product_family, amounts, rules)
    if not lines:
        return None
    entry = JournalEntry(
        business_date=today,
        value_date=value_date,
        event=event,
        office_id=loan.office_id,
        loan=loan,
        customer_id=loan.customer_id,
        rules=rules.version,
        reference=reference,
        event_id=_event_of(loan, today),
    )
    _write([(entry, [(loan.product_family, line) for line in lines])])
    return entry


def post_totals(
    event: MoneyEvent, totals: Mapping[tuple[int, str], Amounts], *, day: date, source: str
) -> list[JournalEntry]:
    """What a sweep did to a part of the portfolio: totals by (office id, family), an entry for each office."""
    rules = rules_in_force(day)
    offices: dict[int, list[tuple[str, Line]]] = {}
    for (office_id, family), amounts in sorted(totals.items()):
        lines = lines_of(event, family, amounts, rules)
        offices.setdefault(office_id, []).extend((family, line) for line in lines)
    written = [
        (
            JournalEntry(
                business_date=day,
                value_date=day,
                event=event,
                office_id=office_id,
                rules=rules.version,
                source=source,
            ),
            lines,
        )
        for office_id, lines in offices.items()
        if lines
    ]
    _write(written)
    return [entry for entry, _lines in written]


def reverse(entry: JournalEntry, *, value_date: date, reference: str | None = None) -> JournalEntry:
    """Take an entry back with one that turns it round and names it. Raises IntegrityError when that was done before.

    Call it after the event that tells of the reversal is recorded.
    """
    today = business_date()
    reversal = JournalEntry(
        business_date=today,
        value_date=value_date,
        event=MoneyEvent.REVERSAL,
        office_id=entry.office_id,
        loan_id=entry.loan_id,
        customer_id=entry.customer_id,
        rules=entry.rules,
        reference=reference,
        source=entry.source,
        event_id=_event_of(entry.loan, today) if entry.loan else None,
        reverses=entry,
    )
    rows = JournalLine.objects.filter(entry=entry, date=entry.business_date).order_by("pk")
    lines = [(row.family, Line(row.account, debit=row.debit, credit=row.credit)) for row in rows]
    _write([(reversal, [(family, turned_round([line])[0]) for family, line in lines])])
    return reversal


def _write(written: Iterable[tuple[JournalEntry, list[tuple[str, Line]]]]) -> None:
    """Entries, then all their lines in one statement: the database looks at each entry as a whole."""
    pairs = list(written)
    for entry, lines in pairs:
        entry.total = require_balanced(line for _family, line in lines)
    JournalEntry.objects.bulk_create([entry for entry, _lines in pairs])
    JournalLine.objects.bulk_create(
        JournalLine(
            entry=entry,
            date=entry.business_date,
            office_id=entry.office_id,
            family=family,
            account=line.account,
            debit=line.debit,
            credit=line.credit,
        )
        for entry, lines in pairs
        for family, line in lines
    )


def _event_of(loan: Loan, today: date) -> int | None:
    """The last event about the loan today: under its lock, the one of this transaction."""
    rows = Event.objects.filter(subject_type="loan", subject_id=str(loan.pk), business_date=today)
    return rows.order_by("-pk").values_list("pk", flat=True).first()
