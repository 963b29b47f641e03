"""How long an import takes against a bare COPY of the same file, and how much memory; in a database of its own."""

from __future__ import annotations

import csv
import gc
import random
import re
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from branch.bench.database import scratch_database
from branch.domain.actor import system_actor
from branch.models import BusinessDay, Office, User
from branch.queries.business_date import business_date
from branch.services.file_store import path_of
from customers.models import Customer, FirmCode, InvoiceMonth, RecordImport, RecordSource
from customers.services import imports

FIRMS, PARTIES, MONTHS = 100, 40, 30
HEADINGS = ("企业代号", "发票号码", "开票日期", "购方单位代号", "金额", "税额", "价税合计", "发票状态")
FILE_COLUMNS = "firm, number, invoice_date, counterparty, amount, tax, total, status"
#: The columns of the file alone, nothing to keep in order.
PLAIN = [
    """CREATE TABLE bench_copy (firm text, number text, invoice_date date, counterparty text, amount numeric(16,2),
                                tax numeric(16,2), total numeric(16,2), status text)"""
]


def equal() -> list[str]:
    """The invoices' own table once more: columns, checks, keys, a partition per month.

    COPY can't look a firm up or hash a row: the firm's code stands as text, and chance fills the key.
    """
    return [
        "CREATE TABLE bench_copy (LIKE customers_invoice INCLUDING ALL) PARTITION BY RANGE (invoice_date)",
        "ALTER TABLE bench_copy ADD firm text, ALTER status TYPE text",
        *(f"ALTER TABLE bench_copy ALTER {column} SET DEFAULT {value}" for column, value in DEFAULTS.items()),
        "CREATE TABLE bench_copy_default PARTITION OF bench_copy DEFAULT",
        """DO $$ DECLARE part record; BEGIN
            FOR part IN SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) AS bound FROM pg_inherits
                JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'customers_invoice'::regclass
                AND c.relname <> 'customers_invoice_default'
            LOOP EXECUTE format('CREATE TABLE bench_%s PARTITION OF bench_copy %s', part.relname, part.bound); END LOOP;
        END $$""",
    ]


DEFAULTS = {
    "customer_id": "1",
    "source_id": "1",
    "direction": "'sale'",
    "content": "(random() * 9e18)::bigint",
    "copies": "1",
    "is_off_total": "false",
    "has_twin": "false",
    "record_import_id": "1",
    "line": "1",
    "seen_import_id": "1",
    "seen_copies": "1",
}


class Command(BaseCommand):
    help = "Compare an import of invoices, end to end, with a bare COPY of the same file into an equal table."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rows", type=int, default=300_000)
        parser.add_argument("--repeat", type=int, default=3, help="copies timed; the median counts")

    def handle(self, *args: Any, rows: int, repeat: int, **options: Any) -> None:
        with scratch_database():
            BusinessDay.objects.create(date=date(2026, 3, 2))
            self.measure_file(rows, repeat)

    def measure_file(self, rows: int, repeat: int) -> None:
        """On an open business day, in a database with no invoices."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "invoices.csv"
            write_file(path, rows, business_date() - timedelta(days=MONTHS * 30))
            self.measure(path, rows, repeat)

    def measure(self, path: Path, rows: int, repeat: int) -> None:
        plain, keyed = self.copy(path, PLAIN, repeat), self.copy(path, equal(), repeat)
        source = make_bank()
        idle = forget_peak()
        begun = time.perf_counter()
        with path.open("rb") as file:
            started = imports.receive_import(
                actor=system_actor(), source_id=source.pk, layout="sales_invoices", file=file, start=True
            )
        received = time.perf_counter()
        imports.run_import(started.pk)
        took = time.perf_counter() - begun
        growth = peak_mb() - idle
        done = RecordImport.objects.get(pk=started.pk)
        path_of(done.storage_name).unlink(missing_ok=True)
        if done.state != "done" or done.counts.get("accepted", 0) + done.counts.get("identical", 0) != rows:
            raise CommandError(f"The import did not come out whole: {done.state} {done.counts} {done.last_error}")
        months = InvoiceMonth.objects.filter(source=source).count()
        say = self.stdout.write
        say(f"{rows} rows, {path.stat().st_size / 1e6:.1f} MB, {FIRMS} firms; {months} months derived")
        say(f"bare COPY, equal table        {keyed:.2f} s (same columns, keys and partitions)")
        say(f"bare COPY, no keys            {plain:.2f} s")
        say(f"import, end to end            {took:.2f} s ({received - begun:.2f} s of it to receive the file)")
        say(f"ratio                         {took / keyed:.2f} (bound 5); to the COPY without keys {took / plain:.2f}")
        say(f"memory over idle              {growth:.1f} MB (bound 50)")

    def copy(self, path: Path, ddl: list[str], repeat: int) -> float:
        """Seconds of the median COPY."""
        times = []
        for _turn in range(repeat):
            with connection.cursor() as cursor:
                for statement in ddl:
                    cursor.execute(statement)
                begun = time.perf_counter()
                with path.open("rb") as file:
                    cursor.copy_expert(f"COPY bench_copy ({FILE_COLUMNS}) FROM STDIN (FORMAT csv, HEADER)", file)
                times.append(time.perf_counter() - begun)
                cursor.execute("DROP TABLE bench_copy")
        return statistics.median(times)


def make_bank() -> RecordSource:
    """An office with a source and firms it knows by its own codes."""
    office = Office.objects.create(code="BENCH", name="bench", kind="head_office", path="/0/")
    owner = User.objects.create(username="bench-owner", office=office)
    source = RecordSource.objects.create(office=office, code="bench", name="bench")
    firms = Customer.objects.bulk_create(
        Customer(office=office, owner=owner, kind="company", name=f"bench {n}", contact_name="x") for n in range(FIRMS)
    )
    FirmCode.objects.bulk_create(FirmCode(source=source, code=f"E{n}", customer=firm) for n, firm in enumerate(firms))
    return source


def write_file(path: Path, rows: int, first: date) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADINGS)
        writer.writerows(invoices(rows, first))


def invoices(rows: int, first: date) -> Iterator[tuple[Any, ...]]:
    """Firm after firm, day after day, as a tax office exports them; voids, red ones and repeated rows among them."""
    chance = random.Random(20260302)
    days = MONTHS * 30
    row: tuple[Any, ...] = ()
    for number in range(rows):
        if row and chance.random() < 0.01:
            yield row
            continue
        firm, place = divmod(number * FIRMS, rows)
        cents = chance.randint(1_00, 90_000_00) * (-1 if chance.random() < 0.04 else 1)
        tax = cents * 13 // 100
        state = "作废发票" if chance.random() < 0.05 else "有效发票"
        day = first + timedelta(days=place * days // rows)
        party = f"B{firm:03d}{chance.randint(1, PARTIES):03d}"
        row = (f"E{firm}", 10_000_000 + number, day, party, cents / 100, tax / 100, (cents + tax) / 100, state)
        yield row


def forget_peak() -> float:
    """What the process holds now, in MB; from here on, `peak_mb` tells the most it held since, where Linux can."""
    gc.collect()
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak_mb()


def peak_mb() -> float:
    """The most memory this process held, in MB: since `forget_peak`, or ever where there is no /proc."""
    with suppress(OSError):
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
