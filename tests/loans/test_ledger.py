"""The books: what each event posts, entries that balance or are refused, reversal, balances of a day."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from branch.domain.refusals import KeyReused
from branch.models import Event
from loans.domain.ledger import Kind, LedgerError, MoneyEvent
from loans.models import AccountBalance, JournalEntry, JournalLine, LedgerDay, Loan
from loans.queries.ledger import trial_balance
from loans.queries.loans import payoff_figure
from loans.services import ledger, repayments
from loans.services.ledger_days import close_ledger_day, gl_file_of
from tests.cast import OPENING
from tests.loans.given import AMOUNT, move_to, paid_out_loan


def lines(entry: JournalEntry) -> dict[str, Decimal]:
    """Account → debit less credit."""
    return {row.account: row.debit - row.credit for row in entry.lines.all()}


def told(entry: JournalEntry) -> str:
    assert entry.event_id is not None
    return Event.objects.get(pk=entry.event_id).name


def repay(cast: SimpleNamespace, loan: Loan, amount: str, reference: str, **how: Any) -> JournalEntry:
    booked = repayments.book_repayment(
        actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal(amount), reference=reference, **how
    )
    return JournalEntry.objects.get(reference=f"repayment:{booked.pk}")


def test_paying_out(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)

    entry = JournalEntry.objects.get(loan=loan)
    assert (entry.event, entry.business_date, entry.total, entry.rules) == (
        "disbursement", OPENING, Decimal("300000.00"), "shipped",
    )  # fmt: skip
    assert lines(entry) == {"130302": Decimal("300000.00"), "300101": Decimal("-300000.00")}
    assert told(entry) == "loan.create"


@pytest.mark.parametrize(("family", "account"), [("revolving", "130301"), ("supply_chain", "130305")])
def test_principal_goes_to_the_account_of_the_family(cast: SimpleNamespace, family: str, account: str) -> None:
    loan = paid_out_loan(cast, family=family)

    assert account in lines(JournalEntry.objects.get(loan=loan))
    assert set(JournalLine.objects.values_list("family", flat=True)) == {family}


def test_a_repayment_by_kind(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    first = loan.instalments.get(number=1)
    move_to(first.due_date)

    entry = repay(cast, loan, str(first.principal + first.interest + 500), "R1")

    assert lines(entry) == {
        "113201": -first.interest,
        "130302": -first.principal,
        "224101": Decimal("-500.00"),
        "300101": first.principal + first.interest + 500,
    }
    assert told(entry) == "loan.book_repayment"


def test_held_money_used_by_a_repayment_shows_what_came_in(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    first = loan.instalments.get(number=1)
    held = repay(cast, loan, "500.00", "EARLY")
    move_to(first.due_date)

    entry = repay(cast, loan, str(first.principal + first.interest - 500), "REST")

    assert lines(held) == {"224101": Decimal("-500.00"), "300101": Decimal("500.00")}
    assert lines(entry) == {
        "113201": -first.interest,
        "130302": -first.principal,
        "224101": Decimal("500.00"),
        "300101": first.principal + first.interest - 500,
    }


def test_held_money_put_to_what_is_due(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    first = loan.instalments.get(number=1)
    repay(cast, loan, str(first.principal + first.interest), "EARLY")
    move_to(first.due_date)

    repayments.use_held_money(loan_id=loan.pk, on_date=first.due_date)

    entry = JournalEntry.objects.get(event="held_money_used")
    assert lines(entry) == {
        "113201": -first.interest,
        "130302": -first.principal,
        "224101": first.principal + first.interest,
    }


def test_a_refused_repayment_posts_nothing(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    repay(cast, loan, "500.00", "ONCE")
    before = JournalLine.objects.count()

    with pytest.raises(KeyReused):
        repay(cast, loan, "600.00", "ONCE")
    repay(cast, loan, "500.00", "ONCE")  # the same again is the same repayment

    assert JournalLine.objects.count() == before


def test_every_entry_of_a_loan_that_is_paid_off_comes_to_nothing_owed(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    repay(cast, loan, str(payoff_figure(loan, OPENING)), "OFF", pay_off=True)

    rows = JournalLine.objects.filter(entry__loan=loan, account="130302")
    assert sum(row.debit - row.credit for row in rows) == 0


# --- what the database refuses


def raw_entry(cast: SimpleNamespace, total: str = "10.00", **facts: Any) -> JournalEntry:
    return JournalEntry.objects.create(
        business_date=OPENING,
        value_date=OPENING,
        event=facts.pop("event", "fee_charged"),
        office=cast.offices.HW,
        total=Decimal(total),
        rules="shipped",
        **facts,
    )


def raw_lines(entry: JournalEntry, *rows: tuple[str, str, str], **facts: Any) -> None:
    JournalLine.objects.bulk_create(
        JournalLine(
            entry=entry,
            **{"date": entry.business_date, "office_id": entry.office_id, "family": "term", **facts},
            account=account,
            debit=Decimal(debit),
            credit=Decimal(credit),
        )
        for account, debit, credit in rows
    )


PAIR = (("113203", "10.00", "0"), ("602101", "0", "10.00"))


@pytest.mark.parametrize(
    ("rows", "facts"),
    [
        ((("113203", "10.00", "0"), ("602101", "0", "9.99")), {}),
        ((("113203", "10.00", "0"),), {}),
        ((("113203", "9.00", "0"), ("602101", "0", "9.00")), {}),
        ((("113203", "10.00", "10.00"),), {}),
        ((("113203", "-10.00", "0"), ("602101", "0", "-10.00")), {}),
        (PAIR, {"date": date(2026, 3, 3)}),
    ],
    ids=["unequal", "one side", "another total", "both sides", "negative", "another day"],
)
def test_an_entry_that_does_not_balance_is_refused(
    cast: SimpleNamespace, rows: tuple[tuple[str, str, str], ...], facts: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_lines(raw_entry(cast), *rows, **facts)
    assert not JournalLine.objects.exists()


def test_lines_of_another_office_are_refused(cast: SimpleNamespace) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        raw_lines(raw_entry(cast), *PAIR, office_id=cast.offices.JB.pk)


def test_lines_can_not_be_added_to_an_entry_later(cast: SimpleNamespace) -> None:
    entry = raw_entry(cast)
    raw_lines(entry, *PAIR)

    with pytest.raises(IntegrityError), transaction.atomic():
        raw_lines(entry, *PAIR)


def test_an_entry_without_lines_does_not_commit(cast: SimpleNamespace) -> None:
    entry = raw_entry(cast)

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    raw_lines(entry, *PAIR)  # what the test leaves behind is whole


# --- correction


def test_a_reversal_turns_the_entry_round_and_names_it(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    entry = repay(cast, loan, "500.00", "WRONG")

    reversal = ledger.reverse(entry, value_date=OPENING)

    assert lines(reversal) == {account: -amount for account, amount in lines(entry).items()}
    assert (reversal.reverses, entry.reversed_by, reversal.event) == (entry, reversal, "reversal")


def test_an_entry_is_reversed_once(cast: SimpleNamespace) -> None:
    entry = repay(cast, paid_out_loan(cast), "500.00", "WRONG")
    ledger.reverse(entry, value_date=OPENING)

    with pytest.raises(IntegrityError), transaction.atomic():
        ledger.reverse(entry, value_date=OPENING)


def test_a_reversal_that_takes_back_something_else_is_refused(cast: SimpleNamespace) -> None:
    entry = raw_entry(cast)
    raw_lines(entry, *PAIR)

    with pytest.raises(IntegrityError), transaction.atomic():
        raw_lines(raw_entry(cast, event="reversal", reverses=entry), *PAIR)


def test_only_a_reversal_names_an_entry(cast: SimpleNamespace) -> None:
    entry = raw_entry(cast)
    raw_lines(entry, *PAIR)

    for facts in ({"event": "waiver", "reverses": entry}, {"event": "reversal"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            raw_entry(cast, **facts)


# --- posting


def test_nothing_to_post_is_no_entry(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)

    assert ledger.post(MoneyEvent.ACCRUAL, loan, {Kind.INTEREST: Decimal(0)}, value_date=OPENING) is None
    assert JournalEntry.objects.count() == 1


def test_a_negative_amount_is_posted_the_other_way_round(cast: SimpleNamespace) -> None:
    entry = ledger.post(MoneyEvent.ACCRUAL, paid_out_loan(cast), {Kind.INTEREST: Decimal("-1.50")}, value_date=OPENING)

    assert entry is not None
    assert lines(entry) == {"113201": Decimal("-1.50"), "601101": Decimal("1.50")}


def test_an_event_without_a_rule_is_refused(cast: SimpleNamespace) -> None:
    with pytest.raises(LedgerError) as refused:
        ledger.post(MoneyEvent.ACCRUAL, paid_out_loan(cast), {Kind.PRINCIPAL: Decimal(1)}, value_date=OPENING)
    assert refused.value.code == "no_rule"


# --- the end of a day


def test_balances_of_a_day_are_those_before_and_what_moved(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    close_ledger_day(OPENING)
    move_to(date(2026, 3, 3))
    repay(cast, loan, "500.00", "R1")

    for stored in (False, True):
        if stored:
            close_ledger_day(date(2026, 3, 3))
        found = trial_balance(cast.offices.CD, date(2026, 3, 3))
        assert (found.is_closed, found.is_tied) == (stored, True)
        rows: dict[str, tuple[Any, ...]] = {
            row.account.code: (row.opening, row.debit, row.credit, row.closing) for row in found.rows
        }
        assert rows == {
            "130302": (300000, 0, 0, 300000),
            "224101": (0, 0, 500, -500),
            "300101": (-300000, 500, 0, -299500),
        }
    assert trial_balance(cast.offices.JB, date(2026, 3, 3)).rows == []


def test_a_day_is_closed_once(cast: SimpleNamespace) -> None:
    paid_out_loan(cast)

    first, again = close_ledger_day(OPENING), close_ledger_day(OPENING)

    assert first == again
    assert (first.entries, first.lines, first.debit, first.credit) == (1, 2, AMOUNT, AMOUNT)
    assert AccountBalance.objects.count() == 2
    assert LedgerDay.objects.count() == 1


def test_the_file_for_the_general_ledger(cast: SimpleNamespace) -> None:
    paid_out_loan(cast, serial=1)
    paid_out_loan(cast, serial=2, amount=Decimal("1000.00"))

    file = gl_file_of(OPENING)

    head, *rows, last = file.content.decode().splitlines()
    assert head == "H,2026-03-02,CNY"
    assert rows == ["D,HW,130302,short_term,301000.00,0.00", "D,HW,300101,short_term,0.00,301000.00"]
    assert last == f"T,2,301000.00,301000.00,{file.digest}"
    assert gl_file_of(OPENING) == file
    assert close_ledger_day(OPENING).digest == file.digest
