"""How much work waits behind each place of the navigation: one statement, whatever the number of places."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

#: Counting stops here, so that a full book does not make every page slow; shown as "999+".
COUNT_LIMIT = 1000


def counts(querysets: Mapping[str, QuerySet], limit: int | None = COUNT_LIMIT) -> dict[str, int]:
    """Rows of each queryset, at most `limit`, in one statement. One that can't match anything counts 0."""
    found = dict.fromkeys(querysets, 0)
    parts, values = [], []
    for name, rows in querysets.items():
        try:
            sql, parameters = rows.order_by().values("pk")[:limit].query.sql_with_params()
        except EmptyResultSet:
            continue
        parts.append(f"SELECT %s AS name, count(*) AS n FROM ({sql}) AS counted")
        values += [name, *parameters]
    if parts:
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), values)
            found |= dict(cursor.fetchall())
    return found
