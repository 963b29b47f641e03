"""Numbers such as XW-2026-000017: unique, in order, without gaps, however many people ask at once."""

from __future__ import annotations

from django.db import connection


def next_number(prefix: str, year: int) -> str:
    """The next number of a series. Its row stays locked until the transaction ends; a rollback gives it back."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number is taken inside the transaction that uses it")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loans_numberseries (prefix, year, last) VALUES (%s, %s, 1) "
            "ON CONFLICT (prefix, year) DO UPDATE SET last = loans_numberseries.last + 1 RETURNING last",
            [prefix, year],
        )
        return f"{prefix}-{year}-{cursor.fetchone()[0]:06d}"
