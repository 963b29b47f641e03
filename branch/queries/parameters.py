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
