"""Outside figures from a spreadsheet: CSV or Excel with the columns metric, source, month and value."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from python_calamine import CalamineError, CalamineWorkbook

from branch.domain.refusals import InvalidInput
from branch.words import listed

#: What a heading may be called → the name a row carries.
HEADINGS = {
    "metric": "metric",
    "指标": "metric",
    "source": "source",
    "来源": "source",
    "month": "period_month",
    "period_month": "period_month",
    "月份": "period_month",
    "value": "value",
    "数值": "value",
}
ZIP_MARK = b"PK\x03\x04"


def read_rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV (UTF-8 or GB18030) or XLSX file. Raises InvalidInput when a heading is missing."""
    lines = read_table(content)
    names = [HEADINGS.get(str(cell).strip().lower()) for cell in lines[0]]
    if missing := {"metric", "source", "period_month", "value"} - set(names):
        raise _refused(_("The first line lacks: %(names)s.") % {"names": listed(sorted(missing))})
    return [_row(names, line) for line in lines[1:]]


def read_table(content: bytes) -> list[list[Any]]:
    """The lines of a CSV (UTF-8 or GB18030) or XLSX file that hold anything. Raises InvalidInput where none does."""
    table = _excel(content) if content.startswith(ZIP_MARK) else _csv(content)
    lines = [line for line in table if any(cell not in (None, "") for cell in line)]
    if not lines:
        raise _refused(_("The file has no rows."))
    return lines


def _row(names: list[str | None], line: list[Any]) -> dict[str, Any]:
    cells = zip(names, line, strict=False)
    return {name: value.strip() if isinstance(value, str) else value for name, value in cells if name}


def _csv(content: bytes) -> Iterable[list[Any]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    return list(csv.reader(io.StringIO(text)))


def _excel(content: bytes) -> Iterable[list[Any]]:
    try:
        sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    except CalamineError as error:
        raise _refused(_("This file can't be read as a spreadsheet.")) from error
    return [[_cell(cell) for cell in line] for line in sheet.to_python()]


def _cell(value: Any) -> Any:
    # Excel knows no whole numbers and keeps months as dates.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return date(value.year, value.month, value.day) if isinstance(value, date) else value


def _refused(message: str) -> InvalidInput:
    return InvalidInput(fields={"file": [message]})
