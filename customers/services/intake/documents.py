"""Orders and receivables between anchor and members: checked, merged, and what they carry worked out."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from branch.domain.actor import system_actor
from branch.queries.actors import actor_for
from branch.services.events import record
from customers.domain.names import name_key
from customers.models import ChainDocument, RecordImport
from customers.services.financeable import work_out
from customers.services.intake.figures import lock_sources
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.members import cluster_of, counted, usable_uscc
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import day, fill, number, one_of, trimmed, within

KIND_WORDS: dict[str, tuple[str, ...]] = {
    ChainDocument.Kind.ORDER.value: ("order", "purchase order", "po", "订单", "采购订单"),
    ChainDocument.Kind.RECEIVABLE.value: ("receivable", "invoice", "应收", "应收账款", "应收款"),
}
TEXTS = ("member", "document_kind", "document_number", "document_amount", "open_amount", "issued_on", "due_on")
CHECKS = (
    Check("text", "", "c.is_broken"),
    Check("unknown_member", "member", "c.member_id IS NULL"),
    Check("unknown_kind", "document_kind", "c.kind IS NULL"),
    Check("missing", "document_number", "c.number = ''"),
    Check("too_long", "document_number", "length(c.number) > 60"),
    Check("not_an_amount", "document_amount", "c.amount IS NULL OR c.amount < 0"),
    Check("not_an_amount", "open_amount", "c.open_amount IS NULL OR c.open_amount < 0"),
    Check("open_above_amount", "open_amount", "coalesce(c.open_amount > c.amount, false)"),
    Check("not_a_date", "issued_on", "c.issued_on IS NULL"),
    Check("future", "issued_on", "coalesce(c.issued_on > %(today)s, false)"),
    Check("not_a_date", "due_on", "c.due_on_sent AND c.due_on IS NULL"),
)
KEY = "member_id, kind, number"
VALUES = "amount, open_amount, issued_on, due_on"


def merge_documents(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good into the cluster of the source. Rows by what became of them.

    A member is named by its USCC or its name. A document sent again with other values replaces the former, which is
    kept as superseded. Raises InvalidInput where source or sender are not the cluster's.
    """
    cluster = cluster_of(record_import)
    parameters = {
        "import": record_import.pk,
        "source_id": record_import.source_id,
        "cluster": cluster.pk,
        "today": today,
        "is_broken": record_import.form["has_broken_text"],
    }
    _name_members(cursor, parameters)
    _check(cursor, parameters)
    checks = [Check(c.code, c.field, cursor.mogrify(c.found, parameters).decode(), c.weight) for c in CHECKS]
    write_findings(cursor, record_import.pk, checks)
    counts = _merge(cursor, parameters)
    cursor.execute("SELECT DISTINCT member_id FROM known WHERE former_id IS NULL OR is_changed")
    work_out(cluster, today, [row[0] for row in cursor.fetchall()])
    actor = actor_for(record_import.owner) if record_import.owner else system_actor()
    record("cluster.take_in_documents", cluster, actor=actor, before={}, after={"import": record_import.pk, **counts})
    return counts


def _name_members(cursor: Any, parameters: dict[str, Any]) -> None:
    """`firm_of`: each member named in `staged` with its key."""
    cursor.execute(f"SELECT DISTINCT {trimmed('member')} FROM staged WHERE problem = ''")
    names = [(name, name_key(name), usable_uscc(name) or "") for (name,) in cursor.fetchall()]
    fill(cursor, "worked", "name text, name_key text, good_uscc text", names)
    cursor.execute(
        """
        CREATE TEMP TABLE firm_of ON COMMIT DROP AS
        SELECT w.name, coalesce(
            (SELECT m.id FROM customers_clustermember m
             WHERE m.cluster_id = %(cluster)s AND m.uscc = w.good_uscc AND w.good_uscc <> ''),
            -- A name that two members have names neither.
            (SELECT min(m.id) FROM customers_clustermember m
             WHERE m.cluster_id = %(cluster)s AND m.name_key = w.name_key AND w.name_key <> '' HAVING count(*) = 1)
        ) AS member_id
        FROM worked w
        """,
        parameters,
    )


def _check(cursor: Any, parameters: dict[str, Any]) -> None:
    texts = ", ".join(f"{trimmed(name)} AS {name}" for name in TEXTS)
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH texts AS (SELECT line, {texts} FROM staged WHERE problem = '' OFFSET 0),
        read AS (
            SELECT line, f.member_id, {one_of("document_kind", KIND_WORDS)} AS kind, document_number AS number,
                   {number("document_amount")} AS amount,
                   CASE WHEN open_amount = '' THEN {number("document_amount")} ELSE {number("open_amount")} END
                       AS open_amount,
                   {day("issued_on")} AS issued_on, {day("due_on")} AS due_on, due_on <> '' AS due_on_sent,
                   %(is_broken)s AND concat({", ".join(TEXTS)}) LIKE '%%{BROKEN}%%' AS is_broken
            FROM texts LEFT JOIN firm_of f ON f.name = texts.member OFFSET 0
        ), sized AS (
            SELECT line, member_id, kind, number, issued_on, due_on, due_on_sent, is_broken,
                   {within("amount")} AS amount, {within("open_amount")} AS open_amount
            FROM read OFFSET 0
        )
        SELECT c.*, coalesce({any_of(CHECKS)}, true) AS is_rejected, coalesce({any_of(CHECKS)}, true) AS is_notable
        FROM sized c
        """,
        parameters,
    )


def _merge(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    lock_sources(cursor, [parameters["source_id"]])
    for statement in (
        f"""
        CREATE TEMP TABLE known ON COMMIT DROP AS
        SELECT f.*, d.id AS former_id,
               d.id IS NOT NULL AND (f.amount, f.open_amount, f.issued_on, f.due_on)
                   IS DISTINCT FROM (d.amount, d.open_amount, d.issued_on, d.due_on) AS is_changed
        FROM (SELECT DISTINCT ON ({KEY}) {KEY}, {VALUES}, line FROM checked WHERE NOT is_rejected
              ORDER BY {KEY}, line DESC) f
        LEFT JOIN customers_chaindocument d ON d.member_id = f.member_id AND d.kind = f.kind AND d.number = f.number
             AND d.superseded_at IS NULL
        """,
        """
        UPDATE customers_chaindocument d SET superseded_at = now() FROM known k
        WHERE d.id = k.former_id AND k.is_changed
        """,
        f"""
        INSERT INTO customers_chaindocument (cluster_id, {KEY}, {VALUES}, record_import_id, line)
        SELECT %(cluster)s, {KEY}, {VALUES}, %(import)s, line FROM known WHERE former_id IS NULL OR is_changed
        """,
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, c.line, 'document_number', 'noted', 'document_twice', {RAW}
        FROM checked c JOIN known k USING ({KEY}) JOIN staged s ON s.line = c.line
        WHERE NOT c.is_rejected AND c.line < k.line
        """,
    ):
        cursor.execute(statement, parameters)
    return counted(cursor)
