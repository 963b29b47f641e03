"""Closing a business day: one run per day, its steps and parts in a table that workers work through."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import PermissionRefused
from branch.queries.parameters import parameter
from branch.services.business_day import CLOSERS, begin_close, hold_day_alone
from branch.services.enqueue import after_commit
from branch.services.events import record
from branch.services.use_case import use_case
from postloan.domain.steps import STEPS
from postloan.models import SweepRun, SweepShard


@use_case("close_business_day")
def close_business_day(*, actor: Actor, date: date) -> SweepRun:
    """Stop booking on `date` and start its nightly run; asked for again, the same run.

    Raises PermissionRefused, InvalidInput naming the business date for a day that is neither closed nor current.
    """
    if not actor.holds_bank_wide(CLOSERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="close_business_day")
    hold_day_alone()
    run = SweepRun.objects.filter(business_date=date).first()
    if run is not None:
        return run
    day = begin_close(actor=actor, date=date)
    run = SweepRun.objects.create(
        business_date=day.date,
        started_by_id=actor.user_id,
        started_by_name=actor.username,
        request_id=actor.request_id,
    )
    SweepShard.objects.bulk_create(_shards(run, parameter("sweep.shards", on=day.date)))
    record("sweep_run.start", run, actor=actor, before={})
    after_commit("postloan.tasks.drive_run", run.pk)
    return run


def _shards(run: SweepRun, parts: int) -> list[SweepShard]:
    return [
        SweepShard(run=run, step_order=step.order, step=step.name, shard=shard)
        for step in STEPS
        for shard in range(max(parts, 1) if step.is_sharded else 1)
    ]
