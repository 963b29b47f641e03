"""`check_balances` agrees with nights and repayments, and finds each disagreement planted on the books."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from loans.domain.ledger import MoneyEvent
from loans.models import JournalEntry, Loan
from loans.services import ledger, repayments
from loans.services.balances import CHECKS, disagreements
from tests.loans.given import paid_out_loan
from tests.postloan.making import close_day, close_until

LAST_NIGHT = date(2026, 3, 11)


@pytest.fixture
def books(cast: SimpleNamespace) -> Loan:
    """Two weekly loans over ten nights: one three days late, then paid with penalty and something held; a reversal."""
    late = paid_out_loan(cast, serial=1, frequency_unit="week", instalments=4)
    paid_out_loan(cast, serial=2, frequency_unit="week", instalments=4, family="supply_chain")
    close_until(LAST_NIGHT)
    repayments.book_repayment(actor=cast.actor("he"), loan_id=late.pk, amount=Decimal("76000.00"), reference="LATE")
    accrual = JournalEntry.objects.filter(event=MoneyEvent.ACCRUAL, office=cast.offices.HW).first()
    assert accrual is not None
    again = ledger.reverse(ledger.reverse(accrual, value_date=LAST_NIGHT), value_date=LAST_NIGHT)
    assert again.total == accrual.total
    close_day()
    return late


#: What is found → what somebody with the database in hand did.
PLANTED = {
    "debits of an entry": "UPDATE loans_journalline SET debit = debit + 1 WHERE id = "
    "(SELECT min(id) FROM loans_journalline WHERE debit > 0)",
    "credits of an entry": "UPDATE loans_journalline SET credit = credit + 1 WHERE id = "
    "(SELECT max(id) FROM loans_journalline WHERE credit > 0)",
    "posting of no entry": "UPDATE loans_journalline SET date = date + 60 WHERE id = "
    "(SELECT min(id) FROM loans_journalline)",
    "reversal": "UPDATE loans_journalline SET account = '601102' WHERE account = '601101' AND entry_id = "
    "(SELECT max(id) FROM loans_journalentry WHERE event = 'reversal')",
    "principal on the books": "UPDATE loans_loanentry SET amount = amount + 1 WHERE kind = 'principal'",
    "interest on the books": "UPDATE loans_loanentry SET amount = amount + 1 WHERE kind = 'interest'",
    "penalty on the books": "UPDATE loans_loanentry SET amount = amount + 1 WHERE kind = 'penalty'",
    "suspense on the books": "UPDATE loans_loanentry SET amount = amount + 1 WHERE kind = 'suspense'",
    "fee on the books": "INSERT INTO loans_loanentry (loan_id, customer_id, kind, amount, value_date) "
    "SELECT id, customer_id, 'fee_charged', 1, start_date FROM loans_loan WHERE id = (SELECT min(id) FROM loans_loan)",
    "replay": "UPDATE loans_instalment SET bearing_principal = bearing_principal + 1 WHERE id = "
    "(SELECT min(id) FROM loans_instalment)",
    "interest accrued on the books": "UPDATE loans_accrual SET interest = interest + 1 WHERE id = "
    "(SELECT min(id) FROM loans_accrual WHERE loan_id = (SELECT min(id) FROM loans_loan))",
    "penalty accrued on the books": "UPDATE loans_accrual SET penalty = penalty + 1 WHERE id = "
    "(SELECT min(id) FROM loans_accrual WHERE loan_id = (SELECT min(id) FROM loans_loan))",
    "interest accrued for an instalment": "UPDATE loans_accrual SET interest = interest - 0.01 WHERE id = "
    "(SELECT min(id) FROM loans_accrual WHERE loan_id = (SELECT min(id) FROM loans_loan))",
    "opening balance": "UPDATE loans_accountbalance SET opening = opening + 1, closing = closing + 1 WHERE id = "
    "(SELECT max(id) FROM loans_accountbalance)",
    "debit of a day": "UPDATE loans_accountbalance SET debit = debit + 1, closing = closing + 1 WHERE id = "
    "(SELECT max(id) FROM loans_accountbalance)",
    "credit of a day": "UPDATE loans_accountbalance SET credit = credit + 1, closing = closing - 1 WHERE id = "
    "(SELECT max(id) FROM loans_accountbalance)",
    "balance that is missing": "DELETE FROM loans_accountbalance WHERE account = '130302' AND date = '2026-03-05'",
    "file for the general ledger": "UPDATE loans_journalline SET account = '601102' WHERE account = '601101' "
    "AND date = '2026-03-04'",
    "provisions on the books": "UPDATE postloan_loanday SET provision = provision + 1 WHERE date = '2026-03-11' "
    "AND loan_id = (SELECT min(id) FROM loans_loan)",
}


def found() -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for row in disagreements():
        assert row.stored != row.expected or row.what == "file for the general ledger"
        rows.setdefault(row.what, []).append(row.where)
    return rows


def test_the_books_agree_and_every_planted_disagreement_is_found(books: Loan) -> None:
    assert found() == {}
    assert set(PLANTED) == {what for what, check in CHECKS.items() if callable(check)}
    with connection.cursor() as cursor:
        for what, planted in PLANTED.items():
            with transaction.atomic():
                cursor.execute(planted)
                assert cursor.rowcount, what
                assert what in found(), what
                transaction.set_rollback(True)
    assert found() == {}


def test_the_loan_the_office_and_the_day_are_named(books: Loan) -> None:
    def told(what: str) -> list[str]:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(PLANTED[what])
            rows = found()[what]
            transaction.set_rollback(True)
        return rows

    assert told("penalty on the books") == [books.number]
    assert told("interest accrued for an instalment") == [f"{books.number}/1"]
    assert told("interest accrued on the books") == ["HW/short_term"]
    assert told("provisions on the books") == ["HW/short_term"]
    assert told("balance that is missing") == ["HW/130302/short_term 2026-03-05"]
    assert told("file for the general ledger") == ["2026-03-04"]
    assert told("debits of an entry")[0].startswith("J-")
