"""What is over is erased at night: leads, files of lists, kept answers, and customers where the bank wants it so.

The run's row coordinates, as with the comparison of the whole book (screening_runs): a worker that dies leaves it
where it stood, and the next one goes on from there. A night has one run; asked for again it changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import DataError, IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from branch.domain.actor import system_actor
from branch.domain.refusals import Refusal
from branch.models import IdempotentAnswer
from branch.queries.business_date import business_date
from branch.queries.parameters import parameters
from branch.services.attachments import remove_bytes_after_commit
from branch.services.presence import presence
from branch.services.use_case import use_case
from customers.domain.retention import PERIODS, Rule
from customers.models import Customer, ErasureRequest, ImportFinding, Lead, RecordImport, RetentionRun
from customers.queries.leads import OPEN_STATES
from customers.queries.retention import Standing, standings_of_customers, standings_of_leads
from customers.services.erasing import LISTS, erase_customer_rows, erase_lead_rows
from customers.services.relations import hold_links
from customers.services.retention import restrict_if_due

#: First key of the session lock of the worker that is at a run.
RUN_LOCK = 0x5E7A
#: Leads or customers looked at in one transaction, and files of lists or answers.
SUBJECTS_AT_ONCE = 500
ROWS_AT_ONCE = 2_000
#: Set aside by name on the run's row, so that it stays readable; the number counts all.
MOST_SET_ASIDE = 200
_NEXT = {"lead": "customer", "customer": "file", "file": "answer", "answer": ""}
Erase = Callable[..., None]


@use_case("start_retention")
def start_retention() -> RetentionRun:
    """The run of the business date: the one that is there, or a new one."""
    run, _created = RetentionRun.objects.get_or_create(business_date=business_date())
    return run


def unfinished_retention() -> list[int]:
    """Runs somebody left, the oldest first."""
    return list(RetentionRun.objects.filter(finished_at=None).order_by("pk").values_list("pk", flat=True))


def run_retention(run_id: int) -> bool:
    """Work a run to its end, from where it stands. False where somebody else is at it, or it is done."""
    with presence(RUN_LOCK, run_id) as is_alone:
        runs = RetentionRun.objects.filter(pk=run_id, finished_at=None)
        if not is_alone or not runs.exists():
            return False
        while run := runs.first():
            retention_part(run_id=run_id, stage=run.stage, after_id=run.after_id)
        return True


@use_case("retention_part")
def retention_part(*, run_id: int, stage: str, after_id: int) -> bool:
    """Do the rows that come after these and note how far that got. False where that was done before."""
    hold_links()
    here = RetentionRun.objects.filter(pk=run_id, finished_at=None, stage=stage, after_id=after_id)
    run = here.select_for_update().first()
    if run is None:
        return False
    last = _STAGES[stage](run)
    if last is None:
        run.stage, run.after_id = _NEXT[stage], 0
        if not run.stage:
            run.finished_at = timezone.now()
    else:
        run.after_id = last
    run.save()
    return True


# --- leads and customers


def _leads(run: RetentionRun) -> int | None:
    lengths, day = _lengths(run)
    lost, duplicate, idle = (
        day - timedelta(days=lengths[f"retention.{name}_lead_days"]) for name in ("lost", "duplicate", "idle")
    )
    is_duplicate = Q(lost_reason_code=Lead.LostReason.DUPLICATE)
    due = Q(state="lost") & (Q(lost_on__lt=lost) | (is_duplicate & Q(lost_on__lt=duplicate)) | Q(lost_on=None))
    due |= Q(state__in=OPEN_STATES, created_at__date__lt=idle)
    rows = list(_next(Lead.objects.filter(due), run))
    if not rows:
        return None
    run.lead_count += _erase(run, "lead", rows, standings_of_leads([row.pk for row in rows], day), erase_lead_rows)
    return rows[-1].pk


def _customers(run: RetentionRun) -> int | None:
    lengths, day = _lengths(run)
    requests = ErasureRequest.objects.filter(customer=OuterRef("pk"), state="open")
    due = Q(Exists(requests.exclude(channel=ErasureRequest.Channel.BANK)))
    if lengths["retention.customers_at_night"]:
        least = min(lengths["retention.never_borrowed_days"], lengths["retention.refused_application_days"])
        due |= Q(created_at__date__lt=day - timedelta(days=least))
    rows = list(_next(Customer.objects.filter(due, merged_into=None), run))
    if not rows:
        return None
    standings = standings_of_customers([row.pk for row in rows], day)
    run.customer_count += _erase(run, "customer", rows, standings, erase_customer_rows)
    for row in rows:
        if standings[row.pk].is_kept_only and restrict_if_due(row, system_actor()):
            run.restricted_count += 1
    return rows[-1].pk


def _next(rows: QuerySet[Any], run: RetentionRun) -> QuerySet[Any]:
    rows = rows.filter(erased_on=None, pk__gt=run.after_id).order_by("pk").select_related("office")
    return rows.select_for_update(of=("self",))[:SUBJECTS_AT_ONCE]


def _lengths(run: RetentionRun) -> tuple[dict[str, Any], date]:
    codes = [*(period.parameter for period in PERIODS.values()), "retention.customers_at_night"]
    return parameters(*codes, on=run.business_date), run.business_date


def _erase(run: RetentionRun, kind: str, rows: Any, standings: dict[int, Standing], erase: Erase) -> int:
    """Erase whose time is over; who is kept all the same by something open is set aside with that.

    A person's wish alone is not enough at night: before its time it takes two people to erase.
    """
    over = [row for row in rows if standings[row.pk].is_over]
    for row in over:
        if against := standings[row.pk].open:
            _set_aside(run, kind, row.pk, ", ".join(one.code for one in against))
    free = [row for row in over if not standings[row.pk].open]
    return _together(run, kind, free, {row.pk: standings[row.pk].rule for row in free}, erase)


def _together(run: RetentionRun, kind: str, rows: Any, rules: dict[int, Rule], erase: Erase) -> int:
    """Erase them in one go; where one row spoils that, halve until it stands alone and is set aside."""
    if not rows:
        return 0
    try:
        with transaction.atomic():
            erase(rows, {row.pk: rules[row.pk] for row in rows}, actor=system_actor())
            return len(rows)
    except (DataError, IntegrityError, Refusal) as error:
        if len(rows) == 1:
            diagnosis = getattr(error.__cause__, "diag", None)
            _set_aside(run, kind, rows[0].pk, (diagnosis.message_primary if diagnosis else str(error))[:200])
            return 0
    middle = len(rows) // 2
    return sum(_together(run, kind, half, rules, erase) for half in (rows[:middle], rows[middle:]))


def _set_aside(run: RetentionRun, kind: str, pk: int, reason: str) -> None:
    run.set_aside_count += 1
    if len(run.set_aside) < MOST_SET_ASIDE:
        run.set_aside = [*run.set_aside, {"kind": kind, "id": pk, "reason": reason}]


# --- files of lists, and answers kept for a repeated call


def _files(run: RetentionRun) -> int | None:
    """Lists of leads and members: the file with everybody in it goes, and what its report quotes."""
    days = parameters("retention.list_file_days", on=run.business_date)["retention.list_file_days"]
    over = timezone.now() - timedelta(days=days)
    through = RecordImport.objects.filter(layout__in=LISTS, state__in=("done", "refused", "discarded"))
    rows = through.filter(pk__gt=run.after_id, created_at__lt=over).exclude(file_name="").order_by("pk")
    found = list(rows.values_list("pk", "storage_name")[:ROWS_AT_ONCE])
    if not found:
        return None
    ids = [pk for pk, _name in found]
    ImportFinding.objects.filter(record_import__in=ids).update(raw={})
    RecordImport.objects.filter(pk__in=ids).update(file_name="")
    remove_bytes_after_commit([name for _pk, name in found])
    run.file_count += len(found)
    return ids[-1]


def _answers(run: RetentionRun) -> int | None:
    """Answers to calls with an Idempotency-Key hold what was answered; nobody repeats a call after so long."""
    days = parameters("retention.answer_days", on=run.business_date)["retention.answer_days"]
    rows = IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - timedelta(days=days)).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:ROWS_AT_ONCE])
    if not ids:
        return None
    run.answer_count += IdempotentAnswer.objects.filter(pk__in=ids).delete()[0]
    return ids[-1]


_STAGES = {"lead": _leads, "customer": _customers, "file": _files, "answer": _answers}
