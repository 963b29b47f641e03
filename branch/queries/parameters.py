"""The value of a parameter in force on a date."""

from __future__ import annotations

from datetime import date
from typing import Any

from branch.domain.parameters import PARAMETERS
from branch.models import ParameterValue
from branch.queries.business_date import business_date


def parameter(code: str, on: date | None = None) -> Any:
    """The typed value in force (default where nobody set one). Raises KeyError for an unknown code."""
    definition = PARAMETERS[code]
    row = (
        ParameterValue.objects.filter(code=code, effective_date__lte=on or business_date())
        .order_by("-effective_date", "-id")
        .first()
    )
    return definition.parse(row.value) if row else definition.default


def parameters(*codes: str, on: date | None = None) -> dict[str, Any]:
    """Several at once, by code, in one query."""
    rows = (
        ParameterValue.objects.filter(code__in=codes, effective_date__lte=on or business_date())
        .order_by("code", "-effective_date", "-id")
        .distinct("code")
    )
    stored = {row.code: row.value for row in rows}
    return {
        code: PARAMETERS[code].parse(stored[code]) if code in stored else PARAMETERS[code].default for code in codes
    }
