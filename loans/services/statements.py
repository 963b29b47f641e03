"""A loan's statement as a paper: PDF/A by typst and a workbook, in the reader's language."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn
import typst
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from openpyxl import Workbook

from branch.domain.money import format_money
from loans.queries.statements import Statement, StatementLine

_TEMPLATE = Path(__file__).resolve().parent.parent / "documents" / "statement.typ"
_FONTS = Path(pylopdf_fonts_zh_cn.__file__).parent


def headings() -> list[str]:
    return [
        _("Booked on"),
        _("Event"),
        _("Reference"),
        _("Paid out"),
        _("Principal"),
        _("Interest"),
        _("Penalty interest"),
        _("Fees"),
        _("Held"),
        _("Balance"),
    ]


def cells(line: StatementLine) -> list[Any]:
    """One line under the headings; amounts as Decimal, zero where nothing moved."""
    return [
        line.entry.business_date,
        line.entry.get_event_display(),
        line.reference,
        max(line.principal, line.principal * 0),
        max(-line.principal, line.principal * 0),
        line.interest,
        line.penalty,
        line.fees,
        line.suspense,
        line.balance,
    ]


def totals(statement: Statement) -> list[Any]:
    return [
        statement.paid_out,
        statement.repaid,
        statement.interest,
        statement.penalty,
        statement.fees,
        statement.closing_held - statement.opening_held,
        statement.closing_balance,
    ]


def facts(statement: Statement) -> list[tuple[str, str]]:
    loan = statement.loan
    return [
        (_("Borrower"), loan.customer.name),
        (_("Lender"), loan.office.name),
        (_("Loan number"), loan.number),
        (_("Period"), f"{statement.start} – {statement.end}"),
        (_("Annual rate"), f"{loan.annual_rate * 100:.2f}%"),
        (_("Opening balance"), format_money(statement.opening_balance)),
        (_("Closing balance"), format_money(statement.closing_balance)),
        (_("Interest accrued in the period"), format_money(statement.interest_accrued)),
        (_("Penalty interest accrued in the period"), format_money(statement.penalty_accrued)),
        (_("Held for the borrower"), format_money(statement.closing_held)),
    ]


def render_statement(statement: Statement) -> bytes:
    """The statement as PDF/A. Raises typst.TypstError when the template is broken."""
    data = {
        "lang": "zh" if (get_language() or "").startswith("zh") else "en",
        "number": statement.loan.number,
        "date": [statement.end.year, statement.end.month, statement.end.day],
        "title": _("Loan statement"),
        "facts": facts(statement),
        "headings": headings(),
        "rows": [[_text(cell) for cell in cells(line)] for line in statement.lines],
        "totals": [_("Total"), "", "", *(_text(cell) for cell in totals(statement))],
        "empty": _("Nothing was booked in this period."),
    }
    result = typst.compile(
        str(_TEMPLATE),
        font_paths=[str(_FONTS)],
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, default=str)},
        pdf_standards=["a-2b"],
    )
    if not isinstance(result, bytes):
        raise TypeError("a PDF is one piece of bytes")
    return result


def statement_workbook(statement: Statement) -> bytes:
    """The same as XLSX; amounts as numbers with two places."""
    book = Workbook()
    sheet = book.active
    sheet.title = statement.loan.number[:31]
    for label, value in facts(statement):
        sheet.append([label, value])
    sheet.append([])
    sheet.append(headings())
    for row in [*map(cells, statement.lines), [_("Total"), "", "", *totals(statement)]]:
        sheet.append(row)
        for cell in sheet[sheet.max_row][3:]:
            cell.number_format = "#,##0.00"
    for column, width in zip("ABCDEFGHIJ", (14, 26, 24, *(16,) * 7), strict=True):
        sheet.column_dimensions[column].width = width
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _text(cell: Any) -> str:
    if hasattr(cell, "as_tuple"):
        return format_money(cell) if cell else "–"
    return str(cell)
