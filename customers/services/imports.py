"""Imports of outside facts: a file is kept, its columns settled, and a worker takes its rows in, chunk by chunk.

The row of the import coordinates: it says how many rows are done, in the transaction that did them. A killed worker's
import goes on from there; losing every queued message loses nothing.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import structlog
from django.db import connection
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.domain.text import can_be_kept
from branch.models import Office
from branch.queries.actors import actor_for
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from branch.services import attachments
from branch.services.enqueue import after_commit
from branch.services.file_store import NamedFile, open_stored, path_of, store
from branch.services.presence import presence
from branch.services.transition import create, may, transition
from branch.services.use_case import use_case
from branch.words import listed
from customers.domain.layouts import LAYOUTS, Layout, missing, suggest
from customers.models import Cluster, Customer, RecordImport, RecordSource, TouchedMonth
from customers.queries.metrics import layout_of
from customers.queries.visibility import LIST_KEEPERS, importable_customers
from customers.services.intake.details import roll_up
from customers.services.intake.documents import merge_documents
from customers.services.intake.facts import settle
from customers.services.intake.findings import note_open_end, note_other_sheets
from customers.services.intake.invoices import merge_invoices
from customers.services.intake.lead_rows import merge_leads
from customers.services.intake.members import merge_members
from customers.services.intake.reading import Form, Stream, first_rows, open_lines, recognise
from customers.services.intake.readings import SHAPES, merge_readings
from customers.services.intake.staging import PLANNING, stage
from customers.services.intake.watchlist import end_missing, hidden, merge_watchlist

logger = structlog.get_logger(__name__)
State = RecordImport.MACHINE
SENDERS = frozenset({Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER, Role.INTEGRATION})
#: First key of the session lock of the worker that is at the imports of a source.
IMPORT_LOCK = 0x1A9
#: Failures after which the later imports of the source no longer wait for one.
WAITED_FOR = 3
#: Customers whose derived facts are worked out in one transaction.
CUSTOMERS_AT_ONCE = 500
LONGEST_WAIT = timedelta(minutes=5)
#: What fails so often (in about an hour) is not taken in by waiting.
MOST_ATTEMPTS = 20
#: Rows that may come in one call; more come as a file.
MOST_ROWS = 5000

Merge = Callable[[Any, RecordImport, tuple[str, tuple], date], Counter[str]]
MERGES: Mapping[str, Merge] = {
    RecordImport.Layout.WATCHLIST: merge_watchlist,
    RecordImport.Layout.SALES_INVOICES: merge_invoices,
    RecordImport.Layout.PURCHASE_INVOICES: merge_invoices,
    RecordImport.Layout.CLUSTER_MEMBERS: merge_members,
    RecordImport.Layout.CHAIN_DOCUMENTS: merge_documents,
    **dict.fromkeys(SHAPES, merge_readings),
    RecordImport.Layout.LEADS: merge_leads,
}
#: What only the source of a cluster brings, and all that it brings.
CLUSTER_LAYOUTS = frozenset({RecordImport.Layout.CLUSTER_MEMBERS.value, RecordImport.Layout.CHAIN_DOCUMENTS.value})
LIST = RecordImport.Layout.WATCHLIST
# The file of a watchlist has identity numbers in clear: once it is through, nobody holds it any more.
attachments.HOLDERS.append(
    lambda name: (
        RecordImport.objects.filter(storage_name=name)
        .exclude(layout=LIST, state__in=("done", "refused", "discarded"))
        .exists()
    )
)


@dataclass(frozen=True)
class Preview:
    """What a person sees before the rows go in: headings, first rows, and what each column was taken for."""

    headings: list[str]
    rows: list[list[str]]


@use_case("receive_import")
def receive_import(
    *,
    actor: Actor,
    source_id: int,
    layout: str,
    file: Any = None,
    rows: Sequence[Mapping[str, Any]] | None = None,
    customer_id: int | None = None,
    mapping: Mapping[str, str] | None = None,
    sha256: str = "",
    origin: str = RecordImport.Origin.UPLOAD,
    start: bool = False,
    options: Mapping[str, Any] | None = None,
) -> RecordImport:
    """Keep a file of a source. It waits for its columns to be settled, or starts at once where `start` says so.

    `file` is bytes or anything with `read` and `name`; `rows`, in place of one, are objects by the names of the
    layout's columns and start at once. `sha256`, where it is sent, must be the file's; `options` are those of a list
    of leads, which comes in by `receive_leads`. Raises InvalidInput for half a file, one that is no table, one too
    large, and for a start with columns missing.
    """
    source = RecordSource.objects.filter(pk=source_id, is_active=True).first()
    if source is None or not visible(RecordSource, actor).filter(pk=source.pk).exists():
        raise NotFound(_("There is no such record."))
    if layout not in LAYOUTS:
        raise InvalidInput(fields={"layout": [_("Choose what the file holds.")]})
    _require_way_in(layout, source, options)
    customer = _customer(actor, customer_id)
    if rows and file is None:
        file, origin, start = _file_of(layout_of(layout), rows), RecordImport.Origin.API, True
    if Role.INTEGRATION in actor.roles:
        origin = RecordImport.Origin.API
    stored = store(file, limit_bytes=parameter("import.limit_bytes"))
    try:
        if sha256 and sha256.strip().lower() != stored.sha256:
            raise InvalidInput(fields={"file": [_("The file is not what its SHA-256 says. Send it again.")]})
        form = recognise(stored.path, layout_of(layout), most_bytes=parameter("import.limit_bytes"))
        kept = RecordImport(
            office=_office(actor, source, customer),
            owner_id=actor.user_id,
            source=source,
            customer=customer,
            layout=layout,
            origin=origin,
            file_name=(getattr(file, "name", "") or "rows.csv")[-200:],
            storage_name=stored.name,
            size_bytes=stored.size_bytes,
            sha256=stored.sha256,
            form=form.as_json(),
            options=dict(options or {}),
        )
        create(kept, actor=actor, roles=(LIST_KEEPERS if layout == LIST else SENDERS) | {Role.SYSTEM})
        if start:
            settled = mapping or suggest(layout_of(layout), form.headings, source.mappings.get(layout, {}))
            return start_import(actor=actor, record_import_id=kept.pk, mapping=settled)
    except BaseException:
        stored.path.unlink(missing_ok=True)
        raise
    return kept


def _require_way_in(layout: str, source: RecordSource, options: Mapping[str, Any] | None) -> None:
    """Some files have a door of their own. Raises InvalidInput where they come by another."""
    if (layout in CLUSTER_LAYOUTS) != Cluster.objects.filter(source_id=source.pk).exists():
        raise InvalidInput(fields={"source_id": [_("Members and documents of a cluster come in by its own source.")]})
    if (layout == LIST) != hasattr(source, "watchlist"):
        raise InvalidInput(fields={"source_id": [_("The files of a watchlist are sent on the page of the list.")]})
    if (layout == RecordImport.Layout.LEADS) != (options is not None):
        raise InvalidInput(fields={"layout": [_("A list of leads is taken in where the leads are.")]})


def _file_of(layout: Layout, rows: Any) -> bytes:
    """Rows sent as JSON in the form of a file: there is one way in. Raises InvalidInput for what are no rows."""
    if not isinstance(rows, list | tuple) or not 0 < len(rows) <= MOST_ROWS:
        raise InvalidInput(fields={"rows": [_("Send 1 to %(most)d rows.") % {"most": MOST_ROWS}]})
    known = set(layout.names)
    if wrong := [str(place) for place, row in enumerate(rows) if not isinstance(row, Mapping) or not known & set(row)]:
        raise InvalidInput(fields={"rows": [_("Not a row of named values: %(rows)s.") % {"rows": listed(wrong[:20])}]})
    if not can_be_kept(rows):
        raise InvalidInput(fields={"rows": [_("A value holds characters that can't be kept.")]})
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, layout.names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return text.getvalue().encode()


def _office(actor: Actor, source: RecordSource, customer: Customer | None) -> Office:
    """The customer's office, or else the first at which the sender may send; the source's own for the system."""
    if customer is not None:
        return customer.office
    if actor.is_system or hasattr(source, "watchlist"):
        return source.office
    grant = next((grant for grant in actor.grants if grant.role in SENDERS), None)
    if grant is None:
        raise PermissionRefused(_("Your role does not allow this here."), event="create")
    return Office.objects.get(pk=grant.office_id)


def _customer(actor: Actor, customer_id: int | None) -> Customer | None:
    if customer_id is None:
        return None
    customer = importable_customers(actor).filter(pk=customer_id).first()
    if customer is None:
        raise NotFound(_("There is no such record."))
    return customer


def preview(record_import: RecordImport) -> Preview:
    """The headings and the first rows of a file that waits."""
    form = Form(**record_import.form)
    rows = [row.cells for row in first_rows(path_of(record_import.storage_name), form, 10, below_headings=True)]
    shown = hidden(form.headings, rows, suggested_for(record_import)) if record_import.layout == LIST else rows
    return Preview(form.headings, shown)


def suggested_for(record_import: RecordImport) -> dict[str, str]:
    """Column → heading: as settled, or else as far as it is recognised."""
    remembered = record_import.source.mappings.get(record_import.layout, {})
    return record_import.mapping or suggest(
        layout_of(record_import.layout), record_import.form.get("headings", []), remembered
    )


@use_case("start_import")
def start_import(
    *, actor: Actor, record_import_id: int, mapping: Mapping[str, str], expected_version: int | None = None
) -> RecordImport:
    """Settle which heading is which column and have a worker take the rows in. The source remembers the columns.

    Raises InvalidInput naming columns without a heading, and headings the file doesn't have.
    """
    with transition(
        RecordImport, record_import_id, "start", actor=actor, expected_version=expected_version
    ) as record_import:
        record_import.mapping = _checked_mapping(record_import, mapping)
        record_import.started_at = timezone.now()
    remembered = RecordSource.objects.select_for_update().get(pk=record_import.source_id)
    if remembered.mappings.get(record_import.layout) != record_import.mapping:
        remembered.mappings[record_import.layout] = record_import.mapping
        remembered.save(update_fields=["mappings"])
    after_commit("customers.tasks.run_import", record_import.pk)
    return record_import


def _checked_mapping(record_import: RecordImport, mapping: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(mapping, Mapping):
        raise InvalidInput(fields={"mapping": [_("Name a heading for each column.")]})
    layout, headings = layout_of(record_import.layout), record_import.form["headings"]
    given = {name: str(heading) for name, heading in mapping.items() if heading}
    errors = {
        name: [_("The file has no heading %(heading)s.") % {"heading": heading}]
        for name, heading in given.items()
        if heading not in headings
    }
    errors |= {name: [_("There is no such column.")] for name in given if name not in layout.names}
    taken = Counter(given.values())
    errors |= {
        name: [_("This heading is taken by another column.")] for name, heading in given.items() if taken[heading] > 1
    }
    if errors:
        raise InvalidInput(fields=errors)
    if lacking := missing(layout, given, one_customer=record_import.customer_id is not None):
        raise InvalidInput(
            fields={
                "mapping": [
                    _("Columns not found in the file: %(names)s. Its headings are: %(headings)s.")
                    % {"names": listed(lacking), "headings": listed(headings)}
                ]
            }
        )
    return given


@use_case("discard_import")
def discard_import(*, actor: Actor, record_import_id: int, expected_version: int | None = None) -> RecordImport:
    """Drop a file that was not started."""
    with transition(
        RecordImport, record_import_id, "discard", actor=actor, expected_version=expected_version
    ) as record_import:
        pass
    return record_import


@use_case("repeat_import")
def repeat_import(*, actor: Actor, record_import_id: int) -> RecordImport:
    """Take a file in once more, as a new import: firms may have become known meanwhile, or settings be new."""
    former = visible(RecordImport, actor).filter(pk=record_import_id).select_related("source").first()
    if former is None:
        raise NotFound(_("There is no such record."))
    if not may(actor, Transition("repeat", (), "", SENDERS), former):
        raise PermissionRefused(_("Your role does not allow this here."), event="repeat")
    with open_stored(former.storage_name) as file:
        again = receive_import(
            actor=actor,
            source_id=former.source_id,
            layout=former.layout,
            file=NamedFile(file, former.file_name),
            customer_id=former.customer_id,
            origin=former.origin,
            options=former.options if former.layout == RecordImport.Layout.LEADS else None,
        )
    return start_import(actor=actor, record_import_id=again.pk, mapping=former.mapping)


# --- the worker's part


def run_import(import_id: int) -> bool:
    """Take the rows of a started import in, from where it stands, after the earlier ones of its source.

    False when there is nothing to do here.

    Raises what went wrong after noting it; the import is tried again later.
    """
    source_id = RecordImport.objects.filter(pk=import_id).values_list("source_id", flat=True).first()
    if source_id is None:
        return False
    with presence(IMPORT_LOCK, source_id) as is_alone:
        record_import = RecordImport.objects.filter(pk=import_id, state="running").first() if is_alone else None
        if record_import is None or _earlier(record_import):
            return False
        try:
            _take_in(record_import)
        except InvalidInput as refusal:
            refuse_import(record_import_id=import_id, refusal=refusal.detail)
        except Exception as error:
            logger.exception("import failed", record_import=import_id)
            _note_failure(record_import, error)
            raise
    _hand_on(record_import)
    return True


def _earlier(record_import: RecordImport) -> bool:
    """Whether an earlier file of the source is still on its way: of two that differ, the later one is to stand."""
    rows = RecordImport.objects.filter(source_id=record_import.source_id, state="running", pk__lt=record_import.pk)
    return rows.filter(attempts__lt=WAITED_FOR).exists()


def _hand_on(record_import: RecordImport) -> None:
    rows = RecordImport.objects.filter(source_id=record_import.source_id, state="running", pk__gt=record_import.pk)
    following = rows.order_by("pk").values_list("pk", flat=True).first()
    if following is not None:
        after_commit("customers.tasks.run_import", following)


def _take_in(record_import: RecordImport) -> None:
    with open_lines(path_of(record_import.storage_name), Form(**record_import.form)) as stream:
        for _line in itertools.islice(stream, record_import.rows_done):
            pass
        chunk = record_import.chunks_done
        while import_chunk(record_import_id=record_import.pk, chunk=chunk, stream=stream):
            chunk += 1
    while settle_import(record_import_id=record_import.pk):
        pass
    finish_import(record_import_id=record_import.pk)


@use_case("import_chunk")
def import_chunk(*, record_import_id: int, chunk: int, stream: Stream) -> bool:
    """Check and merge the next rows, and note that chunk number `chunk` is done. False after the last."""
    record_import = _running(record_import_id)
    if record_import is None or record_import.chunks_done != chunk:
        return False
    # A watchlist speaks of nobody's customers, and its keepers have none.
    sender = system_actor() if record_import.layout == LIST else _sender(record_import)
    reach = importable_customers(sender).values("pk").query.sql_with_params()
    layout = layout_of(record_import.layout)
    size = min(parameter("import.chunk_rows"), layout.rows_at_once)
    with connection.cursor() as cursor:
        headings, mark = record_import.form["headings"], record_import.form["delimiter"]
        rows = stage(cursor, layout, headings, record_import.mapping, itertools.islice(stream, size), mark)
        if rows:
            counts = Counter(record_import.counts) + MERGES[record_import.layout](
                cursor, record_import, reach, business_date()
            )
            record_import.counts = counts | Counter({"rows": record_import.rows_done + rows})
            if rows < size and record_import.form["ends_open"]:
                note_open_end(cursor, record_import.pk)
            if chunk == 0 and record_import.form.get("other_sheets"):
                note_other_sheets(cursor, record_import.pk)
        _drop_temporary(cursor)
    RecordImport.objects.filter(pk=record_import.pk).update(
        rows_done=record_import.rows_done + rows,
        chunks_done=chunk + 1,
        percent_done=stream.percent,
        counts=dict(record_import.counts),
        last_error="",
    )
    return rows == size


def _drop_temporary(cursor: Any) -> None:
    """Inside somebody else's transaction (a test's) the tables would outlive the chunk."""
    cursor.execute("DISCARD TEMP")


def _sender(record_import: RecordImport) -> Actor:
    return actor_for(record_import.owner) if record_import.owner else system_actor()


def _running(import_id: int) -> RecordImport | None:
    rows = RecordImport.objects.select_for_update(of=("self",)).select_related("source", "owner")
    return rows.filter(pk=import_id, state="running").first()


@use_case("settle_import")
def settle_import(*, record_import_id: int) -> bool:
    """Work out the derived facts of the next customers the import touched. False when none are left.

    Also of an import that is done: its source's rules may have changed.
    """
    rows = RecordImport.objects.select_for_update(of=("self",)).select_related("source")
    record_import = rows.filter(pk=record_import_id, state__in=("running", "done")).first()
    touched = TouchedMonth.objects.filter(record_import_id=record_import_id)
    ids = list(touched.order_by("customer_id").values_list("customer_id", flat=True).distinct()[:CUSTOMERS_AT_ONCE])
    if record_import is None or not ids:
        return False
    these = touched.filter(customer_id__in=ids)
    span = these.aggregate(first=Min("month"), last=Max("month"))
    with connection.cursor() as cursor:
        cursor.execute(PLANNING)
        cursor.execute(
            "CREATE TEMP TABLE touched ON COMMIT DROP AS SELECT customer_id, month FROM customers_touchedmonth "
            "WHERE record_import_id = %s AND customer_id = ANY(%s)",
            [record_import_id, ids],
        )
        if record_import.layout in SHAPES:
            found: Mapping[str, int] = roll_up(cursor, record_import.source, record_import_id)
        else:
            end = (span["last"] + timedelta(days=32)).replace(day=1)
            found = settle(cursor, record_import.source, record_import_id, ids, span["first"], end)
        _drop_temporary(cursor)
    these.delete()
    counts = Counter(record_import.counts) + Counter(found)
    RecordImport.objects.filter(pk=record_import_id).update(counts=dict(counts))
    return True


@use_case("finish_import")
def finish_import(*, record_import_id: int) -> RecordImport | None:
    """Note that all rows are in. None where that was noted before."""
    if _running(record_import_id) is None:
        return None
    with transition(RecordImport, record_import_id, "finish", actor=system_actor()) as record_import:
        if record_import.layout == LIST:
            with connection.cursor() as cursor:
                record_import.counts |= end_missing(cursor, record_import)
            after_commit("customers.tasks.screen_book")
        record_import.percent_done = 100
        record_import.finished_at = timezone.now()
    return record_import


@use_case("refuse_import")
def refuse_import(*, record_import_id: int, refusal: str) -> RecordImport | None:
    """Stop an import whose file turned out not to be readable; rows taken in before stay."""
    if _running(record_import_id) is None:
        return None
    with transition(RecordImport, record_import_id, "refuse", actor=system_actor(), reason=refusal) as record_import:
        record_import.refusal = refusal
        record_import.finished_at = timezone.now()
    return record_import


def _note_failure(record_import: RecordImport, error: Exception) -> None:
    attempts = record_import.attempts + 1
    if attempts >= MOST_ATTEMPTS:
        refusal = _("The rows could not be taken in after %(number)d attempts; those before stay. %(error)s")
        refuse_import(
            record_import_id=record_import.pk,
            refusal=refusal % {"number": attempts, "error": type(error).__name__},
        )
    RecordImport.objects.filter(pk=record_import.pk, state="running").update(
        attempts=attempts,
        last_error=f"{type(error).__name__}: {error}"[:2000],
        next_attempt_at=timezone.now() + min(timedelta(seconds=2**attempts), LONGEST_WAIT),
    )


def unsettled_imports(limit: int = 20) -> list[int]:
    """Imports that are done and have months to be worked out anew."""
    rows = RecordImport.objects.filter(state="done", pk__in=TouchedMonth.objects.values("record_import_id"))
    return list(rows.order_by("pk").values_list("pk", flat=True)[:limit])


def waiting_imports(limit: int = 20) -> list[int]:
    """Started imports that are due to be taken up (again), the oldest first."""
    rows = RecordImport.objects.filter(state="running", next_attempt_at__lte=timezone.now()).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:limit])
