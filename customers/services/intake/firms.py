"""Whose row it is: what a source calls a firm, and our customer."""

from __future__ import annotations

from typing import Any

from customers.models import RecordImport
from customers.services.intake.sql import trimmed


def match_firms(cursor: Any, record_import: RecordImport, reach: tuple[str, tuple]) -> None:
    """`firm_of`: each firm named in `staged` with its customer, by the source's own code or the USCC.

    `reach` is the query of the customers the sender may send figures of; others are as unknown as strangers.
    """
    query, parameters = reach
    cursor.execute(
        f"""
        CREATE TEMP TABLE firm_of ON COMMIT DROP AS
        WITH named AS MATERIALIZED (
            -- Once for all rows: joined in, it would be worked out for every customer there may be.
            SELECT DISTINCT {trimmed("firm")} AS firm FROM staged WHERE problem = ''
        ), found AS MATERIALIZED (
            -- The customer a file was sent for is whose rows it is that name nobody, and not of those that name others.
            SELECT f.firm, coalesce(m.customer_id, c.id, CASE WHEN f.firm = '' THEN %s::bigint END) AS customer_id
            FROM named f
            LEFT JOIN customers_firmcode m ON m.source_id = %s AND m.code = f.firm
            LEFT JOIN customers_customer c ON c.uscc = upper(f.firm) AND m.customer_id IS NULL
        )
        SELECT firm, customer_id FROM found WHERE customer_id IN ({query})
        """,
        [record_import.customer_id, record_import.source_id, *parameters],
    )
