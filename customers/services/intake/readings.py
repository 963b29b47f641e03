"""Figures and their details: staged text checked against the registry and merged, whatever the file's layout."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from customers.domain.layouts import OF_METRIC
from customers.domain.metrics import LARGEST_VALUE
from customers.models import Metric, RecordImport
from customers.services.intake.details import store_details
from customers.services.intake.figures import lock_sources, store_figures
from customers.services.intake.findings import RAW, Check, any_of, write_findings
from customers.services.intake.firms import match_firms
from customers.services.intake.reading import BROKEN
from customers.services.intake.sql import banks_time, counter_of, day, month_of, number, time_of, trimmed, within


@dataclass(frozen=True)
class Shape:
    """How a line of a layout becomes figures.

    `values` are SQL of the texts by metric; with none the line's own `metric` and `value` are the one figure.
    """

    texts: tuple[str, ...]
    is_monthly: bool = False
    values: Mapping[str, str] = field(default_factory=dict)
    needs_item: bool = False
    #: The item is an account, of which only the last digits are kept.
    is_account: bool = False
    #: SQL of the one value.
    value: str = "value"


#: In one of two columns, or in one with a sign; nothing is no flow.
_SIGNED = (
    "CASE WHEN btrim({own}, '0., ') <> '' THEN {own} "
    "WHEN inflow = '' AND outflow = '' AND signed_amount {sign} '-%' AND btrim(signed_amount, '-0., ') <> '' "
    "THEN {amount} END"
)
#: A large customer's meter counts what its transformers let through: times their ratio it is the use.
_METERED = f"""CASE WHEN value <> '' THEN value WHEN counter = '' OR multiplier = '' THEN counter
    ELSE round({within(number("counter"), 6)} * {within(number("multiplier"), 6)}, 3)::text END"""
SHAPES: Mapping[str, Shape] = {
    RecordImport.Layout.READINGS: Shape(("firm", "metric", "period_month", "value"), is_monthly=True),
    RecordImport.Layout.MONTHS: Shape(("firm", "period_month"), is_monthly=True),
    RecordImport.Layout.ACCOUNT_FLOWS: Shape(
        ("firm", "item", "occurred_on", "reference", "inflow", "outflow", "signed_amount", "counterparty", "text"),
        values={
            "account_inflow": _SIGNED.format(own="inflow", sign="NOT LIKE", amount="signed_amount"),
            "account_outflow": _SIGNED.format(own="outflow", sign="LIKE", amount="substr(signed_amount, 2)"),
        },
        is_account=True,
    ),
    RecordImport.Layout.METERS: Shape(
        ("firm", "item", "metric", "occurred_on", "value", "counter", "multiplier"), needs_item=True, value=_METERED
    ),
    RecordImport.Layout.TELEMETRY: Shape(
        ("firm", "item", "occurred_on", "level", "running_hours", "latitude", "longitude"),
        values={"collateral_level": "level", "running_hours": "running_hours", "heartbeats": "'1'"},
        needs_item=True,
    ),
    RecordImport.Layout.NOTICES: Shape(
        ("firm", "metric", "occurred_on", "reference", "value", "text"),
        value="CASE WHEN value = '' THEN '0' ELSE value END",
    ),
}
OPTIONAL = ("item", "reference", "counterparty", "text", "latitude", "longitude")


def merge_readings(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple], today: date) -> Counter[str]:
    """Check what is in `staged` and merge what is good. Rows rejected, and figures by what became of them.

    Of several rows for one thing the last stands; sent again with another value, the later file replaces.
    """
    shape = _shape_of(record_import)
    parameters = {
        "source": record_import.source.code,
        "source_id": record_import.source_id,
        "import": record_import.pk,
        "today": today,
        "is_broken": record_import.form["has_broken_text"],
    }
    match_firms(cursor, record_import, reach)
    _read(cursor, shape, parameters)
    _tell(cursor, shape)
    checks = _checks(shape)
    _judge(cursor, checks, parameters)
    write_findings(
        cursor,
        record_import.pk,
        [Check(c.code, c.field, cursor.mogrify(c.found, parameters).decode(), c.weight) for c in checks],
    )
    rejected = _count_rejected(cursor, record_import.pk)
    lock_sources(cursor, [record_import.source_id])
    counts = (_merge_months if shape.is_monthly else store_details)(cursor, parameters)
    return counts + rejected


def _shape_of(record_import: RecordImport) -> Shape:
    shape = SHAPES[record_import.layout]
    if record_import.layout != RecordImport.Layout.MONTHS:
        return shape
    codes = Metric.objects.filter(is_active=True).values_list("code", flat=True)
    columns = {code: OF_METRIC.format(code=code) for code in codes}
    # Only columns the file has: the registry may have changed since its mapping was settled.
    columns = {code: name for code, name in columns.items() if record_import.mapping.get(name)}
    return Shape((*shape.texts, *columns.values()), is_monthly=True, values=columns)


def _read(cursor: Any, shape: Shape, parameters: dict[str, Any]) -> None:
    """`read`: each staged row with its customer and time, its texts trimmed; of an account only the last digits.

    A meter told by month: where it stood is of the month's last day, and what was used is another thing (`told_for`)
    than what is told of the first.
    """
    has_meters = "counter" in shape.texts
    texts = ", ".join(f"{_text(name)} AS {name}" for name in shape.texts)
    absent = ", ".join(f"'' AS {name}" for name in OPTIONAL if name not in shape.texts)
    cursor.execute(
        f"""
        CREATE TEMP TABLE read ON COMMIT DROP AS
        WITH texts AS (SELECT line, {texts} {", " + absent if absent else ""} FROM staged WHERE problem = '' OFFSET 0),
        timed AS (
            SELECT *, {month_of("period_month") if shape.is_monthly else day_or_month("occurred_on")} AS told_from,
                   {"NULL::time" if shape.is_monthly else time_of("occurred_on")} AS told_at,
                   {"value = '' AND counter <> ''" if has_meters else "false"} AS is_counter,
                   {f"{day('occurred_on')} IS NULL" if has_meters else "false"} AS is_of_month
            FROM texts OFFSET 0
        )
        SELECT t.*, f.customer_id, {"right(t.item, 4)" if shape.is_account else "t.item"} AS shown_item,
               CASE WHEN is_counter AND is_of_month THEN (told_from + interval '1 month' - interval '1 day')::date
                    ELSE told_from END AS told_on,
               CASE WHEN is_of_month AND NOT is_counter THEN 'month' ELSE '' END AS told_for,
               %(is_broken)s AND concat({", ".join(shape.texts)}) LIKE '%%{BROKEN}%%' AS is_broken
        FROM timed t LEFT JOIN firm_of f USING (firm)
        """,
        parameters,
    )
    if shape.is_account:
        # What is found about a row is kept with the row, and account numbers are not to be read there.
        cursor.execute("UPDATE staged SET item = right(btrim(item), 4)")


def _text(name: str) -> str:
    return trimmed(name) if name != "occurred_on" else banks_time(trimmed(name))


def day_or_month(text: str) -> str:
    """A date, or the first day of a month."""
    return f"coalesce({day(text)}, {month_of(text)})"


def _tell(cursor: Any, shape: Shape) -> None:
    """`told`: a row for every figure a line tells, with its metric of the registry and whether its value fits."""
    if shape.values:
        pairs = ", ".join(f"('{code}', {text})" for code, text in shape.values.items())
        words = "SELECT ''::text AS word, NULL::text AS code WHERE false"
    else:
        pairs = f"(w.code, {shape.value})"
        words = """
            SELECT d.word, (SELECT m.code FROM customers_metric m WHERE m.is_active
                            AND (m.code = replace(lower(d.word), ' ', '_') OR lower(d.word) = ANY(m.words))
                            ORDER BY m.id LIMIT 1) AS code
            FROM (SELECT DISTINCT metric AS word FROM read) d
        """
    own = "LEFT JOIN words w ON w.word = r.metric" if not shape.values else ""
    cursor.execute(
        f"""
        CREATE TEMP TABLE told ON COMMIT DROP AS
        WITH words AS ({words}), figures AS (
            SELECT r.line, v.metric, v.text, {number("v.text")} AS value
            FROM read r {own} CROSS JOIN LATERAL (VALUES {pairs}) v (metric, text)
            {"WHERE v.text <> ''" if shape.values else ""} OFFSET 0
        ), sized AS (
            SELECT f.line, f.metric, f.text, {within("f.value", 3)} AS value FROM figures f OFFSET 0
        )
        SELECT f.line, f.metric, f.value,
               (f.value IS NULL OR f.value <= -{LARGEST_VALUE} OR f.value >= {LARGEST_VALUE}
                OR f.value <> round(f.value, m.places) OR f.value < m.least OR f.value > m.most) IS TRUE AS is_bad
        FROM sized f LEFT JOIN customers_metric m ON m.code = f.metric
        """
    )


def _checks(shape: Shape) -> tuple[Check, ...]:
    when = ("not_a_month", "period_month") if shape.is_monthly else ("not_a_date", "occurred_on")
    lengths = {"item": 60, "reference": 60, "counterparty": 120, "text": 200}
    checks = [
        Check("text", "", "c.is_broken"),
        Check("unknown_firm", "firm", "c.customer_id IS NULL"),
        Check(*when, "c.told_on IS NULL"),
        Check("future", when[1], "c.told_from > %(today)s"),
    ]
    if not shape.values:
        checks.insert(2, Check("unknown_metric", "metric", "NOT c.has_metric"))
    if shape.needs_item:
        checks.append(Check("missing", "item", "c.item = ''"))
    checks += [
        Check("too_long", name, f"length(c.{name}) > {most}") for name, most in lengths.items() if name in shape.texts
    ]
    if "counter" in shape.texts:
        checks.append(Check("missing", "value", "c.value = '' AND c.counter = ''"))
        checks.append(
            Check("not_a_number", "multiplier", f"c.multiplier <> '' AND ({number('c.multiplier')} > 0) IS NOT TRUE")
        )
    if "latitude" in shape.texts:
        checks.append(Check("not_a_place", "latitude", "NOT c.has_place"))
    if shape.is_account:
        checks.append(Check("not_an_amount", "signed_amount", "NOT c.has_figure"))
    return tuple(checks)


def _judge(cursor: Any, checks: tuple[Check, ...], parameters: dict[str, Any]) -> None:
    """`checked`: the read rows and which of them can't be taken at all."""
    cursor.execute(
        f"""
        CREATE TEMP TABLE checked ON COMMIT DROP AS
        WITH placed AS (
            SELECT r.*, {degrees("r.latitude", 90)} AS lat, {degrees("r.longitude", 180)} AS lon,
                   t.line IS NOT NULL AS has_figure, coalesce(t.has_metric, false) AS has_metric
            FROM read r LEFT JOIN (SELECT line, bool_or(metric IS NOT NULL) AS has_metric FROM told GROUP BY line) t
                 USING (line)
        ), judged AS (
            SELECT *, (latitude = '') = (lat IS NULL) AND (longitude = '') = (lon IS NULL)
                      AND (lat IS NULL) = (lon IS NULL) AS has_place
            FROM placed
        )
        SELECT c.*, coalesce({any_of(checks)}, true) AS is_rejected, coalesce({any_of(checks)}, true) AS is_notable
        FROM judged c
        """,
        parameters,
    )


def degrees(text: str, most: int) -> str:
    value = number(text)
    return f"CASE WHEN {value} BETWEEN -{most} AND {most} THEN round({value}, 6) END"


def _count_rejected(cursor: Any, import_id: int) -> Counter[str]:
    """Rows that were not taken in, each value that does not fit being told."""
    cursor.execute(
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %s, t.line, CASE WHEN s.fields ? ('{OF_METRIC.format(code="")}' || t.metric)
                           THEN t.metric ELSE 'value' END, 'rejected', 'not_a_figure', s.fields
        FROM told t JOIN checked c USING (line)
        JOIN LATERAL (SELECT {RAW} AS fields FROM staged s WHERE s.line = t.line) s ON true
        WHERE t.is_bad AND t.metric IS NOT NULL AND NOT c.is_rejected
        """,
        [import_id],
    )
    cursor.execute(
        """
        SELECT (SELECT count(*) FROM staged WHERE problem <> '') + count(*) AS rejected FROM checked c
        WHERE is_rejected OR EXISTS (SELECT FROM told t WHERE t.line = c.line AND t.is_bad)
        """
    )
    return counter_of(cursor)


def _merge_months(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    cursor.execute(
        """
        CREATE TEMP TABLE figures ON COMMIT DROP AS
        SELECT t.line, c.customer_id, t.metric, %(source)s::text AS source, c.told_on AS period_month, t.value
        FROM told t JOIN checked c USING (line) WHERE NOT c.is_rejected AND NOT t.is_bad
        """,
        parameters,
    )
    counts = store_figures(cursor, parameters["import"])
    cursor.execute(
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, f.line, 'value', 'noted', 'overtaken', {RAW}
        FROM figures f JOIN known k USING (customer_id, metric, source, period_month) JOIN staged s ON s.line = f.line
        WHERE f.line < k.line
        """,
        parameters,
    )
    return counts
