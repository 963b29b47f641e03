"""Big append-only tables are range-partitioned by month; migrations turn them, every migrate makes the months ahead."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

from django.db import connections
from django.utils import timezone

#: Table → the date column it is partitioned by.
PARTITIONED: dict[str, str] = {
    "branch_event": "business_date",
    "customers_externalrecord": "period_month",
    "customers_invoice": "invoice_date",
    "customers_recorddetail": "occurred_on",
    "loans_accrual": "date",
    "loans_journalline": "date",
    "postloan_loanday": "date",
}
YEARS_BACK, YEARS_AHEAD = 1, 1
#: Tables whose rows come with a longer past. What is older still lies in the default partition.
LONGER_PAST: dict[str, int] = dict.fromkeys(
    ("customers_externalrecord", "customers_invoice", "customers_recorddetail"), 4
)


def partition_table(schema_editor: Any, table: str) -> None:
    """Turn a table into a partitioned one with the same rows, columns, checks, indexes and foreign keys.

    The primary key becomes (id, date column), as Postgres asks of a partitioned table.
    """
    column = PARTITIONED[table]
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE conrelid = %s::regclass AND contype IN ('f', 'u')",
            [table],
        )
        constraints = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            "SELECT indexdef FROM pg_indexes i WHERE tablename = %s AND NOT EXISTS "
            "(SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname AND c.conrelid = %s::regclass)",
            [table, table],
        )
        indexes = [row[0] for row in cursor.fetchall()]
        cursor.execute(
            f"CREATE TABLE {table}_new (LIKE {table} INCLUDING DEFAULTS INCLUDING IDENTITY INCLUDING CONSTRAINTS) "
            f"PARTITION BY RANGE ({column})"
        )
        cursor.execute(f"ALTER TABLE {table} RENAME TO {table}_old")
        cursor.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
        cursor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")
        make_months(cursor, table, set())
        cursor.execute(f"INSERT INTO {table} SELECT * FROM {table}_old")
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"
        )
        cursor.execute(f"DROP TABLE {table}_old")
        cursor.execute(f"ALTER TABLE {table} ADD PRIMARY KEY (id, {column})")
        for definition in constraints:
            cursor.execute(f"ALTER TABLE {table} ADD {definition}")
        for definition in indexes:
            cursor.execute(definition)


def ensure_partitions(sender: Any = None, using: str = "default", **kwargs: Any) -> None:
    """Make the monthly partitions up to the end of next year. Runs after every migrate, as the owner."""
    with connections[using].cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p')")
        present = {row[0] for row in cursor.fetchall()}
        for table in PARTITIONED:
            if f"{table}_default" in present:
                make_months(cursor, table, present)


def make_months(cursor: Any, table: str, present: set[str]) -> None:
    """The partitions of a table from its first year to the end of next year, but for those that are there."""
    this_year = timezone.localdate().year
    first = this_year - LONGER_PAST.get(table, YEARS_BACK)
    for year, month in product(range(first, this_year + YEARS_AHEAD + 1), range(1, 13)):
        name = f"{table}_{year}_{month:02d}"
        if name in present:
            continue
        start = date(year, month, 1)
        end = date(year + month // 12, month % 12 + 1, 1)
        cursor.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')")
