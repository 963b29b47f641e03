"""Background work of the nightly close."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.queries.business_date import business_date
from postloan.services import close, sweep


@shared_task
def nightly_close() -> int | None:
    """Close the business day, unless it was closed by hand this evening and tomorrow is already open."""
    today = business_date()
    if today > timezone.localdate():
        return None
    return close.close_business_day(actor=system_actor(), date=today).pk


#: Duplicates cost a query each, so no more than this are sent again every few seconds.
RESUMED_AT_ONCE = 8


@shared_task
def drive_run(run_id: int, limit: int | None = None) -> int:
    """Send out the shards of the step that is on. Returns how many."""
    return sweep.send_out(run_id, limit)


@shared_task
def run_shard(shard_id: int) -> bool:
    """Do one shard if nobody else does. A fault is on the shard itself, and it is tried again."""
    return sweep.run_shard(shard_id)


@shared_task
def resume_sweeps() -> int:
    """Send out again what a lost worker or a lost message left undone. Returns how many shards."""
    return sum(drive_run(run_id, RESUMED_AT_ONCE) for run_id in sweep.unfinished_runs())
