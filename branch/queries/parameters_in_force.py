"""Every bank parameter with the value in force today, what it means and who set it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext

from branch.domain.parameters import PARAMETERS, Parameter
from branch.models import ParameterValue
from branch.queries.business_date import business_date


@dataclass(frozen=True)
class InForce:
    """`since` and `set_by` are empty where the default stands; `grade` says where the default comes from."""

    code: str
    meaning: str
    kind: str
    value: Any
    default: Any
    grade: str
    since: date | None
    set_by: str

    @property
    def is_default(self) -> bool:
        return self.since is None


def parameters_in_force() -> list[InForce]:
    """In the order they are declared, in one query."""
    rows = (
        ParameterValue.objects.filter(effective_date__lte=business_date())
        .order_by("code", "-effective_date", "-id")
        .distinct("code")
    )
    stored = {row.code: row for row in rows}
    return [_in_force(definition, stored.get(code)) for code, definition in PARAMETERS.items()]


def _in_force(definition: Parameter, row: ParameterValue | None) -> InForce:
    return InForce(
        code=definition.code,
        meaning=gettext(definition.meaning),
        kind=definition.kind.__name__.lower(),
        value=shown(definition, row.value if row else definition.default),
        default=shown(definition, definition.default),
        grade=definition.grade,
        since=row.effective_date if row else None,
        set_by=row.set_by_name if row else "",
    )


def shown(definition: Parameter, value: Any) -> str:
    """A value as it is typed in."""
    if definition.kind is list:
        return ", ".join(definition.parse(value))
    if definition.kind is bool:
        return "true" if definition.parse(value) else "false"
    return str(definition.parse(value))
