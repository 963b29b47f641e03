"""What a file is, judged by its bytes; the name it came with must agree."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filetype
from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput
from branch.words import listed

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
HEAD_BYTES = 8192
#: Control characters no text file has: everything below blank but tab, line feed, form feed, carriage return.
_CONTROL = frozenset(range(32)) - {9, 10, 12, 13}


@dataclass(frozen=True)
class FileType:
    """A kind of file that is taken in: its extensions, and whether bytes on disk are one."""

    media_type: str
    extensions: tuple[str, ...]
    matches: Callable[[Path], bool]


def sniff(path: Path, declared_name: str = "") -> FileType:
    """The type of the stored bytes. Raises InvalidInput where it is not taken in or the name says otherwise."""
    extension = Path(declared_name).suffix.lower().lstrip(".")
    for candidate in ACCEPTED:
        if extension and extension not in candidate.extensions:
            continue
        if candidate.matches(path):
            return candidate
    if any(extension in known.extensions for known in ACCEPTED):
        raise refused(_("The content is not what the file name says (%(ext)s).") % {"ext": extension})
    accepted = listed(known.extensions[0] for known in ACCEPTED)
    raise refused(_("This kind of file is not accepted. Accepted: %(kinds)s.") % {"kinds": accepted})


def refused(message: str) -> InvalidInput:
    return InvalidInput(fields={"upload": [message]})


def _by_signature(media_type: str) -> Callable[[Path], bool]:
    def matches(path: Path) -> bool:
        kind = filetype.guess(str(path))
        return kind is not None and kind.mime == media_type

    return matches


def _by_office_part(folder: str) -> Callable[[Path], bool]:
    """Office files are zip archives; the folder inside tells which, and a macro project is never taken in."""

    def matches(path: Path) -> bool:
        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (zipfile.BadZipFile, OSError, ValueError):
            return False
        macros = any(name.lower().endswith("vbaproject.bin") for name in names)
        return "[Content_Types].xml" in names and any(n.startswith(folder) for n in names) and not macros

    return matches


def _is_text(path: Path) -> bool:
    """UTF-8 or GB 18030 text that is no markup: a browser must not be tempted to run it."""
    with path.open("rb") as file:
        if filetype.guess(file.read(HEAD_BYTES)) is not None:
            return False
    data = path.read_bytes()
    if _CONTROL.intersection(data) or data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return False
    return any(_decodes(data, encoding) for encoding in ("utf-8", "gb18030"))


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


ACCEPTED: tuple[FileType, ...] = (
    FileType("application/pdf", ("pdf",), _by_signature("application/pdf")),
    FileType("image/png", ("png",), _by_signature("image/png")),
    FileType("image/jpeg", ("jpg", "jpeg"), _by_signature("image/jpeg")),
    FileType("image/webp", ("webp",), _by_signature("image/webp")),
    FileType(DOCX, ("docx",), _by_office_part("word/")),
    FileType(XLSX, ("xlsx",), _by_office_part("xl/")),
    FileType("text/plain", ("txt",), _is_text),
    FileType("text/csv", ("csv",), _is_text),
)


def extension_of(media_type: str) -> str:
    """The usual extension of an accepted type, without a dot; empty for a type no longer accepted."""
    return next((known.extensions[0] for known in ACCEPTED if known.media_type == media_type), "")
