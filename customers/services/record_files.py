"""Outside figures from a spreadsheet: CSV or Excel with the columns metric, source, month and value."""

from __future__ import annotations

import csv
import io
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput
from branch.words import listed
from customers.services.intake import xlsx

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
#: These files are read in the request and held in memory: what is larger goes in as an import.
MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 10_000


class Upload(Protocol):
    size: int | None

    def read(self) -> bytes: ...


def content_of(upload: Upload) -> bytes:
    """The bytes of an upload. Raises InvalidInput where they are too many."""
    if (upload.size or 0) > MOST_BYTES:
        raise _refused(_("The file is larger than %(limit)s MB.") % {"limit": MOST_BYTES // 2**20})
    return upload.read()


def read_rows(content: bytes) -> list[dict[str, Any]]:
    """The rows of a CSV (UTF-8 or GB18030) or XLSX file. Raises InvalidInput when a heading is missing."""
    lines = read_table(content)
    names = [HEADINGS.get(str(cell).strip().lower()) for cell in lines[0]]
    if missing := {"metric", "source", "period_month", "value"} - set(names):
        raise _refused(_("The first line lacks: %(names)s.") % {"names": listed(sorted(missing))})
    return [_row(names, line) for line in lines[1:]]


def read_table(content: bytes) -> list[list[str]]:
    """The lines of a CSV (UTF-8 or GB18030) or XLSX file that hold anything, as text.

    Raises InvalidInput where none does, where they are too many, and for what is no table.
    """
    table = _excel(content) if content.startswith(ZIP_MARK) else _csv(content)
    lines = list(itertools.islice((line for line in table if any(line)), MOST_LINES + 1))
    if not lines:
        raise _refused(_("The file has no rows."))
    if len(lines) > MOST_LINES:
        raise _refused(_("At most %(most)d rows.") % {"most": MOST_LINES})
    return lines


def _row(names: list[str | None], line: list[str]) -> dict[str, Any]:
    return {name: value.strip() for name, value in zip(names, line, strict=False) if name}


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    try:
        yield from csv.reader(io.StringIO(text))
    except csv.Error as error:
        raise _refused(_("This file can't be read as a spreadsheet.")) from error


def _excel(content: bytes) -> Iterator[list[str]]:
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        file.write(content)
        file.flush()
        path = Path(file.name)
        xlsx.check(path, MOST_BYTES * 4)
        with xlsx.open_sheet(path) as sheet:
            for cells, problem in sheet.rows(lambda _line, cells, problem: (cells, problem)):
                if problem == "damaged":
                    raise _refused(_("This file can't be read as a spreadsheet."))
                yield cells


def _refused(message: str) -> InvalidInput:
    return InvalidInput(fields={"file": [message]})
