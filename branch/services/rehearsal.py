"""What a use case would do, without doing it: run for real, looked at, and taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import transaction

T = TypeVar("T")


class _Undo(Exception):
    pass


def rehearse(run: Callable[[], T]) -> T:
    """The result of `run`, of which nothing stays: no row, no event, nothing handed to a worker.

    Whatever is to be shown must be read inside `run`. Raises what it raises.
    """
    try:
        with transaction.atomic():
            result = run()
            raise _Undo
    except _Undo:
        return result
