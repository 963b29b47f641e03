"""The value of a parameter in force on a date."""

from __future__ import annotations

from datetime import date
from typing import Any

from branch.domain.parameters import PARAMETERS
from branch.models import ParameterValue
from branch.queries.business_date import business_date
from branch.queries.one_look import read_once


def parameter(code: str, on: date | None = None) -> Any:
    """The typed value in force (default where nobody set one). Raises KeyError for an unknown code."""
    return parameters(code, on=on)[code]


def parameters(*codes: str, on: date | None = None) -> dict[str, Any]:
    """Several at once, by code, in one query."""
    day = on or business_date()
    stored = read_once(("parameters", day), lambda: _stored(day))
    return {
        code: PARAMETERS[code].parse(stored[code]) if code in stored else PARAMETERS[code].default for code in codes
    }


def _stored(day: date) -> dict[str, Any]:
    """What the bank set, of all of them: they are few."""
    rows = ParameterValue.objects.filter(effective_date__lte=day).order_by("code", "-effective_date", "-id")
    return dict(rows.distinct("code").values_list("code", "value"))
