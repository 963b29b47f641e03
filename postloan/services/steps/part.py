"""One part of the portfolio on one day, and what a step did to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Model, QuerySet

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Part:
    """Customers whose id modulo `shards` is `shard`; only those in `customer_ids` where that is given."""

    date: date
    shard: int
    shards: int
    customer_ids: tuple[int, ...] | None = None

    def only(self, customer_ids: Iterable[int]) -> Part:
        return replace(self, customer_ids=tuple(customer_ids))

    def of(self, rows: QuerySet[M], customer: str = "customer_id") -> QuerySet[M]:
        """The rows whose customer is in this part; `customer` is the path to the customer's id."""
        mine: QuerySet[M] = rows.alias(_part=F(customer) % self.shards).filter(_part=self.shard)  # type: ignore[assignment]
        return mine if self.customer_ids is None else mine.filter(**{f"{customer}__in": self.customer_ids})

    @property
    def parameters(self) -> dict[str, Any]:
        """What CUSTOMER_IN_PART and the statements of the steps ask for."""
        ids = None if self.customer_ids is None else list(self.customer_ids)
        return {"date": self.date, "shard": self.shard, "shards": self.shards, "customer_ids": ids}


#: The same cut in SQL, for a table or alias `{t}` that has a customer_id.
CUSTOMER_IN_PART = (
    "{t}.customer_id %% %(shards)s = %(shard)s"
    " AND (%(customer_ids)s::bigint[] IS NULL OR {t}.customer_id = ANY(%(customer_ids)s::bigint[]))"
)
#: Files of customers who have several: each with the one that stands for them all. Their files lie in any part.
MERGED_FILES = """
    SELECT id AS file_id, merged_into_id AS debtor_id FROM customers_customer WHERE merged_into_id IS NOT NULL
    UNION SELECT merged_into_id, merged_into_id FROM customers_customer WHERE merged_into_id IS NOT NULL
"""
#: Loans whose interest runs and whose days are counted.
LIVE_STATES = ("active", "called_in")
LIVE = "{t}.state IN ('active', 'called_in')"


@dataclass(frozen=True, slots=True)
class Work:
    """How many rows a step wrote or moved, and a digest over them that doesn't depend on their order."""

    rows: int
    digest: str


def work_of(lines: Iterable[str]) -> Work:
    """One line of text per row."""
    ordered = sorted(lines)
    return Work(len(ordered), hashlib.sha256("\n".join(ordered).encode()).hexdigest())


#: The same in SQL over a relation `written` with a column `line`.
COUNT_AND_DIGEST = (
    "SELECT count(*), encode(sha256(convert_to("
    "coalesce(string_agg(line, E'\\n' ORDER BY line COLLATE \"C\"), ''), 'UTF8')), 'hex') FROM written"
)


def execute(statement: str, parameters: dict[str, Any]) -> Work:
    """Run a statement over the whole part; it ends in COUNT_AND_DIGEST."""
    return execute_and_sum(statement, parameters)[0]


def execute_and_sum(statement: str, parameters: dict[str, Any]) -> tuple[Work, list[Any]]:
    """The same for a statement that has a third column: sums for the ledger, as JSON."""
    with connection.cursor() as cursor:
        # The planner takes `id % shards = shard` for one row in two hundred, and would look every loan up by itself.
        cursor.execute("SET LOCAL enable_nestloop = off; SET LOCAL jit = off; SET LOCAL work_mem = '64MB'")
        cursor.execute(statement, parameters)
        rows, digest, *sums = cursor.fetchone()
        cursor.execute("SET LOCAL enable_nestloop TO DEFAULT; SET LOCAL jit TO DEFAULT; SET LOCAL work_mem TO DEFAULT")
    return Work(rows, digest), (sums[0] or []) if sums else []
