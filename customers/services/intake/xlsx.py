"""An Excel sheet as a stream of rows: read straight from the archive, part by part, with every limit checked first."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from xml.parsers import expat

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput

R = TypeVar("R")
BLOCK_BYTES = 64 * 1024
#: The strings of a workbook are kept in memory while its rows are read.
MOST_STRING_BYTES = 24 * 1024 * 1024
#: What a row may hold, and the last line a sheet can have.
MOST_ROW_CHARACTERS = 1_000_000
LAST_LINE = 1_048_576
#: Above this, unpacked bytes for each packed one are no table but a bomb; tables come to 10 or 20.
MOST_RATIO = 200
MOST_COLUMNS = 200
#: Sheets looked into for the one with the headings.
MOST_SHEETS = 20
MOST_PARTS = 2000
_SHEET = re.compile(r"xl/worksheets/sheet(\d+)\.xml")
_STRINGS, _STYLES, _BOOK = "xl/sharedStrings.xml", "xl/styles.xml", "xl/workbook.xml"
#: What days are counted from: day 60 is a 29 February 1900 that never was, so counting starts earlier.
_FROM_1900, _FROM_1904 = date(1899, 12, 30), date(1904, 1, 1)
#: Number formats that show a day, built in; own ones are judged by their letters.
_DAY_FORMATS = frozenset({14, 15, 16, 17, 22, 27, 28, 29, 30, 31, 36, 50, 51, 52, 53, 54, 57, 58})
#: Also what a broken or made-up part gives where a number or a place of another part should stand.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, expat.ExpatError, ValueError, KeyError, IndexError, RuntimeError,
)  # fmt: skip


def _refused(message: str) -> InvalidInput:
    return InvalidInput(fields={"file": [message]})


def check(path: Path, most_bytes: int) -> dict[str, int]:
    """The sheets by their number, with their bytes unpacked.

    Raises InvalidInput for half a file, a bomb, one with a password or no workbook at all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except _DAMAGE as error:
        raise _refused(_("The Excel file is damaged or was not sent whole. Send it again.")) from error
    sheets = _sheets(part.filename for part in parts)
    if not sheets:
        raise _refused(_("This is no Excel file with a sheet. Save the table as .xlsx or CSV."))
    if any(part.flag_bits & 1 for part in parts):
        raise _refused(_("The file has a password. Save it without one."))
    sizes = {part.filename: part.file_size for part in parts}
    packed = max(path.stat().st_size, 1)
    unpacked = sum(sizes.values())
    if len(parts) > MOST_PARTS or unpacked > 2 * most_bytes or (unpacked > 2**20 and unpacked / packed > MOST_RATIO):
        raise _refused(_("The Excel file unpacks to far more than a table needs and is not opened."))
    if max(sizes[sheet] for sheet in sheets) > most_bytes or sizes.get(_STRINGS, 0) > MOST_STRING_BYTES:
        raise _refused(_("The sheet is too large. Save it as CSV, or cut it into several files."))
    return {sheet: sizes[sheet] for sheet in sheets}


def _sheets(names: Any) -> list[str]:
    numbers = {int(match[1]): name for name in names if (match := _SHEET.fullmatch(name))}
    return [numbers[number] for number in sorted(numbers)][:MOST_SHEETS]


#: In place of a block that can't be unpacked.
DAMAGED = b"damaged"


class Sheet:
    """An open sheet. `rows(make)` calls make(line, cells, problem) for each row that is not blank."""

    def __init__(self, file: BinaryIO, strings: list[str], day_styles: frozenset[int], first_day: date) -> None:
        self._file, self._strings, self._day_styles, self._first_day = file, strings, day_styles, first_day

    def position(self) -> int:
        return self._file.tell()

    def rows(self, make: Callable[[int, list[str], str], R]) -> Iterator[R]:
        reader = _SheetReader(self._strings, self._day_styles, self._first_day)
        width, is_whole = 0, True
        while is_whole and (block := self._read()):
            is_whole = block is not DAMAGED and reader.feed(block)
            for line, cells, problem in reader.take():
                if any(map(str.strip, cells)) or problem:
                    width = width or len(cells)
                    cells += [""] * (width - len(cells))
                    yield make(line, cells, problem)
        if not is_whole:
            yield make(reader.last + 1, [], "damaged")

    def _read(self) -> bytes:
        try:
            return self._file.read(BLOCK_BYTES)
        except _DAMAGE:
            return DAMAGED


class _SheetReader:
    """Feeds XML to a parser that knows rows, cells, values and formulas, and nothing else."""

    def __init__(self, strings: list[str], day_styles: frozenset[int], first_day: date) -> None:
        self._strings, self._day_styles, self._first_day = strings, day_styles, first_day
        self._done: list[tuple[int, list[str], str]] = []
        self._cells: list[str] = []
        self._text: list[str] | None = None
        self._kind, self._style, self._problem, self._column = "", 0, "", 0
        self.line = self._length = 0
        self._parser = parser_of(self._start, self._end, self._characters)

    @property
    def last(self) -> int:
        """The last line of a sheet that was read."""
        return min(self.line, LAST_LINE)

    def feed(self, block: bytes) -> bool:
        """Whether the block is part of a sheet; rows before the fault are there to be taken."""
        try:
            self._parser.Parse(block)
        except _DAMAGE:
            return False
        return True

    def take(self) -> list[tuple[int, list[str], str]]:
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            # Findings name rows by their line, so no two have the same, whatever the file says.
            self.line = max(int(attributes.get("r", 0)), self.line + 1)
            if self.line > LAST_LINE:
                raise ValueError(f"a sheet has no line {self.line}")
            self._cells, self._problem, self._column, self._length = [], "", 0, 0
        elif name == "c":
            self._column = _column_of(attributes["r"]) if "r" in attributes else self._column + 1
            self._kind, self._style = attributes.get("t", "n"), int(attributes.get("s", 0))
        elif name in ("v", "t"):
            self._text = []
        elif name == "f":
            self._problem = "formula"

    def _end(self, name: str) -> None:
        if name in ("v", "t") and self._text is not None:
            self._put("".join(self._text))
            self._text = None
        elif name == "row":
            self._done.append((self.line, self._cells, self._problem))

    def _characters(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)
            self._length += len(data)
            if self._length > MOST_ROW_CHARACTERS:
                raise ValueError(f"line {self.line} is too long")

    def _put(self, text: str) -> None:
        if not 0 < self._column <= MOST_COLUMNS:
            return
        self._cells += [""] * (self._column - len(self._cells))
        # Text in several runs comes in pieces.
        self._cells[self._column - 1] += self._value(text)

    def _value(self, text: str) -> str:
        if self._kind == "s":
            index = int(text)
            return self._strings[index] if index < len(self._strings) else ""
        if self._kind == "n":
            return day_of(text, self._first_day) if self._style in self._day_styles else plain_number(text)
        return text


def _column_of(reference: str) -> int:
    number = 0
    for letter in reference.rstrip("0123456789"):
        number = number * 26 + ord(letter) - 64
    return number


def day_of(serial: str, first_day: date = _FROM_1900) -> str:
    """An Excel day number as an ISO date."""
    try:
        return (first_day + timedelta(days=int(float(serial)))).isoformat()
    except (ValueError, OverflowError):
        return serial


def plain_number(text: str) -> str:
    """Excel writes binary fractions: 9401.7099999999991 is the 9401.71 that was typed, at fifteen digits."""
    if len(text) < 16 and "E" not in text and "e" not in text:
        return text
    try:
        number = float(text)
    except ValueError:
        return text
    short = f"{number:.15g}"
    return short if "e" not in short else f"{number:.0f}"


@contextmanager
def open_sheet(path: Path, sheet: str = "") -> Iterator[Sheet]:
    """The sheet (a part's name), else the first, with the workbook's strings and the styles that mean a day."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        strings = _strings(archive) if _STRINGS in names else []
        styles = _day_styles(archive) if _STYLES in names else frozenset()
        first_day = _first_day(archive) if _BOOK in names else _FROM_1900
        with _part(archive, sheet or _sheets(names)[0]) as file:
            yield Sheet(file, strings, styles, first_day)


def _part(archive: zipfile.ZipFile, name: str) -> BinaryIO:
    try:
        return archive.open(name)  # type: ignore[return-value]
    except _DAMAGE as error:
        raise _refused(_("The Excel file is damaged or was not sent whole. Send it again.")) from error


def _first_day(archive: zipfile.ZipFile) -> date:
    """What the workbook counts its days from: those made on an old Mac start four years later."""
    found: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            found.append(attributes.get("date1904", "0"))

    _parse(archive, _BOOK, parser_of(start, lambda name: None, lambda data: None))
    return _FROM_1904 if found and found[0] in ("1", "true", "on") else _FROM_1900


def parser_of(start: Any, end: Any, characters: Any) -> Any:
    """A parser that gives local names and takes no entities: they are how a small XML becomes a large one."""

    def refuse(*_arguments: Any) -> None:
        raise expat.ExpatError("entities are not read")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
    parser.CharacterDataHandler = characters
    parser.EntityDeclHandler = refuse
    return parser


def _strings(archive: zipfile.ZipFile) -> list[str]:
    strings: list[str] = []
    pieces: list[str] = []
    inside = {"t": False, "rPh": False}

    def start(name: str, _attributes: dict[str, str]) -> None:
        if name == "si":
            pieces.clear()
        elif name in inside:
            inside[name] = True

    def end(name: str) -> None:
        if name == "si":
            strings.append("".join(pieces))
        elif name in inside:
            inside[name] = False

    def characters(data: str) -> None:
        if inside["t"] and not inside["rPh"]:
            pieces.append(data)

    _parse(archive, _STRINGS, parser_of(start, end, characters))
    return strings


def _day_styles(archive: zipfile.ZipFile) -> frozenset[int]:
    own: dict[int, str] = {}
    styles: list[int] = []
    inside = {"cellXfs": False}

    def start(name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            own[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif name == "cellXfs":
            inside[name] = True
        elif name == "xf" and inside["cellXfs"]:
            styles.append(int(attributes.get("numFmtId", 0)))

    def end(name: str) -> None:
        if name in inside:
            inside[name] = False

    _parse(archive, _STYLES, parser_of(start, end, lambda data: None))
    bare = {number: re.sub(r'"[^"]*"|\[[^\]]*\]', "", code).lower() for number, code in own.items()}
    days = _DAY_FORMATS | {number for number, code in bare.items() if "y" in code or "d" in code}
    return frozenset(index for index, number in enumerate(styles) if number in days)


def _parse(archive: zipfile.ZipFile, name: str, parser: Any) -> None:
    try:
        with archive.open(name) as file:
            while block := file.read(BLOCK_BYTES):
                parser.Parse(block)
    except _DAMAGE as error:
        raise _refused(_("The Excel file is damaged or was not sent whole. Send it again.")) from error
