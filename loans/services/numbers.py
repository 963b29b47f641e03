"""Numbers such as XW-2026-000017: unique, in order, without gaps, however many people ask at once."""

from __future__ import annotations

from django.db import connection


def next_number(prefix: str, year: int) -> str:
    """The next number of a series. Its row stays locked until the transaction ends; a rollback gives it back."""
    return next_numbers(prefix, year, 1)[0]


def next_numbers(prefix: str, year: int, count: int) -> list[str]:
    """The next `count` numbers of a series, at once."""
    if not connection.in_atomic_block:
        raise RuntimeError("a number is taken inside the transaction that uses it")
    if count < 1:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loans_numberseries (prefix, year, last) VALUES (%(prefix)s, %(year)s, %(count)s) "
            "ON CONFLICT (prefix, year) DO UPDATE SET last = loans_numberseries.last + %(count)s RETURNING last",
            {"prefix": prefix, "year": year, "count": count},
        )
        last = cursor.fetchone()[0]
    return [f"{prefix}-{year}-{number:06d}" for number in range(last - count + 1, last + 1)]
