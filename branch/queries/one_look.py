"""What one look at the bank asks for again and again is read once: a page, an answer that only reads.

A service that writes reads anew each time, under its locks: nothing is kept outside `one_look`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

V = TypeVar("V")
_KNOWN: ContextVar[dict[Hashable, Any] | None] = ContextVar("one_look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Until its end, `read_once` answers the same for the same key."""
    token = _KNOWN.set({})
    try:
        yield
    finally:
        _KNOWN.reset(token)


def read_once(key: Hashable, read: Callable[[], V]) -> V:
    """What `read` gives; within one look, what it gave the first time."""
    known = _KNOWN.get()
    if known is None:
        return read()
    if key not in known:
        known[key] = read()
    return cast(V, known[key])
