"""How far a nightly run has come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from postloan.domain.steps import STEPS
from postloan.models import SweepRun, SweepShard

State = SweepShard.State


@dataclass(frozen=True)
class StepProgress:
    """One step over all its parts. `states` is one of pending, running, done, failed for each part, in order."""

    name: str
    parts: int
    done: int
    running: int
    rows: int
    set_aside: list[dict[str, Any]]
    errors: list[str]
    states: list[str]


def progress_of(run: SweepRun) -> list[StepProgress]:
    """Every step in its order. One query."""
    shards: dict[str, list[SweepShard]] = {step.name: [] for step in STEPS}
    for shard in SweepShard.objects.filter(run=run).order_by("step_order", "shard"):
        shards.setdefault(shard.step, []).append(shard)
    return [_step(name, found) for name, found in shards.items() if found]


def _step(name: str, shards: list[SweepShard]) -> StepProgress:
    return StepProgress(
        name=name,
        parts=len(shards),
        done=sum(shard.state == State.DONE for shard in shards),
        running=sum(shard.state == State.RUNNING for shard in shards),
        rows=sum(shard.row_count or 0 for shard in shards),
        set_aside=[entry for shard in shards for entry in shard.set_aside],
        errors=[shard.last_error for shard in shards if shard.last_error],
        states=["failed" if shard.last_error and shard.state == State.PENDING else shard.state for shard in shards],
    )
