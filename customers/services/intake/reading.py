"""A stored file as a stream of lines ready for COPY, whatever its encoding; it is never held in memory."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import itertools
import re
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput
from customers.domain.layouts import Layout, delimiter_of, heading_row, suggest
from customers.services.intake import xlsx
from customers.services.intake.sql import BLANKS

BLOCK_BYTES = 256 * 1024
ZIP_MARK, GZIP_MARK, OLD_EXCEL_MARK = b"PK\x03\x04", b"\x1f\x8b", b"\xd0\xcf\x11\xe0"
#: What decoding puts in place of bytes that are no text in the encoding.
BROKEN = "\ufffd"
#: Stands in `raw` of a row that may have blanks around its values; most have none, and trimming takes time.
BLANK = "~"
FIRST_ROWS = 20
LONGEST_RAW = 1000
#: What is longer or wider is no line of a table, and would be held in memory whole.
LONGEST_LINE = 1_000_000
MOST_COLUMNS = 500
#: Characters looked through for the end of a value in quotation marks.
LONGEST_QUOTED = 100_000
_HAS_BLANKS = re.compile(f"[{BLANKS.replace(chr(10), '')}]").search
#: How compressed bytes show that some are missing or wrong.
DAMAGE = (EOFError, zlib.error, gzip.BadGzipFile)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Form:
    """How a file is to be read. `heading_row` counts its rows from 1; `has_broken_text` where bytes fit no encoding.

    `size_bytes` are unpacked; `ends_open` says that the last line has no end, as when a file was cut.
    """

    kind: str
    encoding: str = ""
    delimiter: str = ","
    heading_row: int = 1
    headings: list[str] = field(default_factory=list)
    size_bytes: int = 0
    has_broken_text: bool = False
    ends_open: bool = False
    #: Of Excel, the part that was chosen, and how many others have the same headings.
    sheet: str = ""
    other_sheets: int = 0

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Row(NamedTuple):
    """`problem` is empty, or says why the cells can't be used: "columns", "quote", "formula", "damaged"."""

    line: int
    cells: list[str]
    problem: str = ""


def refused(message: str) -> InvalidInput:
    return InvalidInput(fields={"file": [message]})


# --- what kind of file it is


def recognise(path: Path, layout: Layout, *, most_bytes: int) -> Form:
    """How to read the file. Raises InvalidInput for what is no table, is damaged or holds too much."""
    with path.open("rb") as file:
        mark = file.read(4)
    if mark == ZIP_MARK:
        return _best_sheet(path, layout, most_bytes)
    if mark == OLD_EXCEL_MARK:
        raise refused(_("This is an old Excel file (.xls) or one with a password. Save it as .xlsx without one."))
    form = _text_form(path, "gzip" if mark.startswith(GZIP_MARK) else "csv", most_bytes)
    return _with_headings(path, form, layout)


def _best_sheet(path: Path, layout: Layout, most_bytes: int) -> Form:
    """The sheet in whose headings most columns are found, the first of several."""
    parts = xlsx.check(path, most_bytes)
    forms = [Form("xlsx", size_bytes=size, sheet=sheet) for sheet, size in parts.items()]
    if len(forms) == 1:
        return _with_headings(path, forms[0], layout)
    headed = [_with_headings(path, form, layout) for form in forms if first_rows(path, form, 1)]
    if not headed:
        raise refused(_("The file has no rows."))
    found = [len(suggest(layout, form.headings, {})) for form in headed]
    best = headed[found.index(max(found))]
    return replace(best, other_sheets=found.count(max(found)) - 1 if max(found) else 0)


def _with_headings(path: Path, form: Form, layout: Layout) -> Form:
    rows = first_rows(path, form, FIRST_ROWS)
    cells = [row.cells for row in rows]
    if not any(cells):
        raise refused(
            _("The file is damaged or was not sent whole. Send it again.") if rows else _("The file has no rows.")
        )
    if max(map(len, cells)) > MOST_COLUMNS:
        raise refused(_("The file has more than %(most)d columns: it is no table of these.") % {"most": MOST_COLUMNS})
    at = heading_row(layout, cells)
    return replace(form, heading_row=at + 1, headings=[text.strip() for text in cells[at]])


def _text_form(path: Path, kind: str, most_bytes: int) -> Form:
    """Read the whole file once, block by block: which encoding fits all of it, or fits it best."""
    broken: dict[str, int] = {}
    for encoding in _candidates(path, kind):
        broken[encoding], size, letters, ends_open = _count_broken(path, kind, encoding, most_bytes)
        # Bytes make letters of UTF-8 hardly ever by chance; a few wrong ones among many are faults.
        if broken[encoding] == 0 or size - letters > 2 * broken[encoding]:
            break
    best = encoding if size - letters > 2 * broken[encoding] else min(broken, key=lambda name: broken[name])
    with _open_bytes(path, kind) as raw:
        head = codecs.getincrementaldecoder(best)("replace").decode(_read(raw))
    if "\x00" in head or (head and head.count(BROKEN) > len(head) // 10):
        raise refused(_("This is no text file. Save the table as CSV or Excel."))
    lines = head.splitlines()[:FIRST_ROWS]
    return Form(kind, best, delimiter_of(lines), size_bytes=size, has_broken_text=broken[best] > 0, ends_open=ends_open)


def _candidates(path: Path, kind: str) -> tuple[str, ...]:
    with _open_bytes(path, kind) as raw:
        head = _read(raw)[:4]
    marked = next((encoding for bom, encoding in _BOMS if head.startswith(bom)), None)
    return (marked,) if marked else ("utf-8", "gb18030")


def _count_broken(path: Path, kind: str, encoding: str, most_bytes: int) -> tuple[int, int, int, bool]:
    """How many places are no text in this encoding, bytes, letters, and whether the last line has no end."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    broken = size = letters = run = 0
    last = "\n"
    with _open_bytes(path, kind) as raw:
        while block := _read(raw):
            size += len(block)
            if size > most_bytes:
                limit = {"limit": most_bytes // 2**20}
                raise refused(_("The file holds more than %(limit)d MB of data. Cut it into several.") % limit)
            text = decoder.decode(block)
            broken += text.count(BROKEN)
            letters += len(text)
            last = text[-1:] or last
            end = max(text.rfind("\n"), text.rfind("\r"))
            run = run + len(text) if end < 0 else len(text) - end - 1
            if run > LONGEST_LINE:
                raise refused(_("The file has a line of more than a million characters: it is no table."))
    broken += decoder.decode(b"", final=True).count(BROKEN)
    return broken, size, letters, last not in "\r\n"


def _read(raw: BinaryIO) -> bytes:
    """The next block; nothing where compressed bytes end too early: the rows before that are good."""
    try:
        return raw.read(BLOCK_BYTES)
    except DAMAGE:
        return b""


def _open_bytes(path: Path, kind: str) -> BinaryIO:
    return gzip.open(path, "rb") if kind == "gzip" else path.open("rb")  # type: ignore[return-value]


# --- its rows


class Stream:
    """Lines for COPY (line, problem, raw, then one cell per heading), and how far the file has been read."""

    def __init__(self, lines: Iterator[str], size: int, position: Any) -> None:
        self._lines, self._size, self._position = lines, max(size, 1), position

    def __iter__(self) -> Iterator[str]:
        return self._lines

    @property
    def percent(self) -> int:
        return min(100, int(100 * self._position() / self._size))


def first_rows(path: Path, form: Form, count: int, *, below_headings: bool = False) -> list[Row]:
    """The first rows that are not blank."""
    start = form.heading_row if below_headings else 0
    with _open_rows(path, form) as (rows, _position):
        return list(itertools.islice(rows, start, start + count))


def values_of(path: Path, form: Form, place: int) -> set[str]:
    """The distinct values of one column, read through once."""
    with _open_rows(path, form) as (rows, _position):
        below = itertools.islice(rows, form.heading_row, None)
        return {row.cells[place].strip() for row in below if len(row.cells) > place} - {""}


@contextmanager
def open_lines(path: Path, form: Form) -> Iterator[Stream]:
    """The rows below the headings as lines for COPY."""
    width = len(form.headings)
    if form.kind == "xlsx":
        with _open_rows(path, form) as (rows, position):
            below = itertools.islice(rows, form.heading_row, None)
            yield Stream((_line_of(row, width, ",") for row in below), form.size_bytes, position)
        return
    with _open_text(path, form) as (text, position):
        yield Stream(_text_lines(text, form, width), form.size_bytes, position)


@contextmanager
def _open_rows(path: Path, form: Form) -> Iterator[tuple[Iterator[Row], Any]]:
    if form.kind == "xlsx":
        with xlsx.open_sheet(path, form.sheet) as sheet:
            yield sheet.rows(Row), sheet.position
    else:
        with _open_text(path, form) as (text, position):
            yield _csv_rows(text, form.delimiter, 0), position


@contextmanager
def _open_text(path: Path, form: Form) -> Iterator[tuple[Iterator[str], Any]]:
    """Lines that end in a line feed, without NUL, which no text column takes."""
    with _open_bytes(path, form.kind) as raw, io.TextIOWrapper(raw, form.encoding, "replace") as text:
        yield (line.replace("\x00", "") for line in text), raw.tell


def _text_lines(text: Iterator[str], form: Form, width: int) -> Iterator[str]:
    """Plain lines go on as they are: only a quotation mark, or another number of cells, needs a closer look."""
    delimiter, cuts, number = form.delimiter, width - 1, 0
    least = _named(form.headings)
    seen: deque[str] = deque()
    for row in itertools.islice(_csv_rows(text, delimiter, 0, seen=seen), form.heading_row):
        number = row.line
    text = itertools.chain(list(seen), text)
    edge = delimiter + BLANKS
    gap, blank_gap = 3 * delimiter, f"{delimiter}{delimiter}{BLANK}{delimiter}"
    try:
        for line in text:
            number += 1
            if line.count(delimiter) == cuts and '"' not in line:
                if len(line) > width:  # else it is blank
                    mark = blank_gap if _HAS_BLANKS(line) else gap
                    if mark is blank_gap and not line.strip(edge):
                        continue
                    yield f"{number}{mark}{line}" if line[-1] == "\n" else f"{number}{mark}{line}\n"
            elif '"' not in line:
                if line.strip(edge):
                    cells = line.rstrip("\n").split(delimiter)
                    yield _line_of(_of_other_width(number, cells, width, least), width, delimiter)
            else:
                for row in _csv_rows(itertools.chain([line], text), delimiter, number - 1, width, least):
                    yield _line_of(
                        row if row.problem else _of_other_width(row.line, row.cells, width, least), width, delimiter
                    )
    except DAMAGE:
        yield _line_of(Row(number + 1, [], "damaged"), width, delimiter)


def _named(headings: Sequence[str]) -> int:
    """How many columns there are up to the last that has a heading."""
    return max((place for place, heading in enumerate(headings, 1) if heading), default=len(headings))


def _csv_rows(
    lines: Iterator[str],
    delimiter: str,
    lines_before: int,
    width: int = 0,
    least: int = 0,
    seen: deque[str] | None = None,
) -> Iterator[Row]:
    """Rows that are not blank, with all that quotation marks can do; one that is never closed costs its own line.

    Where `width` is known, a value over several lines whose row has other cells is such a mark. `seen` keeps lines
    that were looked at and are still to be read.
    """
    seen = deque() if seen is None else seen
    number = lines_before
    try:
        while (line := seen.popleft() if seen else next(lines, None)) is not None:
            number += 1
            held, cells, size = [line], _cells([line], delimiter), len(line)
            is_open = _is_open(held, cells, delimiter)
            while is_open and size < LONGEST_QUOTED:
                more = seen.popleft() if seen else next(lines, None)
                if more is None:
                    break
                held.append(more)
                size += len(more)
                if '"' in more:
                    cells = _cells(held, delimiter)
                    is_open = _is_open(held, cells, delimiter)
            is_sound = len(held) == 1 or _is_sound(held, cells or [], delimiter, width, least)
            if cells is None or is_open or not is_sound:
                seen.extendleft(reversed(held[1:]))
                yield Row(number, [line.strip()], "quote")
                continue
            number += len(held) - 1
            if any(map(str.strip, cells)):
                yield Row(number, cells)
    except DAMAGE:
        yield Row(number + 1, [], "damaged")


def _cells(lines: Sequence[str], delimiter: str, *, strict: bool = False) -> list[str] | None:
    """The cells of the first row; None for a value too long for one."""
    try:
        return next(csv.reader(lines, delimiter=delimiter, strict=strict), [])
    except csv.Error:
        return None


def _is_open(lines: Sequence[str], cells: list[str] | None, delimiter: str) -> bool:
    """Only in quotation marks does a line feed belong to a value: where they aren't closed, the row goes on."""
    ends_in_value = bool(cells) and cells[-1].endswith("\n")  # type: ignore[index]
    return ends_in_value and _cells(lines, delimiter, strict=True) is None


def _is_sound(lines: Sequence[str], cells: list[str], delimiter: str, width: int, least: int) -> bool:
    """Whether a value over several lines was closed where it ends, and its row has the cells of the others."""
    fits = not width or not _of_other_width(0, cells, width, least).problem
    return fits and _cells(lines, delimiter, strict=True) is not None


def _of_other_width(line: int, cells: list[str], width: int, least: int) -> Row:
    """Empty cells too many do no harm, nor those lacking below no heading; otherwise no value stands in its place."""
    if len(cells) > width and not any(map(str.strip, cells[width:])):
        cells = cells[:width]
    return Row(line, cells, "" if least <= len(cells) <= width else "columns")


def _line_of(row: Row, width: int, delimiter: str) -> str:
    line, cells, problem = row
    if not problem and len(cells) > width:
        line, cells, problem = _of_other_width(line, cells, width, width)
    values: Sequence[Any] = (
        (line, problem, " | ".join(cells)[:LONGEST_RAW], *("",) * width)
        if problem
        else (line, "", BLANK, *cells, *("",) * (width - len(cells)))
    )
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerow(values)
    return text.getvalue()
