"""Grades and tables of an investigation as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from loans.domain.cross_checks import CheckResult, Verdict
from loans.domain.findings import GRADED_FACTS, TABLES
from loans.models import Investigation

Text = Any  # a str or a lazy translation

TABLE_LABELS: dict[str, Text] = {"electricity": _("Electricity"), "water": _("Water"), "tax": _("Tax")}
GRADE_LABELS: dict[str, Text] = {
    "character": _("Character"),
    "product": _("Product"),
    "collateral": _("Collateral"),
    "overall": _("Overall"),
}
INPUT_LABELS: dict[str, Text] = {
    "stated_sales": _("Stated sales"),
    "usage": _("Use in the year"),
    "sales_per_unit": _("Sales a unit stands for"),
}
LEVEL_OF = {Verdict.GREEN: "good", Verdict.AMBER: "yellow", Verdict.RED: "red"}


@dataclass(frozen=True)
class TableView:
    """One of the three tables; `checked` is None until its facts are there."""

    code: str
    label: Text
    stated: Decimal | None
    checked: Decimal | None
    deviation: Decimal | None
    level: str
    inputs: list[tuple[Text, str]]
    fields: tuple[str, ...]


@dataclass(frozen=True)
class GradeView:
    code: str
    label: Text
    letter: str
    score: Decimal | None
    fields: tuple[str, ...]


def tables_of(investigation: Investigation) -> list[TableView]:
    """All three tables, with or without a finding, in their order."""
    found = {table["code"]: table for table in investigation.findings.get("tables", [])}
    return [_table(code, tuple(name for name in names if name), found.get(code)) for code, names in TABLES.items()]


def _table(code: str, fields: tuple[str, ...], found: dict[str, Any] | None) -> TableView:
    if found is None:
        return TableView(code, TABLE_LABELS[code], None, None, None, "", [], fields)
    deviation = found["deviation"]
    return TableView(
        code,
        TABLE_LABELS[code],
        Decimal(found["stated"]),
        Decimal(found["checked"]),
        None if deviation is None else Decimal(deviation),
        LEVEL_OF[Verdict(found["verdict"])],
        [(INPUT_LABELS.get(name, name), value) for name, value in found["inputs"].items()],
        fields,
    )


def table_of_check(check: CheckResult) -> TableView:
    """The same of a check made before anybody visited."""
    inputs = [(INPUT_LABELS.get(name, name), f"{value:f}") for name, value in check.inputs.items()]
    level = LEVEL_OF[check.verdict]
    return TableView(
        check.code, TABLE_LABELS[check.code], check.stated, check.checked, check.deviation, level, inputs, ()
    )


def grades_of(investigation: Investigation) -> list[GradeView]:
    """The three grades with the facts behind each; letters stand once a fact is known."""
    grades = investigation.findings.get("grades", {})
    missing = set(grades.get("missing", GRADED_FACTS))
    views = []
    for code in ("character", "product", "collateral"):
        fields = tuple(fact for fact, grade in GRADED_FACTS.items() if grade.value == code)
        known = code in grades and not missing >= set(fields)
        score = Decimal(grades[code]["score"]) if known else None
        views.append(GradeView(code, GRADE_LABELS[code], grades[code]["letter"] if known else "", score, fields))
    return views
