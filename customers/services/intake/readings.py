"""Monthly figures of many customers: staged text checked and merged, the former figure kept where one is replaced."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from customers.models import ExternalRecord, RecordImport
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.invoices import MERGE_LOCK, counter_of, match_firms
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import month_of, number, one_of, trimmed, within

PLACES = 3
Metric = ExternalRecord.Metric
METRIC_WORDS = {
    Metric.ELECTRICITY_KWH.value: ("electricity_kwh", "electricity", "电量", "用电量", "电"),
    Metric.WATER_M3.value: ("water_m3", "water", "水量", "用水量", "水"),
    Metric.TAX_DECLARED.value: ("tax_declared", "sales declared", "申报销售额", "纳税申报销售额"),
    Metric.TAX_PAID.value: ("tax_paid", "tax paid", "缴税", "实缴税额", "缴纳税额"),
    Metric.ACCOUNT_INFLOW.value: ("account_inflow", "inflow", "账户流入", "流入"),
    Metric.ACCOUNT_OUTFLOW.value: ("account_outflow", "outflow", "账户流出", "流出"),
    Metric.HEADCOUNT.value: ("headcount", "insured", "参保人数", "员工人数", "人数"),
}
TEXTS = ("firm", "metric", "period_month", "value")
CHECKS = (
    Check("text", "", "c.is_broken"),
    Check("unknown_firm", "firm", "c.customer_id IS NULL"),
    Check("unknown_metric", "metric", "c.metric IS NULL"),
    Check("not_a_month", "period_month", "c.period_month IS NULL"),
    Check("future", "period_month", "c.period_month > %(today)s"),
    Check("not_a_figure", "value", "c.value IS NULL OR c.value < 0"),
)
KEY = "customer_id, metric, period_month"


def merge_readings(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good. Rows by what became of them.

    Of several rows for one month the last stands; sent again with another value, the later file replaces.
    """
    parameters = {
        "source": record_import.source.code,
        "source_id": record_import.source_id,
        "lock": MERGE_LOCK,
        "import": record_import.pk,
        "today": today,
        "is_broken": record_import.form["has_broken_text"],
    }
    match_firms(cursor, record_import, reach)
    _check(cursor, parameters)
    checks = [Check(c.code, c.field, cursor.mogrify(c.found, parameters).decode(), c.weight) for c in CHECKS]
    write_findings(cursor, record_import.pk, checks)
    return _merge(cursor, parameters)


def _check(cursor: Any, parameters: dict[str, Any]) -> None:
    texts = ", ".join(f"{trimmed(name)} AS {name}" for name in TEXTS)
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH texts AS (SELECT line, {texts} FROM staged WHERE problem = '' OFFSET 0),
        read AS (
            SELECT line, f.customer_id, {one_of("metric", METRIC_WORDS)} AS metric,
                   {month_of("period_month")} AS period_month, {number("value")} AS value,
                   %(is_broken)s AND concat({", ".join(TEXTS)}) LIKE '%%{BROKEN}%%' AS is_broken
            FROM texts LEFT JOIN firm_of f USING (firm) OFFSET 0
        ), sized AS (
            SELECT line, customer_id, metric, period_month, is_broken, {within("value", PLACES)} AS value
            FROM read OFFSET 0
        )
        SELECT c.*, coalesce({any_of(CHECKS)}, true) AS is_rejected, coalesce({any_of(CHECKS)}, true) AS is_notable
        FROM sized c
        """,
        parameters,
    )


def _merge(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    for statement in (
        "SELECT pg_advisory_xact_lock(%(lock)s, %(source_id)s::integer)",
        f"""
        CREATE TEMP TABLE known ON COMMIT DROP AS
        SELECT f.*, e.id AS former_id, e.value AS former
        FROM (SELECT DISTINCT ON ({KEY}) {KEY}, value, line FROM checked WHERE NOT is_rejected
              ORDER BY {KEY}, line DESC) f
        LEFT JOIN customers_externalrecord e ON e.customer_id = f.customer_id AND e.metric = f.metric
             AND e.period_month = f.period_month AND e.source = %(source)s AND e.superseded_at IS NULL
        """,
        """
        UPDATE customers_externalrecord e SET superseded_at = now() FROM known k
        WHERE e.id = k.former_id AND k.former <> k.value
        """,
        """
        INSERT INTO customers_externalrecord (customer_id, metric, source, period_month, value)
        SELECT customer_id, metric, %(source)s, period_month, value FROM known
        WHERE former IS NULL OR former <> value
        """,
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, c.line, 'value', 'noted', 'overtaken', {RAW}
        FROM checked c JOIN known k USING ({KEY}) JOIN staged s ON s.line = c.line
        WHERE NOT c.is_rejected AND c.line < k.line
        """,
    ):
        cursor.execute(statement, parameters)
    cursor.execute(
        """
        SELECT (SELECT count(*) FROM checked WHERE is_rejected)
                   + (SELECT count(*) FROM staged WHERE problem <> '') AS rejected,
               count(*) FILTER (WHERE former IS NULL) AS accepted,
               count(*) FILTER (WHERE former <> value) AS replaced,
               count(*) FILTER (WHERE former = value) AS unchanged,
               (SELECT count(*) FROM checked WHERE NOT is_rejected) - count(*) AS overtaken
        FROM known
        """
    )
    return counter_of(cursor)
