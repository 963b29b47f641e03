"""What a text must be to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def can_be_kept(value: Any) -> bool:
    """Whether the database takes every text in a value, however deep: none holds NUL or half a character."""
    if isinstance(value, str):
        return "\x00" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, Mapping):
        return all(can_be_kept(part) for item in value.items() for part in item)
    return all(map(can_be_kept, value)) if isinstance(value, list | tuple) else True
