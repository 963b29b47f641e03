"""The one way a month's figure is stored: what is new goes in, what differs replaces, the former is kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from customers.domain.records import Figure, Outcome
from customers.services.intake.sql import counter_of

KEY = "customer_id, metric, source, period_month"
COLUMNS = "line bigint, customer_id bigint, metric text, source text, period_month date, value numeric(18,3)"
#: First key of the lock under which the rows of one source are merged; the second is the source's number.
MERGE_LOCK = 0x1A90


def figures_of_one(cursor: Any, customer_id: int, figures: Iterable[tuple[int, Figure]]) -> None:
    """`figures`: those of one customer, each with its place in what was sent."""
    cursor.execute(f"CREATE TEMP TABLE figures ({COLUMNS}) ON COMMIT DROP")
    cursor.executemany(
        "INSERT INTO figures VALUES (%s, %s, %s, %s, %s, %s)",
        [(line, customer_id, f.metric, f.source, f.period_month, f.value) for line, f in figures],
    )


def lock_sources(cursor: Any, source_ids: Iterable[int]) -> None:
    """Senders of one source merge one after the other: what isn't there, nobody else inserts meanwhile."""
    for source_id in sorted(source_ids):
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [MERGE_LOCK, source_id])


def store_figures(cursor: Any, import_id: int | None = None) -> Counter[str]:
    """Merge `figures` (line and KEY and value), whose sources are locked; figures by what became of them.

    Of several for one month the last stands. Leaves `known`: each figure that stands with its former one.
    """
    for statement in (
        f"""
        CREATE TEMP TABLE known ON COMMIT DROP AS
        SELECT f.*, e.id AS former_id, e.value AS former
        FROM (SELECT DISTINCT ON ({KEY}) {KEY}, value, line FROM figures ORDER BY {KEY}, line DESC) f
        LEFT JOIN customers_externalrecord e ON e.customer_id = f.customer_id AND e.metric = f.metric
             AND e.period_month = f.period_month AND e.source = f.source AND e.superseded_at IS NULL
        """,
        """
        UPDATE customers_externalrecord e SET superseded_at = now() FROM known k
        WHERE e.id = k.former_id AND e.period_month = k.period_month AND k.former <> k.value
        """,
        """
        INSERT INTO customers_externalrecord
            (customer_id, metric, source, period_month, value, record_import_id, line)
        SELECT customer_id, metric, source, period_month, value, %(import)s,
               CASE WHEN %(import)s::bigint IS NOT NULL THEN line END
        FROM known WHERE former IS NULL OR former <> value
        """,
    ):
        cursor.execute(statement, {"import": import_id})
    cursor.execute(
        """
        SELECT count(*) FILTER (WHERE former IS NULL) AS accepted, count(*) FILTER (WHERE former <> value) AS replaced,
               count(*) FILTER (WHERE former = value) AS unchanged,
               (SELECT count(*) FROM figures) - count(*) AS overtaken
        FROM known
        """
    )
    return counter_of(cursor)


def outcomes(cursor: Any) -> dict[int, Outcome]:
    """What became of each figure, by its line."""
    cursor.execute(
        f"""
        SELECT f.line, CASE WHEN f.line < k.line THEN 'overtaken' WHEN k.former IS NULL THEN 'accepted'
                            WHEN k.former <> k.value THEN 'replaced' ELSE 'unchanged' END
        FROM figures f JOIN known k USING ({KEY})
        """
    )
    return {line: Outcome(word) for line, word in cursor.fetchall()}
