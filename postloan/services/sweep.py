"""The nightly run at work: each step on each part in one transaction with the note that it is done.

The table of shards coordinates (docs/decisions/0009): whoever finishes the last part of a step sends out the next
step, and a periodic task sends out again whatever was lost on the way.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import DataError, IntegrityError, connection, transaction
from django.utils import timezone

from branch.domain.actor import Actor, system_actor
from branch.domain.refusals import Refusal
from branch.queries.parameters import parameter
from branch.services.business_day import advance_day, hold_day_alone
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.seals import seal_day
from branch.services.use_case import use_case
from customers.models import Customer
from loans.models import Loan
from loans.services.ledger_days import close_ledger_day
from postloan.domain.steps import ONCE, STEPS
from postloan.models import SweepRun, SweepShard
from postloan.services.claims import claim_shard, due_shards, give_back, presence
from postloan.services.steps.accrue import accrue
from postloan.services.steps.cases import cases
from postloan.services.steps.classify import classify
from postloan.services.steps.collection import collection
from postloan.services.steps.expiries import expiries
from postloan.services.steps.held_money import held_money
from postloan.services.steps.indicators import indicators
from postloan.services.steps.inspections import inspections
from postloan.services.steps.part import Part, Work, work_of
from postloan.services.steps.provisions import provisions
from postloan.services.steps.repricing import repricing
from postloan.services.steps.signals import signals

logger = structlog.get_logger(__name__)
State = SweepShard.State


def _advance(part: Part, actor: Actor) -> Work:
    return work_of([str(advance_day(actor=actor, date=part.date))])


def _balances(part: Part, actor: Actor) -> Work:
    return work_of([close_ledger_day(part.date).digest])


def _seal(part: Part, actor: Actor) -> Work:
    return work_of([seal_day(part.date).head])


WORK: dict[str, Callable[[Part, Actor], Work]] = {
    "repricing": repricing,
    "held_money": lambda part, actor: held_money(part),
    "accrue": lambda part, actor: accrue(part),
    "classify": lambda part, actor: classify(part),
    "provisions": lambda part, actor: provisions(part),
    "indicators": lambda part, actor: indicators(part),
    "signals": signals,
    "cases": cases,
    "collection": collection,
    "inspections": inspections,
    "expiries": expiries,
    "balances": _balances,
    "advance": _advance,
    "seal": _seal,
}


def run_shard(shard_id: int) -> bool:
    """Claim one shard and do its work. False when it is not to be done now, or somebody else has it.

    Raises what the work raised, after giving the shard back.
    """
    with presence(shard_id) as is_alone:
        shard = claim_shard(shard_id, is_alone=is_alone)
        if shard is None:
            return False
        try:
            return RUNNERS[shard.step](shard)
        except Exception as error:
            logger.exception("sweep shard failed", run=shard.run_id, step=shard.step, shard=shard.shard)
            give_back(shard, f"{type(error).__name__}: {error}")
            raise


def _runner(step: str) -> Callable[[SweepShard], bool]:
    @use_case(f"sweep_{step}")
    def run(shard: SweepShard) -> bool:
        """Do the step's work on the shard if the claim still holds, and note it done with count and digest."""
        if step == "advance":
            hold_day_alone()
        mine = SweepShard.objects.select_for_update().filter(pk=shard.pk, claim=shard.claim, state=State.RUNNING)
        if not mine.exists():
            return False
        _end_with_lease()
        parts = SweepShard.objects.filter(run_id=shard.run_id, step=step).count()
        work, set_aside = _work_on(step, Part(shard.run.business_date, shard.shard, parts))
        _finish(shard, work, set_aside)
        return True

    return run


def _end_with_lease() -> None:
    """The database ends this transaction when its worker hangs for longer than the lease."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('idle_in_transaction_session_timeout', %s, true)",
            [f"{parameter('sweep.lease_seconds')}s"],
        )


def _work_on(step: str, part: Part) -> tuple[Work, list[dict[str, object]]]:
    """The work of the part; customers whose rows can't be worked on are set aside with the reason."""
    try:
        with transaction.atomic():
            return WORK[step](part, system_actor()), []
    except (DataError, IntegrityError, Refusal) as error:
        customers = _customers(part)
        if step in ONCE or not customers:
            raise
        if len(customers) == 1:
            return work_of([]), [{"id": customers[0], "reason": _reason(error)}]
    # A statement is all or nothing: halve until the row that spoils it stands alone.
    middle = len(customers) // 2
    halves = [_work_on(step, part.only(ids)) for ids in (customers[:middle], customers[middle:])]
    digest = work_of(work.digest for work, _aside in halves).digest
    return Work(sum(work.rows for work, _aside in halves), digest), [row for _work, aside in halves for row in aside]


def _customers(part: Part) -> list[int]:
    borrowers = Customer.objects.filter(pk__in=part.of(Loan.objects.all()).values("customer_id"))
    # Who stands for several files is classed with the loans of all of them.
    merged = Customer.objects.exclude(merged_into=None)
    several = part.of(Customer.objects.filter(pk__in=merged.values("merged_into")), "pk")
    return sorted({*borrowers.values_list("pk", flat=True), *several.values_list("pk", flat=True)})


def _reason(error: Exception) -> str:
    """What the database says in its first line, which names columns, never their values."""
    diagnosis = getattr(error.__cause__, "diag", None)
    return (diagnosis.message_primary if diagnosis else str(error))[:500]


def _finish(shard: SweepShard, work: Work, set_aside: list[dict[str, object]]) -> None:
    now = timezone.now()
    SweepShard.objects.filter(pk=shard.pk).update(
        state=State.DONE,
        row_count=work.rows,
        digest=work.digest,
        set_aside=set_aside,
        last_error="",
        finished_at=now,
    )
    after = {"part": shard.shard, "rows": work.rows, "digest": work.digest, "set_aside": len(set_aside)}
    record(f"sweep_run.{shard.step}", shard.run, actor=system_actor(), after=after)
    if shard.step == STEPS[-1].name:
        SweepRun.objects.filter(pk=shard.run_id).update(state=SweepRun.State.DONE, finished_at=now)
    else:
        # Looked at after the commit, so that whoever finishes last sees that the step is complete.
        transaction.on_commit(lambda: _go_on(shard))


def _go_on(shard: SweepShard) -> None:
    same_step = SweepShard.objects.filter(run_id=shard.run_id, step_order=shard.step_order)
    if not same_step.exclude(state=State.DONE).exists():
        send_out(shard.run_id)


def send_out(run_id: int, limit: int | None = None) -> int:
    """Send the shards of the step that is on to the workers, at most `limit` of them. Returns how many."""
    ids = due_shards(run_id)[:limit]
    for shard_id in ids:
        after_commit("postloan.tasks.run_shard", shard_id)
    return len(ids)


RUNNERS = {step.name: _runner(step.name) for step in STEPS}


def unfinished_runs() -> list[int]:
    """Runs not done yet, the oldest day first."""
    rows = SweepRun.objects.exclude(state=SweepRun.State.DONE).order_by("business_date")
    return list(rows.values_list("pk", flat=True))


def run_sweep_inline(run_id: int) -> SweepRun:
    """Work through a whole run in this process. Raises what a shard raised."""
    while ids := due_shards(run_id):
        done = [run_shard(shard_id) for shard_id in ids]
        if not any(done):
            break
    return SweepRun.objects.get(pk=run_id)
