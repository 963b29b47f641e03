"""Details of figures: flows, meters, devices, notices. Stored one by one, and rolled up into their months."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from customers.domain.metrics import LARGEST_VALUE
from customers.models import RecordSource
from customers.services.intake.figures import lock_sources, store_figures
from customers.services.intake.findings import RAW
from customers.services.intake.meters import USED, flag_falls, reading
from customers.services.intake.sql import counter_of, month

KEY = "customer_id, occurred_on, fact"
FACTS = "value, is_counter, counterparty, text, latitude, longitude"


def store_details(cursor: Any, parameters: dict[str, Any]) -> Counter[str]:
    """Merge what was told in `told` and `checked` row by row; rows by what became of them.

    Two rows tell of the same thing when metric, item, time and reference agree; a flow or notice without a reference
    is told by all it says, and counts once however often it stands there.
    """
    for statement in (
        """
        CREATE TEMP TABLE details ON COMMIT DROP AS
        SELECT t.line, c.customer_id, t.metric, c.shown_item AS item, c.told_on AS occurred_on,
               c.told_at AS occurred_at, c.reference, t.value, c.counterparty, c.text, c.lat AS latitude,
               c.lon AS longitude, c.is_counter,
               hash_record_extended(ROW(
                   %(source_id)s::bigint, t.metric, c.item, c.told_at, c.reference || c.told_for,
                   CASE WHEN c.reference = '' AND c.counterparty || c.text <> '' THEN concat_ws(
                       '|', t.value::numeric(18,3), c.counterparty, c.text) ELSE '' END), 0) AS fact
        FROM told t JOIN checked c USING (line) WHERE NOT c.is_rejected AND NOT t.is_bad
        """,
        f"""
        CREATE TEMP TABLE known ON COMMIT DROP AS
        SELECT f.*, d.id AS former_id,
               f.is_counter OR coalesce(d.is_counter, false) AS is_metered,
               (d.value, d.is_counter, d.counterparty, d.text, d.latitude, d.longitude)
                   IS DISTINCT FROM (f.value, f.is_counter, f.counterparty, f.text, f.latitude, f.longitude) AS is_new
        FROM (SELECT DISTINCT ON ({KEY}) * FROM details ORDER BY {KEY}, line DESC) f
        LEFT JOIN customers_recorddetail d ON d.customer_id = f.customer_id AND d.occurred_on = f.occurred_on
             AND d.fact = f.fact AND d.superseded_at IS NULL
        """,
        """
        UPDATE customers_recorddetail d SET superseded_at = now() FROM known k
        WHERE d.id = k.former_id AND d.occurred_on = k.occurred_on AND k.is_new
        """,
        f"""
        INSERT INTO customers_recorddetail
            (customer_id, source_id, metric, item, occurred_on, occurred_at, reference, {FACTS}, fact,
             record_import_id, line)
        SELECT customer_id, %(source_id)s, metric, item, occurred_on, occurred_at, reference, {FACTS}, fact,
               %(import)s, line
        FROM known WHERE is_new
        """,
        f"""
        INSERT INTO customers_touchedmonth (record_import_id, customer_id, month)
        SELECT DISTINCT %(import)s::bigint, k.customer_id, {month("told.day")} FROM known k
        LEFT JOIN LATERAL ({reading(">", "k", "k.is_metered")}) later ON true
        CROSS JOIN LATERAL (
            VALUES (k.occurred_on), (CASE WHEN k.is_metered THEN k.occurred_on - 1 END), (later.occurred_on - 1)
        ) told (day)
        WHERE k.is_new AND told.day IS NOT NULL
        ON CONFLICT DO NOTHING
        """,
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT DISTINCT ON (s.line) %(import)s::bigint, s.line, 'value', 'noted',
               CASE WHEN (d.value, d.counterparty, d.text) = (k.value, k.counterparty, k.text)
                    THEN 'identical' ELSE 'overtaken' END, {RAW}
        FROM details d JOIN known k USING ({KEY}) JOIN staged s ON s.line = d.line WHERE d.line < k.line
        """,
    ):
        cursor.execute(statement, parameters)
    fell = flag_falls(cursor, parameters)
    cursor.execute(
        """
        SELECT count(*) FILTER (WHERE former_id IS NULL) AS accepted,
               count(*) FILTER (WHERE former_id IS NOT NULL AND is_new) AS replaced,
               count(*) FILTER (WHERE NOT is_new) AS unchanged,
               (SELECT count(*) FROM details) - count(*) AS overtaken
        FROM known
        """
    )
    return counter_of(cursor) + Counter({"counter_fell": fell})


LARGEST_FIGURE = LARGEST_VALUE - Decimal("0.001")
#: How the details of a month become its figure, by the registry's word.
ROLL_UP = f"""
    CREATE TEMP TABLE figures ON COMMIT DROP AS
    WITH counted AS (
        SELECT d.customer_id, t.month, d.metric, d.item, d.occurred_on, d.occurred_at, d.id, d.value
        FROM touched t
        JOIN customers_recorddetail d ON d.customer_id = t.customer_id AND d.occurred_on >= t.month
             AND d.occurred_on < t.month + interval '1 month' AND d.source_id = %(source_id)s
             AND d.superseded_at IS NULL AND NOT d.is_counter
        UNION ALL
        {USED}
    ), of_item AS (
        -- Each meter or device by itself.
        SELECT d.customer_id, d.month, d.metric, m.roll_up, m.places, d.item,
               CASE m.roll_up WHEN 'sum' THEN sum(d.value) WHEN 'count' THEN count(*) WHEN 'most' THEN max(d.value)
                    WHEN 'mean' THEN avg(d.value)
                    ELSE (array_agg(d.value ORDER BY d.occurred_on DESC, d.occurred_at DESC NULLS LAST, d.id DESC))[1]
               END AS value
        FROM counted d JOIN customers_metric m ON m.code = d.metric
        GROUP BY d.customer_id, d.month, d.metric, m.roll_up, m.places, d.item
    )
    SELECT NULL::bigint AS line, customer_id, metric, %(source)s::text AS source, month AS period_month,
           -- What goes beyond the largest figure stops there.
           greatest(least(round(CASE WHEN roll_up = 'mean' THEN avg(value) ELSE sum(value) END, places),
                          {LARGEST_FIGURE}), -{LARGEST_FIGURE})::numeric(18,3) AS value
    FROM of_item GROUP BY customer_id, month, metric, roll_up, places
"""
#: A reading that was corrected may leave a month without use: what its figure was is no longer known.
WITHDRAW = """
    UPDATE customers_externalrecord e SET superseded_at = now() FROM touched t, customers_recordimport i
    WHERE e.customer_id = t.customer_id AND e.period_month = t.month AND e.source = %(source)s
      AND e.superseded_at IS NULL AND i.id = e.record_import_id AND i.layout = 'meters'
      AND NOT EXISTS (SELECT FROM figures f WHERE f.customer_id = e.customer_id AND f.metric = e.metric
                      AND f.period_month = e.period_month)
"""


def roll_up(cursor: Any, source: RecordSource, import_id: int) -> Counter[str]:
    """Work out the months of `touched` (customer_id, month) anew from their details; months by what became of them."""
    lock_sources(cursor, [source.pk])
    parameters = {"source": source.code, "source_id": source.pk}
    cursor.execute(ROLL_UP, parameters)
    counts = store_figures(cursor, import_id)
    cursor.execute(WITHDRAW, parameters)
    return Counter({"months": counts["accepted"] + counts["replaced"] + cursor.rowcount})
