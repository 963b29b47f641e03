"""Totals of invoices per firm, for checks from outside, and what is derived from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from customers.models import Customer, InvoiceMonth, RecordSource
from customers.queries.merges import files_of, once

GROUPS = ("valid", "negative", "void")
#: Columns of a line of totals, in order: the firm, then count, amount, tax and total of each group and of the net.
TOTALS = (
    "firm",
    "customer_id",
    "direction",
    *(f"{group}_{figure}" for group in (*GROUPS, "net") for figure in ("count", "amount", "tax", "total")),
)
_CONDITIONS = {
    "valid": "i.status = 'valid' AND i.total >= 0",
    "negative": "i.status = 'valid' AND i.total < 0",
    "void": "i.status = 'void'",
    "net": "i.status = 'valid'",
}


def firm_totals(actor: Actor, source: RecordSource, rule: str = "") -> Iterator[dict[str, Any]]:
    """A line per firm and direction: invoices of `source` of the customers the actor sees, by TOTALS, in yuan.

    `rule` is "once" or "all" for identical rows, the source's own where it is empty. Valid means not void and not
    negative; net is valid plus negative. What a later file replaced is left out.
    """
    one = "i.copies" if (rule or source.identical_rows) == RecordSource.IdenticalRows.ALL else "1"
    figures = ", ".join(
        f"coalesce(sum({one}) FILTER (WHERE {condition}), 0) AS {group}_count, "
        + ", ".join(
            f"coalesce(sum(i.{figure} * {one}) FILTER (WHERE {condition}), 0.00) AS {group}_{figure}"
            for figure in ("amount", "tax", "total")
        )
        for group, condition in _CONDITIONS.items()
    )
    seen, parameters = visible(Customer, actor).values("pk").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT coalesce(f.code, c.uscc, ''), t.* FROM (
                SELECT i.customer_id, i.direction, {figures}
                FROM customers_invoice i
                WHERE i.source_id = %s AND i.superseded_at IS NULL AND i.customer_id IN ({seen})
                GROUP BY i.customer_id, i.direction
            ) t JOIN customers_customer c ON c.id = t.customer_id
            LEFT JOIN LATERAL (
                SELECT min(code) AS code FROM customers_firmcode WHERE customer_id = t.customer_id AND source_id = %s
            ) f ON true
            ORDER BY 1, t.direction
            """,
            [source.pk, *parameters, source.pk],
        )
        for row in cursor:
            yield dict(zip(TOTALS, row, strict=True))


def months_by_source(customer: Customer, *, months: int = 36) -> dict[RecordSource, list[InvoiceMonth]]:
    """The last derived months of a customer by source, oldest first. The caller knows that the actor may see them."""
    rows = InvoiceMonth.objects.filter(customer__in=files_of(customer)).select_related("source")
    found: dict[RecordSource, list[InvoiceMonth]] = {}
    for row in once(rows.order_by("source__code", "-month"), customer, lambda row: (row.source_id, row.month)):
        found.setdefault(row.source, []).append(row)
    return {source: list(reversed(of_source[:months])) for source, of_source in found.items()}
