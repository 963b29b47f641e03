"""What invoices say of a customer's months, worked out anew for the customers and months an import touched."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import timezone

from customers.models import RecordSource
from customers.services.intake.sql import month

LARGEST_SUM, LARGEST_RATIO = "99999999999999.99", "1000000000"
#: Net sums per counterparty, then per month; a counterparty whose net is not positive has no share.
MONTHS = """
    WITH party AS (
        SELECT i.customer_id, {month} AS month, i.direction, i.counterparty,
               coalesce(sum({amount}) FILTER (WHERE i.status = 'valid'), 0) AS net,
               coalesce(sum({tax}) FILTER (WHERE i.status = 'valid'), 0) AS tax,
               coalesce(sum({amount}) FILTER (WHERE i.status = 'valid' AND i.total < 0), 0) AS negative,
               sum({one}) FILTER (WHERE i.status = 'valid') AS valid_count,
               sum({one}) FILTER (WHERE i.status = 'void') AS void_count,
               max(i.invoice_date) FILTER (WHERE i.status = 'valid') AS last_date
        FROM customers_invoice i
        WHERE i.customer_id = ANY(%(customers)s) AND i.source_id = %(source)s AND i.superseded_at IS NULL
          AND i.invoice_date >= %(first)s AND i.invoice_date < %(end)s
        GROUP BY 1, 2, 3, 4
    ), ranked AS (
        SELECT *, row_number() OVER (PARTITION BY customer_id, month, direction ORDER BY net DESC) AS place FROM party
    ), side AS (
        SELECT customer_id, month, direction, sum(net) AS net, sum(tax) AS tax, sum(net - negative) AS positive,
               coalesce(sum(valid_count), 0) AS valid_count, coalesce(sum(void_count), 0) AS void_count,
               max(last_date) AS last_date,
               count(*) FILTER (WHERE valid_count > 0) AS parties,
               sum(net) FILTER (WHERE net > 0) AS base, sum(net) FILTER (WHERE net > 0 AND place = 1) AS top1,
               sum(net) FILTER (WHERE net > 0 AND place <= 5) AS top5, sum(net * net) FILTER (WHERE net > 0) AS squares
        FROM ranked GROUP BY 1, 2, 3
    ), both_sides AS (
        SELECT t.customer_id, t.month, s.net AS sales, s.tax AS sales_tax, s.positive, s.valid_count AS sales_count,
               s.void_count, s.last_date AS sold_on, s.parties AS customers_count,
               s.top1 / s.base AS customers_top1, s.top5 / s.base AS customers_top5,
               s.squares / (s.base * s.base) AS customers_hhi,
               p.net AS purchases, p.tax AS purchases_tax, p.valid_count AS purchases_count, p.last_date AS bought_on,
               p.parties AS suppliers_count, p.top1 / p.base AS suppliers_top1, p.top5 / p.base AS suppliers_top5,
               p.squares / (p.base * p.base) AS suppliers_hhi
        FROM touched t
        LEFT JOIN side s ON s.customer_id = t.customer_id AND s.month = t.month AND s.direction = 'sale'
        LEFT JOIN side p ON p.customer_id = t.customer_id AND p.month = t.month AND p.direction = 'purchase'
    )
    INSERT INTO customers_invoicemonth AS f
        (customer_id, source_id, month, sales, sales_tax, purchases, purchases_tax, margin, sales_count,
         purchases_count, void_share, negative_share, customers_count, customers_top1, customers_top5, customers_hhi,
         suppliers_count, suppliers_top1, suppliers_top5, suppliers_hhi, last_invoice_date, year_sales, months_active,
         refreshed_at)
    SELECT customer_id, %(source)s, month, {sales}, {sales_tax}, {purchases}, {purchases_tax}, {margin},
           coalesce(sales_count, 0), coalesce(purchases_count, 0), void_count / nullif(sales_count + void_count, 0),
           {negative_share}, coalesce(customers_count, 0), customers_top1, customers_top5,
           customers_hhi, coalesce(suppliers_count, 0), suppliers_top1, suppliers_top5, suppliers_hhi,
           greatest(sold_on, bought_on), 0, 0, %(now)s
    FROM both_sides
    ON CONFLICT (customer_id, source_id, month) DO UPDATE SET
        sales = EXCLUDED.sales, sales_tax = EXCLUDED.sales_tax, purchases = EXCLUDED.purchases,
        purchases_tax = EXCLUDED.purchases_tax, margin = EXCLUDED.margin, sales_count = EXCLUDED.sales_count,
        purchases_count = EXCLUDED.purchases_count, void_share = EXCLUDED.void_share,
        negative_share = EXCLUDED.negative_share, customers_count = EXCLUDED.customers_count,
        customers_top1 = EXCLUDED.customers_top1, customers_top5 = EXCLUDED.customers_top5,
        customers_hhi = EXCLUDED.customers_hhi, suppliers_count = EXCLUDED.suppliers_count,
        suppliers_top1 = EXCLUDED.suppliers_top1, suppliers_top5 = EXCLUDED.suppliers_top5,
        suppliers_hhi = EXCLUDED.suppliers_hhi, last_invoice_date = EXCLUDED.last_invoice_date,
        refreshed_at = EXCLUDED.refreshed_at
"""
#: A month's figures look back two years, so what changed reaches two years ahead.
YEARS = """
    UPDATE customers_invoicemonth f SET year_sales = {year_sales}, months_active = y.months_active,
        growth = CASE WHEN y.first_month <= y.month - interval '23 months' AND y.year_before > 0
                      THEN {growth} END,
        seasonality = CASE WHEN y.year_sales > 0 THEN {seasonality} END
    FROM (
        SELECT id, month, min(month) OVER (PARTITION BY customer_id) AS first_month,
               sum(sales) OVER year AS year_sales,
               count(*) FILTER (WHERE sales_count > 0) OVER year AS months_active,
               sum(sales) OVER (PARTITION BY customer_id ORDER BY month
                   RANGE BETWEEN '23 months' PRECEDING AND '12 months' PRECEDING) AS year_before
        FROM customers_invoicemonth WHERE customer_id = ANY(%(customers)s) AND source_id = %(source)s
        WINDOW year AS (PARTITION BY customer_id ORDER BY month
            RANGE BETWEEN '11 months' PRECEDING AND CURRENT ROW)
    ) y
    WHERE f.id = y.id AND y.month >= %(first)s AND y.month < %(end)s + interval '23 months'
"""
#: An invoice sent again with nothing changed but its status was voided (or not) meanwhile: the later file is right.
#: Within one file both stay, as does everything else that shares a number.
REPLACED = """
    WITH same AS (
        SELECT id, invoice_date, seen_import_id,
               max(seen_import_id) OVER (PARTITION BY customer_id, direction, number, invoice_date, counterparty,
                                         amount, tax, total) AS latest
        FROM customers_invoice
        WHERE customer_id = ANY(%(customers)s) AND source_id = %(source)s AND superseded_at IS NULL
          AND invoice_date >= %(first)s AND invoice_date < %(end)s
          AND (customer_id, direction, number) IN (SELECT customer_id, direction, number FROM twins)
    )
    UPDATE customers_invoice i SET superseded_at = %(now)s
    FROM same WHERE same.id = i.id AND same.invoice_date = i.invoice_date AND same.seen_import_id < same.latest
"""
TWINS = """
    CREATE TEMP TABLE twins ON COMMIT DROP AS
    SELECT customer_id, direction, number FROM customers_invoice
    WHERE customer_id = ANY(%(customers)s) AND source_id = %(source)s AND superseded_at IS NULL
    GROUP BY customer_id, direction, number HAVING count(*) > 1
"""
FLAGGED = """
    WITH flagged AS (
        UPDATE customers_invoice i SET has_twin = true FROM twins t
        WHERE i.customer_id = t.customer_id AND i.direction = t.direction AND i.number = t.number
          AND i.customer_id = ANY(%(customers)s) AND i.source_id = %(source)s
          AND NOT i.has_twin AND i.superseded_at IS NULL
        RETURNING i.record_import_id, i.line, i.number, i.invoice_date, i.counterparty, i.amount, i.tax, i.total,
                  i.status
    ), told AS (
        INSERT INTO customers_importfinding (record_import_id, line, field, weight, code, raw)
        SELECT %(import)s, line, 'number', 'flagged', 'same_number',
               to_jsonb(flagged) - '{record_import_id,line}'::text[]
        FROM flagged WHERE record_import_id = %(import)s
    )
    SELECT count(*) FROM flagged
"""
#: What a row counts for where identical rows count once, and where all of them do.
WEIGHTS = {
    RecordSource.IdenticalRows.ONCE: {"amount": "i.amount", "tax": "i.tax", "one": "1"},
    RecordSource.IdenticalRows.ALL: {
        "amount": "CASE WHEN i.copies = 1 THEN i.amount ELSE i.amount * i.copies END",
        "tax": "CASE WHEN i.copies = 1 THEN i.tax ELSE i.tax * i.copies END",
        "one": "i.copies",
    },
}


def _sum(value: str) -> str:
    """A sum as far as the column takes it: what is beyond comes of amounts nobody paid, and must stop no others."""
    return f"greatest(least(coalesce({value}, 0), {LARGEST_SUM}), -{LARGEST_SUM})"


def _ratio(value: str) -> str:
    """A ratio, or none where it is beyond all meaning (sales of a cent)."""
    return f"CASE WHEN abs({value}) < {LARGEST_RATIO} THEN {value} END"


BOUNDED = {
    **{name: _sum(name) for name in ("sales", "sales_tax", "purchases", "purchases_tax")},
    "margin": _ratio("((sales - coalesce(purchases, 0)) / nullif(sales, 0))"),
    "negative_share": _ratio("((positive - sales) / nullif(positive, 0))"),
}
BOUNDED_YEARS = {
    "year_sales": _sum("y.year_sales"),
    "growth": _ratio("(y.year_sales / y.year_before - 1)"),
    "seasonality": _ratio("(f.sales * 12 / y.year_sales)"),
}


def settle(
    cursor: Any, source: RecordSource, import_id: int, customers: Sequence[int], first: date, end: date
) -> dict[str, int]:
    """Replace, flag and derive for `customers`, whose touched months lie in [first, end) and stand in `touched`."""
    parameters = {
        "source": source.pk,
        "import": import_id,
        "customers": list(customers),
        "first": first,
        "end": end,
        "now": timezone.now(),
    }
    weights = WEIGHTS[RecordSource.IdenticalRows(source.identical_rows)]
    replaced = flagged = 0
    if _find_twins(cursor, parameters):
        cursor.execute(REPLACED, parameters)
        if replaced := cursor.rowcount:
            cursor.execute("DROP TABLE twins")
            _find_twins(cursor, parameters)
        cursor.execute(FLAGGED, parameters)
        (flagged,) = cursor.fetchone()
    cursor.execute(MONTHS.format(month=month("i.invoice_date"), **weights, **BOUNDED), parameters)
    cursor.execute(YEARS.format(**BOUNDED_YEARS), parameters)
    return {"replaced": replaced, "same_number": flagged}


def _find_twins(cursor: Any, parameters: dict[str, Any]) -> int:
    cursor.execute(TWINS, parameters)
    cursor.execute("SELECT count(*) FROM twins")
    (count,) = cursor.fetchone()
    return count
