"""Comparing the whole book with the lists: every night, and whenever a list has changed; part by part, resumably."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import timezone

from branch.services.presence import presence
from branch.services.use_case import use_case
from customers.models import Customer, Lead, ScreeningHit, ScreeningRun, WatchlistEntry
from customers.queries.screening import find, lowest_score
from customers.services.screening import settle

#: First key of the session lock of the worker that is at a run.
RUN_LOCK = 0x5C2E
START_LOCK = 0x5C2F
#: Customers or leads compared in one transaction.
SUBJECTS_AT_ONCE = 20_000
#: Whoever changed so long before the last run began is compared again: they may have looked at lists in the making.
OVERLAP = timedelta(hours=1)
_NEXT = {"customer": "lead", "lead": ""}


@use_case("start_screening")
def start_screening(*, only_if_due: bool = False) -> ScreeningRun | None:
    """The run that is on, or a new one; None where there is nothing to compare and `only_if_due` is set.

    Everybody is compared with every entry at first, and where hits begin at another score than in the last run.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [START_LOCK])
    if run := ScreeningRun.objects.filter(finished_at=None).first():
        return run
    fresh = WatchlistEntry.objects.filter(screening_run=None, ended_at=None)
    last = ScreeningRun.objects.order_by("-pk").first()
    lowest = lowest_score()
    is_full = last is None or last.lowest_score != lowest
    if only_if_due and not fresh.exists() and (last is None or not is_full):
        return None
    run = ScreeningRun.objects.create(
        is_full=is_full, lowest_score=lowest, changed_since=last.started_at - OVERLAP if last else None
    )
    run.entry_count = fresh.update(screening_run=run)
    run.save(update_fields=["entry_count"])
    return run


def run_screening(run_id: int) -> bool:
    """Work a run to its end, from where it stands. False where somebody else is at it, or it is done."""
    with presence(RUN_LOCK, run_id) as is_alone:
        runs = ScreeningRun.objects.filter(pk=run_id, finished_at=None)
        if not is_alone or not runs.exists():
            return False
        while run := runs.first():
            screen_part(run_id=run_id, stage=run.stage, after_id=run.after_id)
        return True


@use_case("screen_part")
def screen_part(*, run_id: int, stage: str, after_id: int) -> bool:
    """Compare the subjects that come after these and note how far that got. False where that was done before."""
    here = ScreeningRun.objects.filter(pk=run_id, finished_at=None, stage=stage, after_id=after_id)
    run = here.select_for_update().first()
    if run is None:
        return False
    model: type[Customer] | type[Lead] = Customer if run.stage == "customer" else Lead
    rows = model._default_manager.filter(pk__gt=run.after_id).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:SUBJECTS_AT_ONCE])
    if ids:
        run.hit_count += _compare(run, model, {"first": ids[0], "last": ids[-1], "since": run.changed_since})
        run.subject_count += len(ids)
        run.after_id = ids[-1]
    else:
        run.stage, run.after_id = _NEXT[run.stage], 0
        if not run.stage:
            run.finished_at = timezone.now()
    run.save()
    return True


def _compare(run: ScreeningRun, model: type[Customer] | type[Lead], span: dict[str, Any]) -> int:
    within = "s.id BETWEEN %(first)s AND %(last)s"
    # Hits that are there are settled only where something about them changed.
    if run.is_full:
        found = find(model, within, span, lowest=run.lowest_score)
    else:
        found = find(model, within, span, lowest=run.lowest_score, run_id=run.pk) if run.entry_count else []
        changed = f"{within} AND (s.screened_at IS NULL OR s.screened_at >= %(since)s)"
        pairs = {(one.subject_id, one.entry_id) for one in found}
        later = find(model, changed, span, lowest=run.lowest_score)
        found += [one for one in later if (one.subject_id, one.entry_id) not in pairs]
    made = len(settle(model, found, ScreeningHit.Moment.BOOK))
    unseen = model._default_manager.filter(pk__range=(span["first"], span["last"]), screened_at=None)
    unseen.update(screened_at=timezone.now())
    return made


def last_run() -> ScreeningRun | None:
    """The last comparison of the whole book that came to its end."""
    return ScreeningRun.objects.exclude(finished_at=None).order_by(F("pk").desc()).first()
