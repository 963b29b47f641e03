"""Meters that tell where they stand: what was used is the difference to the reading before."""

from __future__ import annotations

from typing import Any

from customers.services.intake.findings import RAW


def reading(way: str, of: str, only_if: str = "true") -> str:
    """SQL of a meter's reading before (`<`) or after (`>`) the reading `of`; looked for only where `only_if` holds."""
    order = "DESC" if way == "<" else "ASC"
    return f"""
        SELECT n.occurred_on, n.value FROM customers_recorddetail n
        WHERE {only_if} AND n.customer_id = {of}.customer_id AND n.source_id = %(source_id)s AND n.metric = {of}.metric
          AND n.item = {of}.item AND n.is_counter AND n.superseded_at IS NULL
          AND n.occurred_on {way}= {of}.occurred_on
          AND (n.occurred_on, coalesce(n.occurred_at, '00:00'), n.fact)
              {way} ({of}.occurred_on, coalesce({of}.occurred_at, '00:00'), {of}.fact)
        ORDER BY n.occurred_on {order}, coalesce(n.occurred_at, '00:00') {order}, n.fact {order} LIMIT 1
    """


#: What meters counted in the `touched` months. A reading on the first of a month closes the month before; one below
#: the former says nothing: the meter was changed, or misread.
USED = f"""
    SELECT d.customer_id, t.month, d.metric, d.item, d.occurred_on, d.occurred_at, d.id, d.value - former.value AS value
    FROM touched t
    JOIN customers_recorddetail d ON d.customer_id = t.customer_id AND d.occurred_on > t.month
         AND d.occurred_on <= t.month + interval '1 month' AND d.source_id = %(source_id)s
         AND d.superseded_at IS NULL AND d.is_counter
    JOIN LATERAL ({reading("<", "d")}) former ON former.value <= d.value
"""


def flag_falls(cursor: Any, parameters: dict[str, Any]) -> int:
    """Flag the new readings in `known` that are below the one before, or above the one after; how many they are."""
    cursor.execute(
        f"""
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, s.line, 'counter', 'flagged', 'counter_fell', {RAW}
        FROM known k JOIN staged s ON s.line = k.line
        LEFT JOIN LATERAL ({reading("<", "k")}) before ON true
        LEFT JOIN LATERAL ({reading(">", "k")}) later ON true
        WHERE k.is_new AND k.is_counter AND (before.value > k.value OR later.value < k.value)
        """,
        parameters,
    )
    return int(cursor.rowcount)
