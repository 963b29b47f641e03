"""Two pictures of a loan side by side: what something moved, or would move. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Picture = Mapping[str, Any]


def side_by_side(before: Picture, after: Picture) -> dict[str, Any]:
    """`figures` and `rows` of both in pairs, each with whether it moved; a row that one side lacks is None there."""
    names = [*before["figures"], *(name for name in after["figures"] if name not in before["figures"])]
    old, new = ({row["number"]: row for row in picture["rows"]} for picture in (before, after))
    return {
        "figures": [_pair(name, before["figures"].get(name), after["figures"].get(name)) for name in names],
        "rows": [_pair(number, old.get(number), new.get(number)) for number in sorted(old.keys() | new.keys())],
    }


def _pair(name: Any, before: Any, after: Any) -> dict[str, Any]:
    return {"name": name, "before": before, "after": after, "moved": before != after}
