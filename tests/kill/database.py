"""The whole database as one thing: compared to the byte, read as values, kept and put back."""

from __future__ import annotations

import io
import json
import re
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from branch.fields import EncryptedText

Contents = dict[str, list[str]]
#: What Django keeps about itself.
NOT_OURS = ("django_migrations", "django_content_type", "auth_permission", "django_celery_beat_%")
#: Random by nature, or counting attempts, which a crash may add to.
VOLATILE = {
    "branch_attachment": {"storage_name"},
    "branch_outboxmessage": {"attempts"},
    "branch_seal": {"row_digests", "digest", "previous_head", "head"},
    "branch_user": {"password"},
    "customers_recordimport": {"storage_name"},
    "customers_referrallink": {"token"},
    "knox_authtoken": {"digest", "token_key"},
    "postloan_sweepshard": {"attempts", "claim"},
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")


@dataclass(frozen=True)
class Kept:
    """Every row of every table as COPY writes it, with the table's fingerprint."""

    prints: dict[str, str]
    rows: dict[str, str]


@cache
def tables() -> dict[str, str]:
    """Our tables, each with its columns as a list for SQL; a partition is part of its table."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
            WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
              AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' AND c.relname NOT LIKE ALL (%s)
            GROUP BY c.relname ORDER BY c.relname
            """,
            [list(NOT_OURS)],
        )
        return dict(cursor.fetchall())


def fingerprint() -> dict[str, str]:
    """A digest of each table over its rows as they stand, to the microsecond."""
    return dict(_of_all("fingerprints", "md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), ''))"))


def contents() -> Contents:
    """The rows of each table as sorted JSON, personal data in clear; a moment is only there or not."""
    found = _of_all("contents", "coalesce(jsonb_agg(to_jsonb(t)), '[]')::text")
    return {table: sorted(_plain(table, row) for row in json.loads(rows)) for table, rows in found}


def differences(expected: Contents, found: Contents) -> list[str]:
    """Rows that are missing, and rows that are too many."""
    lines = []
    for table in expected:
        missing, surplus = list(expected[table]), []
        for row in found[table]:
            missing.remove(row) if row in missing else surplus.append(row)
        lines += [f"- {table} {row}" for row in missing] + [f"+ {table} {row}" for row in surplus]
    return lines


def keep(before: Kept | None = None) -> Kept:
    """`before` spares reading again what has not changed since."""
    prints = fingerprint()
    known = {table: before.rows[table] for table in prints if before and before.prints[table] == prints[table]}
    return Kept(prints, {table: known.get(table) or _copy_out(table) for table in prints})


def put_back(kept: Kept) -> None:
    """Make every row what it was. Foreign keys are looked at when all rows stand."""
    now = fingerprint()
    changed = [table for table in tables() if now[table] != kept.prints[table]]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in changed:
            cursor.execute(f"DELETE FROM {table}")
        for table in changed:
            _raw().copy_expert(f"COPY {table} ({tables()[table]}) FROM STDIN", io.StringIO(kept.rows[table]))
    align_sequences()


def align_sequences() -> None:
    """Take back the numbers that rolled-back work has used up, so that ids can be compared too."""
    with connection.cursor() as cursor:
        cursor.execute(_align_statement())


def sessions() -> set[int]:
    """Who else is connected to this database, by the process id of the server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def wait_until_gone(others: set[int], seconds: float = 20) -> None:
    """The server has noticed that a killed process is gone, and undone what it had not committed."""
    deadline = time.monotonic() + seconds
    while left := sessions() - others:
        if time.monotonic() > deadline:
            raise TimeoutError(f"still connected: {left}")
        time.sleep(0.005)


# --- inside


def _of_all(function: str, value: str) -> list[tuple[str, str]]:
    """Of each table `t` one value. As a function of this session, whose plans the server keeps."""
    queries = "".join(f"RETURN QUERY SELECT '{t}', {value} FROM {t} t;\n" for t in tables())
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regprocedure(%s)", [f"pg_temp.{function}()"])
        if cursor.fetchone() == (None,):
            cursor.execute(
                f"CREATE FUNCTION pg_temp.{function}() RETURNS TABLE (of text, found text) LANGUAGE plpgsql"
                f" SET jit = off AS $body$ BEGIN {queries} END $body$"
            )
        cursor.execute(f"SELECT * FROM pg_temp.{function}()")
        return cursor.fetchall()


def _raw() -> Any:
    connection.ensure_connection()
    return connection.connection.cursor()


def _copy_out(table: str) -> str:
    written = io.StringIO()
    _raw().copy_expert(f"COPY (SELECT {tables()[table]} FROM {table}) TO STDOUT", written)
    return written.getvalue()


@cache
def _align_statement() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t, pg_get_serial_sequence(t, 'id') FROM unnest(%s) t JOIN pg_attribute a"
            " ON a.attrelid = t::regclass AND a.attname = 'id'",
            [list(tables())],
        )
        numbered = [(table, sequence) for table, sequence in cursor.fetchall() if sequence]
    return " UNION ALL ".join(
        f"SELECT setval('{sequence}', coalesce(max(id), 1), max(id) IS NOT NULL) FROM {table}"
        for table, sequence in numbered
    )


@cache
def _encrypted() -> dict[tuple[str, str], EncryptedText]:
    return {
        (model._meta.db_table, str(field.column)): field
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, EncryptedText)
    }


def _plain(table: str, row: dict[str, Any]) -> str:
    for column in VOLATILE.get(table, ()):
        row.pop(column)
    for column, value in row.items():
        field = _encrypted().get((table, column))
        row[column] = field.from_db_value(value, None, connection) if field else _without_moments(value)
    if row.get("step") == "seal":  # its digest is that of the day's events, moments and all
        row.pop("digest")
    if row.get("name") == "sweep_run.seal":
        row["after"].pop("digest")
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def _without_moments(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_moments(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_moments(item) for item in value]
    return "a moment" if isinstance(value, str) and MOMENT.match(value) else value
