"""Finding values in what a provider answers: "data.rows", "periods.0.amount"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def dig(value: Any, path: str) -> Any:
    """What lies at `path`, steps divided by dots, numbers for places in a list; None where nothing does."""
    for step in filter(None, path.split(".")):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def rows_at(answer: Any, path: str) -> list[Mapping[str, Any]] | None:
    """The rows of an answer; none where the path leads to nothing, None where it leads to what are no rows."""
    found = dig(answer, path)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        return None
    return found


def text_of(value: Any) -> str:
    """A value as it would stand in a file: nothing for null, lists and objects."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    return str(value)
