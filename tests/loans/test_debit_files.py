"""Due-day debits by file: made once a day, taken once, booked row by row, tried again the next day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from branch.domain.refusals import PermissionRefused
from branch.models import Event, PaymentInstruction
from branch.rail import PaymentAnswer
from loans.models import DebitFile, DebitRow, Loan, Repayment
from loans.queries.loans import due_today
from loans.services import debit_files, repayments
from loans.services.balances import disagreements
from loans.tasks import make_debit_file as make_by_task
from tests.loans.bank import Bank
from tests.loans.given import everything, move_to, paid_out_loan

FIRST_DUE = date(2026, 4, 2)


@pytest.fixture
def loans(cast: SimpleNamespace) -> list[Loan]:
    """Three loans whose first instalment is due today."""
    made = [paid_out_loan(cast, serial=serial) for serial in (1, 2, 3)]
    move_to(FIRST_DUE)
    return made


def fresh(loan: Loan) -> Loan:
    return Loan.objects.get(pk=loan.pk)


def outcomes(file: DebitFile) -> dict[int, str]:
    return dict(DebitRow.objects.filter(file=file).values_list("loan_id", "outcome"))


def test_a_day_goes_out_in_one_file_and_its_result_is_booked(
    cast: SimpleNamespace, loans: list[Loan], bank: Bank
) -> None:
    full, short, empty = loans
    due = due_today(full)
    bank.fund(full.customer.repayment_account, "90000.00")
    bank.fund(short.customer.repayment_account, "1000.00")

    file = debit_files.make_debit_file(actor=cast.actor("he"))
    again = debit_files.make_debit_file(actor=cast.actor("he"))
    assert (again.pk, file.count, file.amount) == (file.pk, 3, due * 3)
    for _time in range(3):
        debit_files.debit_round()

    assert outcomes(file) == {full.pk: "booked", short.pk: "in_part", empty.pk: "failed"}
    assert bank.balance(full.customer.repayment_account) == Decimal("90000.00") - due
    assert sorted(r.amount for r in Repayment.objects.all()) == [Decimal("1000.00"), due]
    assert due_today(fresh(full)) == 0
    assert DebitFile.objects.get().state == "booked"
    assert Event.objects.get(name="debit_file.book").after == {"rows": {"booked": 1, "in_part": 1, "failed": 1}}
    assert list(disagreements()) == []


def test_what_stays_due_stands_in_the_next_days_file(cast: SimpleNamespace, loans: list[Loan], bank: Bank) -> None:
    short = loans[1]
    bank.fund(short.customer.repayment_account, "1000.00")
    debit_files.make_debit_file(actor=cast.actor("he"))
    debit_files.debit_round()
    left = due_today(fresh(short))

    move_to(FIRST_DUE + timedelta(days=1))
    bank.fund(short.customer.repayment_account, "50000.00")
    second = debit_files.make_debit_file(actor=cast.actor("he"))
    debit_files.debit_round()

    row = DebitRow.objects.get(file=second, loan=short)
    # What was left, and a day of 6.75 % on it.
    assert row.instruction.amount == left + (left * Decimal("0.0675") / 360).quantize(Decimal("0.01"))
    assert row.outcome == "booked"
    assert due_today(fresh(short)) == 0
    assert list(disagreements()) == []


def test_a_file_the_bank_did_not_answer_is_sent_again_and_taken_once(
    cast: SimpleNamespace, loans: list[Loan], bank: Bank
) -> None:
    for loan in loans:
        bank.fund(loan.customer.repayment_account, "90000.00")
    due = due_today(loans[0])
    file = debit_files.make_debit_file(actor=cast.actor("he"))
    bank.misbehave("drop_after_booking", times=1, match={"kind": "collection_file"})
    debit_files.send_debit_file(file_id=file.pk)
    for _time in range(3):
        debit_files.debit_round()
    for loan in loans:
        assert bank.balance(loan.customer.repayment_account) == Decimal("90000.00") - due
    assert Repayment.objects.count() == 3


def test_bad_rows_are_set_aside_and_the_others_booked(cast: SimpleNamespace, loans: list[Loan]) -> None:
    file = debit_files.make_debit_file(actor=cast.actor("he"))
    debit_files.note_file_sent(file_id=file.pk)
    rows = {row.loan_id: row.instruction for row in file.rows.select_related("instruction")}
    good, greedy, missing = (rows[loan.pk] for loan in loans)
    answers = [
        PaymentAnswer("succeeded", collected_amount=good.amount, reference=good.reference, amount=good.amount),
        PaymentAnswer("succeeded", collected_amount=greedy.amount + 1, reference=greedy.reference),
        PaymentAnswer("succeeded", collected_amount=Decimal(5), reference="of-nobody"),
    ]

    assert debit_files.book_result(file_id=file.pk, answers=answers)

    assert outcomes(file) == {loans[0].pk: "booked", loans[1].pk: "set_aside", loans[2].pk: "set_aside"}
    assert Repayment.objects.get().reference == good.reference
    assert all(row.reason for row in DebitRow.objects.filter(outcome="set_aside"))
    assert PaymentInstruction.objects.get(pk=missing.pk).state == "sent"
    before = everything()
    debit_files.book_result(file_id=file.pk, answers=answers)
    assert everything() == before


def test_a_loan_paid_at_the_desk_meanwhile_holds_what_the_debit_brings(
    cast: SimpleNamespace, loans: list[Loan]
) -> None:
    file = debit_files.make_debit_file(actor=cast.actor("he"))
    debit_files.note_file_sent(file_id=file.pk)
    loan, due = loans[0], due_today(loans[0])
    repayments.book_repayment(actor=cast.actor("he"), loan_id=loan.pk, amount=due, reference="DESK")
    order = file.rows.get(loan=loan).instruction

    debit_files.book_result(
        file_id=file.pk, answers=[PaymentAnswer("succeeded", collected_amount=due, reference=order.reference)]
    )

    assert fresh(loan).suspense_amount == due
    assert list(disagreements()) == []


def test_only_an_accountant_makes_one(cast: SimpleNamespace, loans: list[Loan]) -> None:
    before = everything()
    for who in ("lin", "zhou", "feng"):
        with pytest.raises(PermissionRefused):
            debit_files.make_debit_file(actor=cast.actor(who))
    assert everything() == before
    assert not DebitFile.objects.exists()


@pytest.mark.parametrize(("hour", "is_made"), [(8, False), (9, True), (23, True)])
def test_the_days_file_is_made_by_itself_once(
    cast: SimpleNamespace, loans: list[Loan], monkeypatch: pytest.MonkeyPatch, hour: int, is_made: bool
) -> None:
    monkeypatch.setattr("django.utils.timezone.localtime", lambda: datetime(2026, 4, 2, hour, tzinfo=UTC))
    found = make_by_task()
    assert [file.pk for file in DebitFile.objects.all()] == ([found] if is_made else [])
    if is_made:
        assert DebitFile.objects.get().count == 3
        assert Event.objects.get(name="debit_file.make").actor_id is None
    assert make_by_task() is None
    # Who makes it by hand gets the same one.
    assert debit_files.make_debit_file(actor=cast.actor("he")).pk == (found or DebitFile.objects.get().pk)


def test_a_day_on_which_nothing_is_due_has_no_file(cast: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    paid_out_loan(cast)
    monkeypatch.setattr("django.utils.timezone.localtime", lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))
    assert make_by_task() is None
    assert not DebitFile.objects.exists()
