"""Narrowing a list to what belongs to another record."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django_filters import FilterSet, ModelChoiceFilter
from django_filters.fields import ModelChoiceField

_MOST_DIGITS = 18  # what a bigint holds


class NumberOfRecord(ModelChoiceField):
    """Another record by its number, which is not looked up.

    A number of nothing and one of something that is not this person's to know of narrow a list alike, to nothing.
    """

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise ValidationError(self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value})
        return int(text)


def by_number(filterset: type[FilterSet]) -> None:
    """Have all filters by another record take its number as it is."""
    for one in filterset.base_filters.values():
        if isinstance(one, ModelChoiceFilter):
            one.field_class = NumberOfRecord
