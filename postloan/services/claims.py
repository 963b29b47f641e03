"""Taking up a shard: one worker at a time, and at once when the one before is gone."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from datetime import timedelta

from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from branch.queries.parameters import parameter
from branch.services.presence import presence as at_work
from branch.services.use_case import use_case
from postloan.models import SweepShard

State = SweepShard.State
#: First key of the session lock a worker holds on the shard it works on.
SHARD_LOCK = 0x5A4D


def presence(shard_id: int) -> AbstractContextManager[bool]:
    """Show that somebody is at work on the shard; False when another connection shows it."""
    return at_work(SHARD_LOCK, shard_id)


@use_case("claim_shard")
def claim_shard(shard_id: int, *, is_alone: bool) -> SweepShard | None:
    """The shard, now running under a new claim; None when it is not to be done now or another has it.

    A running one is taken over when nobody is at work on it any more, or when its lease is over.
    """
    shard = SweepShard.objects.filter(pk=shard_id).first()
    if shard is None or _earlier_steps_open(shard):
        return None
    # Locked by a worker that is committing it: skip, rather than wait for it and take it up again. So nobody may lock
    # what they will not claim: whoever may would pass it over meanwhile, and all would leave it to one another.
    free = SweepShard.objects.exclude(state=State.DONE) if is_alone else _with_lease_over()
    shard = free.select_for_update(skip_locked=True, of=("self",)).filter(pk=shard_id).first()
    if shard is None:
        return None
    SweepShard.objects.filter(pk=shard.pk).update(
        state=State.RUNNING, claim=uuid.uuid4(), claimed_at=timezone.now(), attempts=F("attempts") + 1
    )
    return SweepShard.objects.select_related("run").get(pk=shard.pk)


def _with_lease_over() -> QuerySet[SweepShard]:
    lease = timedelta(seconds=parameter("sweep.lease_seconds"))
    return SweepShard.objects.filter(state=State.RUNNING, claimed_at__lt=timezone.now() - lease)


def _earlier_steps_open(shard: SweepShard) -> bool:
    earlier = SweepShard.objects.filter(run_id=shard.run_id, step_order__lt=shard.step_order)
    return earlier.exclude(state=State.DONE).exists()


def give_back(shard: SweepShard, error: str) -> None:
    """After a fault: the shard waits to be taken up again, with what went wrong."""
    SweepShard.objects.filter(pk=shard.pk, claim=shard.claim, state=State.RUNNING).update(
        state=State.PENDING, last_error=error[:2000]
    )


def due_shards(run_id: int) -> list[int]:
    """Shards of the first unfinished step that are worth trying now: those that failed wait longer each time."""
    open_rows = SweepShard.objects.exclude(state=State.DONE).filter(run_id=run_id)
    earlier = open_rows.filter(step_order__lt=OuterRef("step_order"))
    rows = open_rows.filter(~Exists(earlier)).order_by("shard")
    return [row.pk for row in rows if _is_due(row)]


def _is_due(shard: SweepShard) -> bool:
    if shard.state == State.RUNNING or not shard.last_error or shard.claimed_at is None:
        return True
    return timezone.now() - shard.claimed_at > timedelta(seconds=min(2**shard.attempts, 300))
