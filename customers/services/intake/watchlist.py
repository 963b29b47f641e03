"""Entries of a watchlist: names made comparable, identity numbers digested and forgotten, changed lines superseding.

Names and numbers are worked on in Python, as only it can convert scripts, spell and digest; everything else is SQL.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any

from branch.domain.identity import IdentityError, parse_resident_id, parse_uscc
from branch.fields import lookup_digest
from customers.domain.names import keys_of
from customers.domain.screening import LONGEST, PIECES_FROM
from customers.models import RecordImport
from customers.services.intake.figures import lock_sources
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import counter_of, day, fill, trimmed

TEXTS = ("name", "uscc", "identity_number", "reference", "reason", "listed_on")
#: What stands in a finding in place of a number.
MASK = "***"
CHECKS = (
    Check("text", "", "c.is_broken"),
    Check("missing", "name", "c.name = '' OR k.name_key = ''"),
    Check("too_long", "name", f"length(c.name) > {LONGEST}"),
    Check("too_long", "reference", "length(c.reference) > 100"),
    Check("too_long", "reason", "length(c.reason) > 500"),
    Check("not_a_uscc", "uscc", "k.bad_uscc", "flagged"),
    Check("not_an_identity", "identity_number", "k.bad_identity", "flagged"),
    Check("not_a_date", "listed_on", "c.day IS NULL AND c.listed_on <> ''", "flagged"),
)
#: A run of digits as long as an identity number, in a line that has not even the right number of cells.
_NUMBERS = r"\d{14,17}[\dXx]"
_KEYED = (
    "line bigint, name_key text, core_key text, spelling text, uscc text, identity_digest text, line_key text, "
    "bad_uscc boolean, bad_identity boolean"
)


def merge_watchlist(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good. Rows by what became of them.

    Of several lines that are the same line of the list the last stands. A number that is none is flagged, and the
    entry kept by its name: to lose it would be worse.
    """
    watchlist = record_import.source.watchlist
    parameters = {
        "list": watchlist.pk,
        "source": record_import.source_id,
        "import": record_import.pk,
        "is_broken": record_import.form["has_broken_text"],
    }
    _key(cursor)
    _check(cursor, parameters)
    checks = [
        Check(c.code, c.field, cursor.mogrify(c.found.replace("k.", "c."), parameters).decode(), c.weight)
        for c in CHECKS
    ]
    write_findings(cursor, record_import.pk, checks)
    return _merge(cursor, parameters)


def _key(cursor: Any) -> None:
    """`keyed`: what each staged row is compared by. The numbers themselves are gone from `staged` afterwards."""
    texts = ", ".join(trimmed(name) for name in ("name", "uscc", "identity_number", "reference"))
    cursor.execute(f"SELECT line, {texts} FROM staged WHERE problem = ''")
    fill(cursor, "keyed", _KEYED, [_keyed(*row) for row in cursor.fetchall()])
    cursor.execute(
        "UPDATE staged SET raw = regexp_replace(raw, %s, %s, 'g'), "
        "identity_number = CASE WHEN identity_number = '' THEN '' ELSE %s END",
        [_NUMBERS, MASK, MASK],
    )


def _keyed(line: int, name: str, uscc: str, identity: str, reference: str) -> tuple[Any, ...]:
    keys = keys_of(name[:LONGEST])
    code, digest = _parsed(parse_uscc, uscc), _parsed(parse_resident_id, identity)
    digest = lookup_digest(digest) if digest else ""
    line_key = hashlib.sha256(f"{reference}|{digest or code or keys.key}".encode()).hexdigest()
    marks = (bool(given and not read) for given, read in ((uscc, code), (identity, digest)))
    named = (keys.key[:LONGEST], keys.core[:LONGEST], keys.spelling[:600])
    return line, *named, code, digest, line_key, *marks


def _parsed(parse: Callable[[str], str], text: str) -> str:
    with suppress(IdentityError):
        return parse(text)
    return ""


def _check(cursor: Any, parameters: dict[str, Any]) -> None:
    texts = ", ".join(f"{trimmed(name)} AS {name}" for name in TEXTS if name != "uscc")
    notable = " OR ".join(f"({check.found})" for check in CHECKS)
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH texts AS (SELECT line, {texts} FROM staged WHERE problem = '' OFFSET 0),
        read AS (
            SELECT *, {day("listed_on")} AS day,
                   %(is_broken)s AND concat(name, reason, reference) LIKE '%%{BROKEN}%%' AS is_broken
            FROM texts OFFSET 0
        )
        SELECT c.line, c.name, c.reference, c.reason, c.listed_on, c.day, c.is_broken, k.name_key, k.core_key,
               k.spelling, k.uscc, k.identity_digest, k.line_key, k.bad_uscc, k.bad_identity,
               coalesce({any_of(CHECKS)}, true) AS is_rejected, coalesce({notable}, true) AS is_notable,
               hash_record_extended(ROW(c.name, k.uscc, k.identity_digest, c.reason, c.reference, c.day), 0) AS content
        FROM read c JOIN keyed k USING (line)
        """,
        parameters,
    )


_COLUMNS = "name, name_key, core_key, spelling, uscc, identity_digest, reason, reference, line_key, content"


def _merge(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    lock_sources(cursor, [parameters["source"]])
    for statement in (
        """
        CREATE TEMP TABLE known ON COMMIT DROP AS
        SELECT f.*, e.id AS former_id, e.content AS former
        FROM (SELECT DISTINCT ON (line_key) * FROM checked WHERE NOT is_rejected ORDER BY line_key, line DESC) f
        LEFT JOIN customers_watchlistentry e
             ON e.watchlist_id = %(list)s AND e.line_key = f.line_key AND e.ended_at IS NULL
        """,
        """
        UPDATE customers_watchlistentry e
        SET seen_import_id = greatest(e.seen_import_id, %(import)s),
            ended_at = CASE WHEN k.former <> k.content THEN clock_timestamp() END
        FROM known k WHERE e.id = k.former_id
        """,
        f"""
        CREATE TEMP TABLE fresh ON COMMIT DROP AS
        WITH made AS (
            INSERT INTO customers_watchlistentry
                (watchlist_id, {_COLUMNS}, listed_on, record_import_id, seen_import_id, supersedes_id)
            SELECT %(list)s, {_COLUMNS}, day, %(import)s, %(import)s, former_id
            FROM known WHERE former IS NULL OR former <> content
            RETURNING id, core_key, supersedes_id
        ) SELECT * FROM made
        """,
        # What people decided goes on with the line; the comparison of the whole book sees whether it still holds.
        "UPDATE customers_screeninghit h SET entry_id = f.id FROM fresh f WHERE h.entry_id = f.supersedes_id",
        "DELETE FROM customers_watchlistpiece p USING fresh f WHERE p.entry_id = f.supersedes_id",
        f"""
        INSERT INTO customers_watchlistpiece (entry_id, piece, position, length)
        SELECT f.id, substr(f.core_key, p, 2), p, char_length(f.core_key)
        FROM fresh f, generate_series(1, char_length(f.core_key) - 1) p WHERE char_length(f.core_key) >= {PIECES_FROM}
        """,
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, c.line, '', 'noted', CASE WHEN c.content = k.content THEN 'identical' ELSE 'replaced' END,
               {RAW}
        FROM checked c JOIN known k USING (line_key) JOIN staged s ON s.line = c.line
        WHERE NOT c.is_rejected AND c.line < k.line
        """,
    ):
        cursor.execute(statement, parameters)
    cursor.execute(
        """
        SELECT (SELECT count(*) FROM checked WHERE is_rejected)
                   + (SELECT count(*) FROM staged WHERE problem <> '') AS rejected,
               count(*) FILTER (WHERE former IS NULL) AS accepted,
               count(*) FILTER (WHERE former <> content) AS replaced,
               count(*) FILTER (WHERE former = content) AS unchanged,
               (SELECT count(*) FROM checked WHERE NOT is_rejected) - count(*) AS overtaken
        FROM known
        """
    )
    return counter_of(cursor)


def hidden(headings: list[str], rows: list[list[str]], mapping: dict[str, str]) -> list[list[str]]:
    """Rows of a preview with identity numbers masked, wherever they stand."""
    place = headings.index(mapping["identity_number"]) if mapping.get("identity_number") in headings else -1
    return [
        [
            MASK if cell and (at == place or re.fullmatch(_NUMBERS, cell.strip())) else cell
            for at, cell in enumerate(row)
        ]
        for row in rows
    ]


def end_missing(cursor: Any, record_import: RecordImport) -> Counter[str]:
    """End the entries that the whole list no longer has.

    A file of which a row was not read could lack an entry that is there: it ends nothing.
    """
    watchlist = record_import.source.watchlist
    if not watchlist.is_complete:
        return Counter()
    if record_import.counts.get("rejected") or not record_import.counts.get("rows") or record_import.form["ends_open"]:
        return Counter({"not_ended": 1})
    cursor.execute(
        """
        WITH ended AS (
            UPDATE customers_watchlistentry SET ended_at = now()
            WHERE watchlist_id = %s AND ended_at IS NULL AND seen_import_id < %s RETURNING id
        ), pieces AS (DELETE FROM customers_watchlistpiece p USING ended e WHERE p.entry_id = e.id)
        SELECT count(*) AS ended FROM ended
        """,
        [watchlist.pk, record_import.pk],
    )
    return +counter_of(cursor)
