"""The financeable amounts of members, worked out set-based from the documents that stand.

The formula is customers.domain.financeable; a test holds the two against one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import connection

from branch.queries.parameters import parameters
from customers.domain.financeable import Terms
from customers.models import Cluster


def terms_in_force(on: date | None = None) -> Terms:
    found = parameters("chain.advance_share", "chain.order_share", "chain.late_days", on=on)
    return Terms(found["chain.advance_share"], found["chain.order_share"], found["chain.late_days"])


def work_out(cluster: Cluster, on: date, member_ids: Sequence[int] | None = None) -> int:
    """Set what the documents of members (all of them where none are named) carry on `on`; how many members.

    Members without any document keep an amount of None.
    """
    terms = terms_in_force(on)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE customers_clustermember m
            SET receivables_open = s.good, receivables_late = s.late, orders_open = s.orders, financeable_on = %(on)s,
                financeable_amount = least(
                    round(s.good * %(advance)s, 2) + round(s.orders * %(order)s, 2), %(cap)s::numeric
                )
            FROM (
                SELECT member_id,
                       coalesce(sum(open_amount) FILTER (WHERE kind = 'receivable' AND NOT is_late), 0) AS good,
                       coalesce(sum(open_amount) FILTER (WHERE kind = 'receivable' AND is_late), 0) AS late,
                       coalesce(sum(open_amount) FILTER (WHERE kind = 'order'), 0) AS orders
                FROM (
                    SELECT *, coalesce(due_on < %(on)s::date - %(late_days)s, false) AS is_late
                    FROM customers_chaindocument
                    WHERE cluster_id = %(cluster)s AND superseded_at IS NULL
                      AND (%(members)s::bigint[] IS NULL OR member_id = ANY(%(members)s::bigint[]))
                ) d
                GROUP BY member_id
            ) s
            WHERE m.id = s.member_id
            """,
            {
                "cluster": cluster.pk,
                "on": on,
                "members": list(member_ids) if member_ids is not None else None,
                "advance": terms.advance_share,
                "order": terms.order_share,
                "late_days": terms.late_days,
                "cap": cluster.member_cap,
            },
        )
        return cursor.rowcount
