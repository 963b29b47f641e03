"""Closing a day: who may, once, which day; what a run writes; rows that are set aside."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from branch.domain.actor import system_actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet
from branch.models import BusinessDay, Event, ParameterValue
from branch.queries.business_date import business_date
from branch.services.business_day import advance_day, open_first_day
from loans.models import Accrual, Application, Facility, Loan
from loans.services.repayments import book_repayment
from postloan.domain.steps import ONCE, STEPS
from postloan.models import CollectionCase, IndicatorReading, LoanDay, Signal, SweepRun, SweepShard, WarningCase
from postloan.services.claims import due_shards
from postloan.services.close import close_business_day
from postloan.services.sweep import run_shard, run_sweep_inline
from postloan.tasks import nightly_close
from tests.cast import OPENING
from tests.postloan.making import close_day, fresh, make_loan, open_on, use_power


@pytest.mark.parametrize("who", ["lin", "wu", "he", "feng", "qian", "outsider"])
def test_only_managers_and_administrators_close(cast: SimpleNamespace, who: str) -> None:
    with pytest.raises(PermissionRefused):
        close_business_day(actor=cast.actor(who), date=OPENING)

    assert BusinessDay.objects.get().state == "open"
    assert not SweepRun.objects.exists()
    assert not Event.objects.exists()


def test_asking_again_answers_the_same_run(cast: SimpleNamespace) -> None:
    first = close_business_day(actor=cast.actor("zhou"), date=OPENING)
    again = close_business_day(actor=cast.actor("zhou"), date=OPENING)

    assert first == again
    assert SweepShard.objects.count() == len(STEPS)
    assert (first.started_by_name, BusinessDay.objects.get().state) == ("zhou", "closing")

    run_sweep_inline(first.pk)
    after = close_business_day(actor=cast.actor("zhou"), date=OPENING)
    assert (after, after.state, SweepRun.objects.count()) == (first, "done", 1)


@pytest.mark.parametrize("day", [date(2026, 3, 1), date(2026, 3, 3)])
def test_another_day_is_refused_and_told_which(cast: SimpleNamespace, day: date) -> None:
    with pytest.raises(InvalidInput) as refused:
        close_business_day(actor=cast.actor("zhou"), date=day)

    assert "2026-03-02" in refused.value.fields["date"][0]
    assert BusinessDay.objects.get().state == "open"


def test_no_money_is_booked_while_a_day_closes(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1)
    close_business_day(actor=cast.actor("zhou"), date=OPENING)

    with pytest.raises(Unmet):
        book_repayment(actor=cast.actor("he"), loan_id=loan.pk, amount=Decimal(100), reference="A1")

    assert fresh(loan).suspense_amount == 0


def test_the_first_day_is_opened_once(db: None) -> None:
    first = open_first_day(actor=system_actor(), date=OPENING)

    assert open_first_day(actor=system_actor(), date=OPENING) == first
    with pytest.raises(Unmet):
        open_first_day(actor=system_actor(), date=date(2026, 3, 9))
    assert BusinessDay.objects.get().date == OPENING


def test_an_open_day_does_not_advance(cast: SimpleNamespace) -> None:
    with pytest.raises(Unmet):
        advance_day(actor=system_actor(), date=OPENING)

    assert business_date() == OPENING


def test_a_run_is_on_the_record(cast: SimpleNamespace) -> None:
    loans = [make_loan(cast, serial) for serial in (1, 2)]
    ParameterValue.objects.create(code="sweep.shards", value=3, effective_date=OPENING)

    run = close_day()

    shards = SweepShard.objects.filter(run=run)
    assert shards.count() == 3 * (len(STEPS) - len(ONCE)) + len(ONCE)
    assert all(row.state == "done" and len(row.digest) == 64 and row.attempts == 1 for row in shards)
    assert sum(row.row_count or 0 for row in shards.filter(step="accrue")) == len(loans)
    events = Event.objects.filter(subject_type="sweeprun", subject_id=str(run.pk))
    assert events.count() == shards.count() + 1
    told = {(event.name, event.after["part"]): event.after for event in events if "part" in event.after}
    for row in shards:
        after = told[f"sweep_run.{row.step}", row.shard]
        assert (after["rows"], after["digest"]) == (row.row_count, row.digest)


def test_the_day_ends_before_the_next_begins(cast: SimpleNamespace) -> None:
    close_day()

    names = list(Event.objects.order_by("id").values_list("name", "business_date"))
    closed = names.index(("business_day.close", OPENING))
    assert all(day == OPENING for _name, day in names[: closed + 1])
    assert all(day == date(2026, 3, 3) for _name, day in names[closed + 1 :])
    assert [name for name, _day in names[closed + 1 :]] == ["sweep_run.advance", "sweep_run.seal"]


def test_the_digest_is_that_of_the_rows(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    run = close_day()
    accrual = Accrual.objects.get()

    line = f"{accrual.loan_id}|{accrual.date}|{accrual.interest}|{accrual.penalty}"
    digest = SweepShard.objects.get(run=run, step="accrue").digest
    assert digest == hashlib.sha256(line.encode()).hexdigest()


def test_steps_come_in_order(cast: SimpleNamespace) -> None:
    run = close_business_day(actor=cast.actor("zhou"), date=OPENING)
    classify = SweepShard.objects.get(run=run, step="classify")

    assert run_shard(classify.pk) is False
    assert fresh(classify).state == "pending"
    assert due_shards(run.pk) == [SweepShard.objects.get(run=run, step="repricing").pk]


def test_a_shard_is_done_once(cast: SimpleNamespace) -> None:
    make_loan(cast, 1)
    run = close_business_day(actor=cast.actor("zhou"), date=OPENING)
    first = SweepShard.objects.get(run=run, step="repricing")

    assert run_shard(first.pk) is True
    assert run_shard(first.pk) is False
    assert Event.objects.filter(name="sweep_run.repricing").count() == 1


def test_a_step_done_again_changes_nothing(cast: SimpleNamespace) -> None:
    """As after a crash that lost the note: the rows are there, and stay what they are."""
    loan = make_loan(cast, 1, start_date=date(2026, 1, 20))
    use_power(loan.customer, {f"2025-{m:02d}": "100" for m in range(8, 13)} | {"2026-01": "100", "2026-02": "50"})
    run = close_business_day(actor=cast.actor("zhou"), date=OPENING)
    run_sweep_inline(run.pk)
    before = night()
    assert before["signals"]

    BusinessDay.objects.filter(state="open").delete()
    BusinessDay.objects.update(state="closing")
    SweepRun.objects.update(state="running")
    SweepShard.objects.exclude(step="seal").update(state="pending")
    run_sweep_inline(run.pk)

    assert night() == before
    assert business_date() == date(2026, 3, 3)


def night() -> dict[str, list]:
    """Everything a night writes but its own notes."""
    signals = Signal.objects.values_list("loan", "indicator", "level", "value", "raised_on", "seen_on", "cleared_on")
    return {
        "accruals": list(Accrual.objects.order_by("loan", "date").values_list("loan", "date", "interest", "penalty")),
        "loans": list(Loan.objects.order_by("pk").values_list("penalty_due", "days_past_due", "asset_class")),
        "days": list(LoanDay.objects.order_by("loan", "date").values_list("loan", "date", "asset_class", "provision")),
        "readings": list(IndicatorReading.objects.order_by("pk").values_list("loan", "indicator", "date", "value")),
        "signals": list(signals.order_by("pk")),
        "cases": list(WarningCase.objects.order_by("pk").values_list("number", "level", "state")),
        "collection": list(CollectionCase.objects.order_by("pk").values_list("number", "state")),
    }


def test_statements_do_not_grow_with_the_portfolio(cast: SimpleNamespace) -> None:
    """Loans thirty days past due whose firms use less power, so that every step has rows to write."""
    open_on(date(2026, 5, 2))

    assert statements_for(cast, 2) == statements_for(cast, 30)


def statements_for(cast: SimpleNamespace, loans: int) -> int:
    """Statements of two nights over so many loans, which are gone afterwards."""
    with transaction.atomic():
        for serial in range(loans):
            loan = make_loan(cast, serial)
            use_power(loan.customer, {f"2025-{m:02d}": "100" for m in range(9, 13)} | {"2026-01": "100"})
            use_power(loan.customer, {"2026-02": "100", "2026-03": "50"})
        with CaptureQueriesContext(connection) as captured:
            close_day()
            close_day()
        assert WarningCase.objects.count() == CollectionCase.objects.count() == loans
        assert Signal.objects.count() == 2 * loans
        transaction.set_rollback(True)
    return len(captured)


def test_a_bad_row_is_set_aside_and_the_rest_go_on(cast: SimpleNamespace) -> None:
    loans = [make_loan(cast, serial) for serial in range(1, 8)]
    bad = loans[4]
    Loan.objects.filter(pk=bad.pk).update(day_count="who knows")

    run = close_day()

    assert (run.state, business_date()) == ("done", date(2026, 3, 3))
    accrued = set(Accrual.objects.values_list("loan_id", flat=True))
    assert accrued == {loan.pk for loan in loans} - {bad.pk}
    shard = SweepShard.objects.get(run=run, step="accrue")
    assert [entry["id"] for entry in shard.set_aside] == [bad.customer_id]
    assert "interest" in shard.set_aside[0]["reason"]
    assert Event.objects.get(name="sweep_run.accrue").after["set_aside"] == 1

    # Put right, the missed days are made up, to the cent.
    close_day()
    Loan.objects.filter(pk=bad.pk).update(day_count="actual/360")
    close_day()
    days = Accrual.objects.filter(loan=bad).order_by("date").values_list("date", "interest")
    assert list(days) == [(date(2026, 3, n), Decimal("15.00")) for n in (2, 3, 4)]


def test_a_loan_without_a_schedule_is_set_aside(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1)
    loan.instalments.all().delete()

    run = close_day()

    assert not Accrual.objects.exists()
    assert SweepShard.objects.get(run=run, step="accrue").set_aside[0]["id"] == loan.customer_id


def test_a_loan_confirmed_late_accrues_from_its_first_day(cast: SimpleNamespace) -> None:
    open_on(date(2026, 3, 5))
    loan = make_loan(cast, 1, start_date=date(2026, 3, 3))

    close_day()

    assert list(Accrual.objects.filter(loan=loan).order_by("date").values_list("date", flat=True)) == [
        date(2026, 3, day) for day in (3, 4, 5)
    ]


def test_money_held_is_put_to_what_falls_due(cast: SimpleNamespace) -> None:
    open_on(date(2026, 3, 20))
    loan = make_loan(cast, 1)
    due = loan.instalments.get(number=1)
    held = due.principal + due.interest + 10
    book_repayment(actor=cast.actor("he"), loan_id=loan.pk, amount=held, reference="EARLY-1")
    assert fresh(loan).suspense_amount == held
    open_on(date(2026, 4, 2))

    close_day()

    loan, due = fresh(loan), fresh(due)
    assert (due.principal_paid, due.interest_paid) == (due.principal, due.interest)
    assert loan.suspense_amount == 10
    assert Accrual.objects.get(loan=loan, date=date(2026, 4, 2)).penalty == 0


def test_offers_and_lines_end_with_their_last_day(cast: SimpleNamespace) -> None:
    line = make_loan(cast, 1).drawdown.facility
    Facility.objects.filter(pk=line.pk).update(maturity_date=OPENING)
    Application.objects.filter(pk=line.application_id).update(state="approved", offer_expires_date=OPENING)
    Facility.objects.filter(pk=make_loan(cast, 2).drawdown.facility_id).update(maturity_date=date(2026, 3, 3))
    Loan.objects.filter(drawdown__facility=line).update(state="settled", outstanding_principal=0)

    close_day()

    assert Application.objects.get(pk=line.application_id).state == "expired"
    assert fresh(line).state == "closed"
    assert list(Facility.objects.exclude(pk=line.pk).values_list("state", flat=True)) == ["effective"]
    of_line = Event.objects.filter(subject_type="facility").order_by("id")
    assert list(of_line.values_list("name", flat=True)) == ["facility.mature", "facility.close"]
    assert Event.objects.get(name="application.expire").before == {"state": "approved"}


def test_the_command_closes_the_day(cast: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("close_day", "--inline", "--date", "2026-03-02")

    assert "2026-03-02" in capsys.readouterr().out
    assert business_date() == date(2026, 3, 3)
    with pytest.raises(CommandError, match="2026-03-03"):
        call_command("close_day", "--inline", "--date", "2026-03-09")


def test_the_task_leaves_tomorrow_alone(cast: SimpleNamespace) -> None:
    """Closed by hand in the evening: the business date is ahead of the calendar already."""
    assert nightly_close() == SweepRun.objects.get().pk
    SweepShard.objects.all().delete()
    SweepRun.objects.all().delete()

    open_on(date(2200, 1, 1))
    assert nightly_close() is None
    assert not SweepRun.objects.exists()
