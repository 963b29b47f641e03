"""VAT invoices: staged text checked and merged into the table, a chunk at a time, every step one statement."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from customers.models import Invoice, RecordImport
from customers.services.intake.figures import lock_sources
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.firms import match_firms
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import counter_of, day, month, number, one_of, trimmed, within

DIRECTIONS = {
    RecordImport.Layout.SALES_INVOICES: Invoice.Direction.SALE,
    RecordImport.Layout.PURCHASE_INVOICES: Invoice.Direction.PURCHASE,
}
STATUS_WORDS = {
    "valid": ("有效发票", "有效", "正常", "正常发票", "正数发票", "蓝字发票", "valid", "normal", "ok", "issued"),
    "void": ("作废发票", "作废", "已作废", "void", "voided", "cancelled", "canceled"),
    # Says by its name what others say by the sign.
    "red": ("红字发票", "负数发票", "红冲发票", "红字", "red", "negative", "credit note"),
}
TEXTS = ("firm", "number", "invoice_date", "counterparty", "amount", "tax", "total", "status")
CHECKS = (
    Check("text", "", "c.is_broken"),
    Check("unknown_firm", "firm", "c.customer_id IS NULL"),
    Check("missing", "number", "c.number = ''"),
    Check("too_long", "number", "length(c.number) > 40"),
    Check("not_a_date", "invoice_date", "c.invoice_date IS NULL"),
    Check("future", "invoice_date", "c.invoice_date > %(today)s"),
    Check("too_long", "counterparty", "length(c.counterparty) > 120"),
    Check("not_an_amount", "amount", "c.amount IS NULL"),
    Check("not_an_amount", "tax", "c.tax IS NULL"),
    Check("not_an_amount", "total", "c.total IS NULL"),
    Check("unknown_status", "status", "c.status IS NULL"),
)
REMARKS = (
    Check("off_total", "total", "c.is_off_total", "flagged"),
    Check("zero_valid", "total", "c.is_zero AND c.status = 'valid'", "flagged"),
    Check("red_turned", "total", "c.is_turned", "noted"),
    Check("blanks", "status", "c.has_blanks", "noted"),
)
AMOUNTS = ("amount", "tax", "total")


def merge_invoices(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good. Rows by what became of them, and by what they are."""
    source = record_import.source
    parameters = {
        "import": record_import.pk,
        "source": source.pk,
        "direction": DIRECTIONS[RecordImport.Layout(record_import.layout)].value,
        "tolerance": source.total_tolerance,
        "today": today,
        "is_broken": record_import.form["has_broken_text"],
    }
    match_firms(cursor, record_import, reach)
    _check(cursor, parameters)
    counts = _count(cursor)
    if not counts.pop("notable"):
        return counts + _merge(cursor, parameters)
    checks = [Check(c.code, c.field, cursor.mogrify(c.found, parameters).decode(), c.weight) for c in CHECKS + REMARKS]
    write_findings(cursor, record_import.pk, checks)
    return counts + _merge(cursor, parameters)


def _check(cursor: Any, parameters: dict[str, Any]) -> None:
    """`checked`: the values of each staged row, what is odd about it, and the hash of its content.

    OFFSET 0 keeps Postgres from folding the levels into one, where each expression would be worked out many times.
    """

    def amounts(form: str) -> str:
        return ", ".join(f"{form.format(name)} AS {name}" for name in AMOUNTS)

    lengths = " + ".join(f"length({name})" for name in TEXTS)
    texts = ", ".join(f"{trimmed(name)} AS {name}" for name in TEXTS)
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH texts AS (
            SELECT line, CASE WHEN raw = '' THEN -1 ELSE {lengths} END AS raw_length, {texts}
            FROM staged WHERE problem = '' OFFSET 0
        ), worded AS (
            SELECT line, firm, number, invoice_date, counterparty, amount, tax, total,
                   {one_of("status", STATUS_WORDS)} AS status,
                   raw_length >= 0 AND {lengths} <> raw_length AS has_blanks,
                   %(is_broken)s AND concat({", ".join(TEXTS)}) LIKE '%%{BROKEN}%%' AS is_broken
            FROM texts OFFSET 0
        ), read AS (
            -- A void invoice may come without figures; it counts for nothing.
            SELECT line, firm, number, counterparty, status, has_blanks, is_broken,
                   {day("invoice_date")} AS invoice_date,
                   {amounts("CASE WHEN {0} = '' AND status = 'void' THEN 0 ELSE " + number("{0}") + " END")}
            FROM worded OFFSET 0
        ), sized AS (
            SELECT line, firm, number, counterparty, invoice_date, has_blanks, is_broken,
                   CASE WHEN status = 'red' THEN 'valid' ELSE status END AS status,
                   status = 'red' AND total > 0 AS is_turned,
                   {amounts("(CASE WHEN status = 'red' THEN -abs({0}) ELSE {0} END)")}
            FROM (SELECT line, firm, number, counterparty, status, invoice_date, has_blanks, is_broken,
                         {amounts(within("{0}") + "::numeric(16,2)")} FROM read OFFSET 0) r OFFSET 0
        ), judged AS (
            SELECT c.*, coalesce({any_of(CHECKS)}, true) AS is_rejected,
                   coalesce(abs(c.amount + c.tax - c.total) > %(tolerance)s, false) AS is_off_total,
                   coalesce(c.amount = 0 AND c.tax = 0 AND c.total = 0, false) AS is_zero
            FROM (SELECT s.*, f.customer_id FROM sized s LEFT JOIN firm_of f USING (firm) OFFSET 0) c OFFSET 0
        )
        SELECT *,
               is_rejected OR is_off_total OR has_blanks OR is_turned OR (is_zero AND status = 'valid') AS is_notable,
               CASE WHEN NOT is_rejected THEN hash_record_extended(
                   ROW(%(source)s::bigint, %(direction)s::text, number, counterparty, amount, tax, total, status), 0)
               END AS content
        FROM judged
        """,
        parameters,
    )


def _count(cursor: Any) -> Counter[str]:
    good = "NOT is_rejected AND"
    cursor.execute(
        f"""
        SELECT count(*) FILTER (WHERE is_rejected) + (SELECT count(*) FROM staged WHERE problem <> '') AS rejected,
               count(*) FILTER (WHERE {good} status = 'void') AS void,
               count(*) FILTER (WHERE {good} status = 'void' AND is_zero) AS zero_void,
               count(*) FILTER (WHERE {good} status = 'valid' AND total < 0) AS negative,
               count(*) FILTER (WHERE {good} is_off_total) AS off_total,
               count(*) FILTER (WHERE {good} has_blanks) AS blanks,
               count(*) FILTER (WHERE is_notable) + (SELECT count(*) FROM staged WHERE problem <> '') AS notable
        FROM checked
        """
    )
    return counter_of(cursor)


#: A row is the same row by these; the rest follows from them.
KEY = "customer_id, invoice_date, content"


def _merge(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    """Insert the rows that are new, count the others. Rows by whether they were new, known or repeated.

    Copies of a row in this import add up over its chunks; the largest import counts. Imports of one source merge one
    after the other: what `known` doesn't know, nobody else inserts meanwhile.
    """
    lock_sources(cursor, [parameters["source"]])
    for statement in (
        f"""
        CREATE TEMP TABLE repeated ON COMMIT DROP AS
        SELECT {KEY}, count(*)::integer AS copies, min(line) AS first_line
        FROM checked WHERE NOT is_rejected GROUP BY {KEY} HAVING count(*) > 1
        """,
        f"""
        CREATE TEMP TABLE known ON COMMIT DROP AS
        WITH span AS (
            SELECT array_agg(DISTINCT customer_id) AS customers, min(invoice_date) AS first, max(invoice_date) AS last
            FROM checked WHERE NOT is_rejected
        ), there AS (
            SELECT i.customer_id, i.invoice_date, i.content, i.seen_import_id = %(import)s AS is_ours, i.seen_copies
            FROM customers_invoice i
            WHERE i.customer_id = ANY((SELECT customers FROM span)::bigint[])
              AND i.invoice_date BETWEEN (SELECT first FROM span) AND (SELECT last FROM span)
            OFFSET 0
        )
        SELECT {KEY}, is_ours, CASE WHEN is_ours THEN seen_copies ELSE 0 END AS before, count(*)::integer AS copies
        FROM checked JOIN there USING ({KEY}) WHERE NOT is_rejected
        GROUP BY {KEY}, is_ours, seen_copies
        """,
        f"""
        INSERT INTO customers_invoice
            (customer_id, source_id, direction, number, invoice_date, counterparty, amount, tax, total, status,
             content, copies, is_off_total, has_twin, record_import_id, line, seen_import_id, seen_copies)
        SELECT c.customer_id, %(source)s, %(direction)s, c.number, c.invoice_date, c.counterparty, c.amount, c.tax,
               c.total, c.status, c.content, coalesce(r.copies, 1), c.is_off_total, false, %(import)s, c.line,
               %(import)s, coalesce(r.copies, 1)
        FROM checked c LEFT JOIN repeated r USING ({KEY}) LEFT JOIN known k USING ({KEY})
        WHERE NOT c.is_rejected AND k.content IS NULL AND (r.first_line IS NULL OR r.first_line = c.line)
        """,
        """
        UPDATE customers_invoice i
        SET seen_copies = k.before + k.copies, copies = greatest(i.copies, k.before + k.copies),
            seen_import_id = %(import)s, superseded_at = NULL
        FROM known k
        WHERE (i.customer_id, i.invoice_date, i.content) = (k.customer_id, k.invoice_date, k.content)
        """,
        f"""
        INSERT INTO customers_touchedmonth (record_import_id, customer_id, month)
        SELECT DISTINCT %(import)s::bigint, customer_id, {month("invoice_date")}
        FROM checked WHERE NOT is_rejected ON CONFLICT DO NOTHING
        """,
    ):
        cursor.execute(statement, parameters)
    cursor.execute(
        f"""
        SELECT count(*) FILTER (WHERE k.is_ours OR c.line > r.first_line) AS identical,
               count(*) FILTER (WHERE NOT k.is_ours AND (r.first_line IS NULL OR c.line = r.first_line)) AS unchanged,
               count(*) FILTER (WHERE k.content IS NULL AND (r.first_line IS NULL OR c.line = r.first_line)) AS accepted
        FROM checked c LEFT JOIN repeated r USING ({KEY}) LEFT JOIN known k USING ({KEY}) WHERE NOT c.is_rejected
        """
    )
    counts = counter_of(cursor)
    if counts["identical"]:
        cursor.execute(
            f"""
            INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
            SELECT %(import)s, c.line, '', 'noted', 'identical', {RAW}
            FROM checked c LEFT JOIN repeated r USING ({KEY}) LEFT JOIN known k USING ({KEY})
            JOIN staged s ON s.line = c.line
            WHERE NOT c.is_rejected AND (k.is_ours OR c.line > r.first_line)
            """,
            parameters,
        )
    return counts
