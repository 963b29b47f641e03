"""One loan, night by night: what accrues, when it is past due, how it is classed, who is warned."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest

from branch.models import BusinessDay, Event, Seal
from loans.models import Accrual, Loan
from postloan.models import CollectionCase, Inspection, LoanDay, Signal, WarningCase
from tests.postloan.making import close_day, close_until, fresh, make_loan, open_on, pay_in_full

START = date(2026, 3, 2)


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    """120,000.00 at 4.5 % over 12 months from 2026-03-02, ACT/360; the first instalment is due on 2026-04-02."""
    return make_loan(cast, 1)


def test_the_first_night(loan: Loan) -> None:
    run = close_day()

    assert run.state == "done"
    # 120,000 × 4.5 % ÷ 360 = 15.00
    accrual = Accrual.objects.get(loan=loan)
    assert (accrual.date, accrual.interest, accrual.penalty) == (START, Decimal("15.00"), Decimal(0))
    day = LoanDay.objects.get(loan=loan)
    assert (day.days_past_due, day.asset_class, day.class_rule, day.provision) == (0, "normal", "none", Decimal("1200"))
    assert BusinessDay.objects.get(state="open").date == date(2026, 3, 3)
    assert Seal.objects.get().business_date == START
    inspection = Inspection.objects.get()
    assert (inspection.sequence, inspection.due_date, inspection.state) == (1, date(2026, 3, 17), "due")
    assert not Signal.objects.exists()


def test_the_days_of_a_period_sum_to_its_interest(loan: Loan) -> None:
    first = loan.instalments.get(number=1)

    close_until(first.due_date)

    accruals = Accrual.objects.filter(loan=loan)
    assert accruals.count() == 31
    # 31 days × 15.00: what the schedule asks for.
    assert sum(a.interest for a in accruals) == first.interest == Decimal("465.00")


def test_past_due_from_the_day_after_the_due_date(loan: Loan) -> None:
    open_on(date(2026, 4, 2))

    close_until(date(2026, 4, 4))

    loan = fresh(loan)
    history = dict(LoanDay.objects.filter(loan=loan).values_list("date", "days_past_due"))
    assert history[date(2026, 4, 2)] == 0
    assert history[date(2026, 4, 3)] == loan.days_past_due == 1
    assert (loan.asset_class, loan.class_rule) == ("special_mention", "days_past_due")
    unpaid = loan.instalments.get(number=1)
    day = LoanDay.objects.get(loan=loan, date=date(2026, 4, 3))
    assert day.overdue_amount == unpaid.principal + unpaid.interest
    # Penalty from the due date on: two days at 6.75 % on what was not paid.
    expected = ((unpaid.principal + unpaid.interest) * Decimal("0.0675") * 2 / 360).quantize(Decimal("0.01"))
    assert loan.penalty_due == expected == sum(a.penalty for a in Accrual.objects.filter(loan=loan))


def test_a_warning_is_raised_worsens_and_clears(loan: Loan) -> None:
    open_on(date(2026, 4, 3))
    close_day()
    signal = Signal.objects.get()
    case = WarningCase.objects.get()
    assert (signal.indicator, signal.level, signal.state, signal.case_id) == ("overdue", "yellow", "in_case", case.pk)
    assert (signal.value, signal.threshold, signal.threshold_version) == (Decimal(1), Decimal(1), "overdue v0")
    assert signal.evidence["inputs"]["days_past_due"] == "1"
    assert (case.state, case.level, case.customer_id, case.number) == (
        "open",
        "yellow",
        loan.customer_id,
        "EW-2026-000001",
    )

    open_on(date(2026, 4, 10))
    close_day()
    signal = fresh(signal)
    case = fresh(case)
    assert (signal.level, signal.value, case.level) == ("orange", Decimal(8), "orange")
    assert signal.seen_on == date(2026, 4, 10)
    assert Signal.objects.count() == WarningCase.objects.count() == 1

    pay_in_full(loan, date(2026, 4, 30))
    close_day()
    signal = fresh(signal)
    case = fresh(case)
    assert (signal.state, signal.cleared_on, case.state) == ("in_case", date(2026, 4, 11), "open")
    loan = fresh(loan)
    assert (loan.days_past_due, loan.asset_class, loan.class_rule) == (0, "normal", "none")
    told = Event.objects.filter(subject_type="warningcase", subject_id=str(case.pk)).order_by("id")
    assert list(told.values_list("name", flat=True)) == ["warning_case.create", "warning_case.worsen"]


def test_collection_opens_after_thirty_days_and_ends_when_paid(loan: Loan) -> None:
    open_on(date(2026, 5, 1))
    close_day()
    assert not CollectionCase.objects.exists()

    close_day()
    collection = CollectionCase.objects.get()
    assert (collection.loan_id, collection.opened_on, collection.state) == (loan.pk, date(2026, 5, 2), "open")

    pay_in_full(loan, date(2026, 5, 31))
    close_day()
    collection = fresh(collection)
    assert (collection.state, collection.outcome) == ("closed", "paid")


def test_non_performing_stays_so_until_it_has_proven_itself(loan: Loan) -> None:
    """Ninety-one days past due is substandard; paid up, the proving time begins."""
    Loan.objects.filter(pk=loan.pk).update(asset_class="doubtful")

    close_day()

    loan = fresh(loan)
    assert (loan.days_past_due, loan.asset_class, loan.class_rule) == (0, "substandard", "proving")
    assert LoanDay.objects.get(loan=loan).provision == Decimal("30000.00")
