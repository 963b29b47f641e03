"""The nightly close among killed, hanging and competing workers: real processes and threads on Postgres."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from celery import current_app
from django.db import connection, connections, transaction
from django.utils import timezone

from branch import failpoints
from branch.domain.actor import system_actor
from branch.models import BusinessDay, Event, ParameterValue, Seal
from branch.queries.business_date import business_date
from branch.services.open_day import open_business_date
from loans.models import Accrual, Loan
from postloan.domain.steps import ONCE, STEPS
from postloan.models import CollectionCase, Inspection, LoanDay, Signal, SweepRun, SweepShard, WarningCase
from postloan.services import sweep
from postloan.services.claims import claim_shard, presence
from postloan.services.close import close_business_day
from postloan.services.sweep import RUNNERS, run_shard, run_sweep_inline
from postloan.tasks import drive_run, resume_sweeps
from tests.postloan.making import make_loan, open_on

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 5, 2)
#: Every place where a worker of the night can die.
PLACES = sorted(
    f"{name}.{side}"
    for name in ("close_business_day", "claim_shard", *(f"sweep_{step.name}" for step in STEPS))
    for side in ("before_commit", "after_commit")
)


@pytest.fixture(autouse=True)
def queue(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[Any, ...]]]:
    """What was handed to the broker; nothing runs unless the test runs it."""
    sent: list[tuple[str, tuple[Any, ...]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **kwargs: sent.append((name, args)))
    return sent


@pytest.fixture
def night(cast: SimpleNamespace) -> date:
    """Two loans thirty days past due, so that every step has rows to write, on two parts."""
    set_parameter("sweep.shards", 2)
    open_on(DAY)
    make_loan(cast, 1)
    make_loan(cast, 2)
    return DAY


def set_parameter(code: str, value: Any) -> None:
    ParameterValue.objects.create(code=code, value=value, effective_date=date(2020, 1, 1))


def close() -> SweepRun:
    return run_sweep_inline(close_business_day(actor=system_actor(), date=DAY).pk)


def in_child(work: Callable[[], Any]) -> int:
    """Run `work` in a forked process; its id. The child never returns to the test."""
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    try:
        work()
    finally:
        os._exit(0)


def ended_by(pid: int) -> int:
    """The signal that ended the child, 0 for none."""
    _pid, status = os.waitpid(pid, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def written() -> dict[str, Any]:
    """What a night leaves, by loan number so that runs can be compared."""
    loans = Loan.objects.values_list("number", "penalty_due", "days_past_due", "version")
    accruals = Accrual.objects.values_list("loan__number", "date", "interest", "penalty")
    steps = Event.objects.filter(subject_type="sweeprun")
    return {
        "accruals": sorted(accruals),
        "loans": sorted(loans),
        "days": sorted(LoanDay.objects.values_list("loan__number", "date", "asset_class")),
        "signals": sorted(Signal.objects.values_list("loan__number", "level", "state", "version")),
        "cases": sorted(WarningCase.objects.values_list("customer__name", "level", "version")),
        "collection": sorted(CollectionCase.objects.values_list("loan__number", "state")),
        "case_numbers": sorted(WarningCase.objects.values_list("number", flat=True)),
        "collection_numbers": sorted(CollectionCase.objects.values_list("number", flat=True)),
        "inspections": sorted(Inspection.objects.values_list("loan__number", "sequence", "due_date")),
        "steps": sorted(steps.values_list("name", "after__part", "after__rows")),
        "events": sorted(Event.objects.exclude(subject_type="sweeprun").values_list("name", flat=True)),
        "shards": sorted(SweepShard.objects.values_list("step_order", "shard", "state", "row_count")),
        "days_of_the_bank": sorted(BusinessDay.objects.filter(date__gte=DAY).values_list("date", "state")),
        "seals": sorted(Seal.objects.filter(business_date__gte=DAY).values_list("business_date", flat=True)),
    }


UNDISTURBED: dict[str, Any] = {}


@pytest.mark.parametrize("place", ["", *PLACES])
def test_killed_and_run_on(night: date, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing lost and nothing doubled, wherever the worker dies; the first case is the night nobody disturbs."""
    monkeypatch.setattr(failpoints, "armed", place)
    died_by = ended_by(in_child(close))
    monkeypatch.setattr(failpoints, "armed", "")
    assert died_by == (signal.SIGKILL if place else 0)

    # At once: the dead worker's claim is no reason to wait.
    run = close()

    assert run.state == "done"
    UNDISTURBED.setdefault("night", written())
    assert written() == UNDISTURBED["night"]
    assert business_date() == DAY + timedelta(days=1)


def test_every_place_of_the_night_is_killed() -> None:
    ours = {name for name in failpoints.NAMES if name.startswith(("sweep_", "claim_shard", "close_business_day"))}
    assert ours == set(PLACES)


def at_once(count: int, call: Callable[[], Any]) -> list[Any]:
    start = threading.Barrier(count)

    def run() -> Any:
        try:
            start.wait(timeout=10)
            return call()
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(count)]]


def test_closing_twice_at_once_is_one_run(night: date) -> None:
    runs = at_once(4, lambda: close_business_day(actor=system_actor(), date=DAY).pk)

    assert len(set(runs)) == 1
    assert SweepRun.objects.count() == 1
    assert SweepShard.objects.count() == 2 * (len(STEPS) - len(ONCE)) + len(ONCE)
    assert Event.objects.filter(name="business_day.begin_close").count() == 1


def test_one_of_many_workers_does_a_shard(night: date) -> None:
    run = close_business_day(actor=system_actor(), date=DAY)
    shard = SweepShard.objects.filter(run=run).order_by("step_order", "shard").first()
    assert shard is not None

    results = at_once(4, lambda: run_shard(shard.pk))

    assert sorted(results) == [False, False, False, True]
    assert Event.objects.filter(name=f"sweep_run.{shard.step}").count() == 1


def test_whoever_may_not_claim_does_not_keep_out_whoever_may(night: date) -> None:
    """A worker that comes second looks at the shard just as the first one is about to claim it."""
    run = close_business_day(actor=system_actor(), date=DAY)
    shard = SweepShard.objects.get(run=run, step_order=1, shard=0)
    looked, go_on = threading.Event(), threading.Event()

    def come_second() -> None:
        try:
            with transaction.atomic():
                assert claim_shard(shard.pk, is_alone=False) is None
                looked.set()
                go_on.wait(timeout=10)
        finally:
            connection.close()

    second = threading.Thread(target=come_second)
    second.start()
    assert looked.wait(timeout=10)
    try:
        assert claim_shard(shard.pk, is_alone=True) is not None
    finally:
        go_on.set()
        second.join(timeout=10)


def test_many_workers_do_a_whole_night_once(night: date) -> None:
    """Four workers at every shard of every step, all the time."""
    run = close_business_day(actor=system_actor(), date=DAY)

    at_once(4, lambda: run_sweep_while_open(run.pk))

    assert SweepRun.objects.get(pk=run.pk).state == "done"
    assert Accrual.objects.count() == LoanDay.objects.count() == Signal.objects.count() == 2
    assert WarningCase.objects.count() == CollectionCase.objects.count() == 2
    steps = Event.objects.filter(subject_type="sweeprun").exclude(name="sweep_run.start")
    assert steps.count() == SweepShard.objects.count()
    assert business_date() == DAY + timedelta(days=1)


def run_sweep_while_open(run_id: int) -> None:
    ends = time.monotonic() + 60
    while SweepRun.objects.get(pk=run_id).state != "done" and time.monotonic() < ends:
        run_sweep_inline(run_id)
        time.sleep(0.01)


def test_a_live_workers_shard_is_left_to_it_until_its_lease_is_over(night: date) -> None:
    run = close_business_day(actor=system_actor(), date=DAY)
    shard = SweepShard.objects.filter(run=run, step_order=1, shard=0).get()
    working, done = threading.Event(), threading.Event()
    late: list[bool] = []

    def slow_worker() -> None:
        with presence(shard.pk) as is_alone:
            mine = claim_shard(shard.pk, is_alone=is_alone)
            assert mine is not None
            working.set()
            done.wait(timeout=10)
            late.append(RUNNERS[mine.step](mine))
        connection.close()

    worker = threading.Thread(target=slow_worker)
    worker.start()
    working.wait(timeout=10)

    assert run_shard(shard.pk) is False
    SweepShard.objects.filter(pk=shard.pk).update(claimed_at=timezone.now() - timedelta(hours=1))
    assert run_shard(shard.pk) is True

    done.set()
    worker.join(timeout=10)
    # The slow one finds its claim gone and does nothing.
    assert late == [False]
    assert Event.objects.filter(name=f"sweep_run.{STEPS[0].name}", after__part=0).count() == 1


def test_a_worker_that_hangs_in_its_transaction_is_ended_by_the_database(
    night: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_parameter("sweep.lease_seconds", 1)
    run = close_business_day(actor=system_actor(), date=DAY)
    hangs = SweepShard.objects.filter(run=run, step_order=1, shard=0).get()
    inside, say_so = os.pipe()

    def hang(part: Any, actor: Any) -> None:
        os.write(say_so, b"x")
        time.sleep(60)

    # A context of its own: undoing everything would also let go of the queue.
    with monkeypatch.context() as patch:
        patch.setitem(sweep.WORK, STEPS[0].name, hang)
        pid = in_child(lambda: run_shard(hangs.pk))
    try:
        # Only now is there a worker to be ended: before, this process could come first.
        os.read(inside, 1)
        ends = time.monotonic() + 30
        while SweepRun.objects.get(pk=run.pk).state != "done" and time.monotonic() < ends:
            run_sweep_inline(run.pk)
            time.sleep(0.1)
        assert SweepRun.objects.get(pk=run.pk).state == "done"
        assert SweepShard.objects.get(pk=hangs.pk).attempts == 2
        assert Event.objects.filter(name=f"sweep_run.{STEPS[0].name}", after__part=0).count() == 1
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_closing_waits_for_money_being_booked(night: date) -> None:
    """What began on the open day is finished before the day is closing."""
    order: list[str] = []
    booking, go_on = threading.Event(), threading.Event()

    def book() -> None:
        with transaction.atomic():
            open_business_date()
            booking.set()
            go_on.wait(timeout=10)
            order.append("booked")
        connection.close()

    def close_meanwhile() -> None:
        close_business_day(actor=system_actor(), date=DAY)
        order.append("closing")
        connection.close()

    threads = [threading.Thread(target=book), threading.Thread(target=close_meanwhile)]
    threads[0].start()
    booking.wait(timeout=10)
    threads[1].start()
    time.sleep(0.3)
    assert (order, BusinessDay.objects.get(date=DAY).state) == ([], "open")

    go_on.set()
    for thread in threads:
        thread.join(timeout=10)
    assert order == ["booked", "closing"]
    assert BusinessDay.objects.get(date=DAY).state == "closing"


def test_lost_messages_are_sent_again(night: date, queue: list) -> None:
    """Every message to the broker is lost; the periodic task alone brings the night to its end."""
    close_business_day(actor=system_actor(), date=DAY)
    assert [name for name, _args in queue] == ["postloan.tasks.drive_run"]

    rounds = 0
    while SweepRun.objects.get().state != "done":
        queue.clear()
        assert resume_sweeps() > 0
        for shard_id in [args[0] for name, args in queue if name == "postloan.tasks.run_shard"]:
            run_shard(shard_id)
        rounds += 1
    assert rounds == len(STEPS)
    queue.clear()
    assert resume_sweeps() == 0


def test_the_last_part_of_a_step_sends_out_the_next(night: date, queue: list) -> None:
    run = close_business_day(actor=system_actor(), date=DAY)
    first, second = SweepShard.objects.filter(run=run, step_order=1).order_by("shard")
    queue.clear()

    run_shard(first.pk)
    assert queue == []
    run_shard(second.pk)
    following = SweepShard.objects.filter(run=run, step_order=2).order_by("shard")
    assert queue == [("postloan.tasks.run_shard", (shard.pk,)) for shard in following]

    queue.clear()
    assert drive_run(run.pk) == 2
    assert queue == [("postloan.tasks.run_shard", (shard.pk,)) for shard in following]


def test_the_night_goes_before_the_telling_of_it() -> None:
    """0 comes first. One case opened in the night is several messages, and there are hundreds of cases."""

    def priority(task: str) -> int:
        return current_app.amqp.router.route({}, task).get("priority", 0)

    assert priority("postloan.tasks.run_shard") == priority("loans.tasks.send_payout") == 0
    assert priority("branch.tasks.deliver_outbox") > 0


def test_a_fault_is_noted_and_tried_again(night: date, monkeypatch: pytest.MonkeyPatch) -> None:
    run = close_business_day(actor=system_actor(), date=DAY)
    shard = SweepShard.objects.filter(run=run, step_order=1, shard=0).get()

    def fail(part: Any, actor: Any) -> Any:
        raise RuntimeError("out of paper")

    with monkeypatch.context() as patch:
        patch.setitem(sweep.WORK, STEPS[0].name, fail)
        with pytest.raises(RuntimeError):
            run_shard(shard.pk)

    row = SweepShard.objects.get(pk=shard.pk)
    assert (row.state, row.last_error, row.attempts) == ("pending", "RuntimeError: out of paper", 1)
    assert run_shard(shard.pk) is True
    assert SweepShard.objects.get(pk=shard.pk).last_error == ""
