"""Lines of a file into a temporary table, by COPY: nothing is logged, nothing is left behind, memory stays flat."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from customers.domain.layouts import Layout
from customers.services.intake.sql import NULL

LINES_AT_ONCE = 1000
#: The layout's name of a column the file has and nobody asked for.
UNUSED = "unused_{place}"


#: The tables of a chunk have no statistics: what suits a hundred thousand rows is said once, for its transaction.
PLANNING = "SET LOCAL jit = off; SET LOCAL work_mem = '96MB'; SET LOCAL enable_mergejoin = off"


def stage(
    cursor: Any, layout: Layout, headings: Sequence[str], mapping: Mapping[str, str], lines: Iterator[str], mark: str
) -> int:
    """Fill the temporary table `staged`: line, problem, raw, and a text for every column of the layout; rows staged.

    `mark` is what divides the cells of a line.
    """
    called = {heading: name for name, heading in mapping.items()}
    # Of two columns with one heading the first is meant.
    names = [called.pop(heading, UNUSED.format(place=place)) for place, heading in enumerate(headings)]
    columns = ["line bigint", "problem text", "raw text", *(f"{name} text" for name in names)]
    columns += [f"{name} text NOT NULL DEFAULT ''" for name in layout.names if name not in names]
    cursor.execute(PLANNING)
    cursor.execute(f"CREATE TEMP TABLE staged ({', '.join(columns)}) ON COMMIT DROP")
    feed = _Feed(lines)
    cursor.copy_expert(
        f"COPY staged (line, problem, raw, {', '.join(names)}) FROM STDIN "
        f"(FORMAT csv, DELIMITER E'{mark}', NULL '{NULL}', FORCE_NOT_NULL (problem, raw, {', '.join(names)}))",
        feed,
        size=1 << 18,
    )
    return feed.rows


class _Feed:
    """What COPY reads from: a piece of text at a time, never more than was asked for."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.rows = lines, 0
        self._rest = ""

    def read(self, size: int) -> str:
        while len(self._rest) < size and (batch := list(itertools.islice(self._lines, LINES_AT_ONCE))):
            self.rows += len(batch)
            self._rest += "".join(batch)
        given, self._rest = self._rest[:size], self._rest[size:]
        return given
