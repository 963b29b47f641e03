"""Sharing work out so that nobody has much more of it than another."""

from __future__ import annotations

import heapq
from collections.abc import Iterable


class Balance:
    """Who gets the next piece of work: whoever has the least; of equals, who stands first in `loads` (who, load)."""

    def __init__(self, loads: Iterable[tuple[int, int]]) -> None:
        self._heap = [(load, place, who) for place, (who, load) in enumerate(loads)]
        heapq.heapify(self._heap)

    def __bool__(self) -> bool:
        return bool(self._heap)

    def next(self) -> int:
        """Who it is, with the piece added to theirs. Raises IndexError where there is nobody."""
        load, place, who = self._heap[0]
        heapq.heapreplace(self._heap, (load + 1, place, who))
        return who
