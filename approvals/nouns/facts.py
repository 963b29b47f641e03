"""What an approver reads on one screen: findings, price and terms of a file, ready for the page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from loans.models import Application, Investigation

TABLE_LABELS = {"electricity": _("Electricity"), "water": _("Water"), "tax": _("Tax")}
GRADE_LABELS = {"character": _("Character"), "product": _("Product"), "collateral": _("Collateral")}
COMPONENT_LABELS = {
    "product_margin": _("Product"),
    "grade_margin": _("Grade"),
    "guarantee_discount": _("Guarantee"),
    "repeat_customer": _("Repeat customer"),
    "floor": _("Up to the floor"),
    "cap": _("Down to the cap"),
}
INPUT_LABELS = {
    "usage": _("Usage in a year"),
    "sales_per_unit": _("Sales per unit"),
    "stated_sales": _("Stated sales"),
    "checked_sales": _("Checked sales"),
}
BASIS_POINT = Decimal("0.0001")


@dataclass(frozen=True)
class Answer:
    """One observed fact of a grade and how far it was met: 0, 1 or 2."""

    label: Any
    answer: int


@dataclass(frozen=True)
class GradeCard:
    label: Any
    letter: str
    score: Decimal
    answers: list[Answer]


def tables_of(findings: dict[str, Any]) -> list[dict[str, Any]]:
    """The three tables: label, stated and checked sales in yuan, the formula and its inputs."""
    return [
        {
            "code": table["code"],
            "label": TABLE_LABELS.get(table["code"], table["code"]),
            "stated": Decimal(table["stated"]),
            "checked": Decimal(table["checked"]),
            "formula": _("usage × sales per unit") if "sales_per_unit" in table["inputs"] else _("as declared"),
            "inputs": [(INPUT_LABELS.get(name, name), value) for name, value in table["inputs"].items()],
        }
        for table in findings.get("tables", ())
    ]


def grades_of(findings: dict[str, Any]) -> list[GradeCard]:
    """The three grades with the facts behind each."""
    grades = findings.get("grades", {})
    return [
        GradeCard(
            label,
            grades[code]["letter"],
            Decimal(grades[code]["score"]),
            [
                Answer(_fact_label(f["code"]), int(f["answer"] or 0))
                for f in grades.get("facts", ())
                if f["grade"] == code
            ],
        )
        for code, label in GRADE_LABELS.items()
        if code in grades
    ]


def _fact_label(code: str) -> Any:
    return Investigation._meta.get_field(code).verbose_name  # type: ignore[union-attr]


def price_of(quote: dict[str, Any]) -> list[tuple[Any, Decimal]]:
    """The parts of the rate as (label, fraction a year), the prime rate first."""
    if not quote.get("lpr"):
        return []
    parts: Iterable[dict[str, Any]] = quote.get("components", ())
    return [("LPR", Decimal(quote["lpr"]["rate"]))] + [
        (COMPONENT_LABELS.get(part["code"], part["code"]), Decimal(part["bp"]) * BASIS_POINT) for part in parts
    ]


def terms_of(application: Application) -> list[tuple[Any, Any]]:
    """The head line of a file: what is asked for."""
    return [
        (_("Product"), application.product_version.product),
        (_("Instalments"), application.instalments),
        (_("Repayment method"), application.get_repayment_method_display()),
        (_("Guarantee"), application.get_guarantee_mode_display()),
        (_("Purpose"), application.purpose),
        (_("Account manager"), application.owner),
    ]
