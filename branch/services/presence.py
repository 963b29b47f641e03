"""Being at work on a thing, shown by a lock that goes with the connection: a killed worker's thing is free at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error, connection


@contextmanager
def presence(space: int, number: int) -> Iterator[bool]:
    """Show on this connection that somebody is at work on `number`; False when another connection shows it.

    `space` tells kinds of things apart.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [space, number % 2**31])
        (is_alone,) = cursor.fetchone()
    try:
        yield is_alone
    finally:
        if is_alone:
            # A lost connection took the lock with it.
            with suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [space, number % 2**31])
