"""Where uploaded bytes lie: outside the web root, under random names, readable by this program only."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from django.utils.translation import gettext as _

from branch.services.file_types import refused

CHUNK_BYTES = 64 * 1024


class Readable(Protocol):
    """An open file or an upload."""

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class StoredFile:
    """Bytes on disk that no row speaks of yet."""

    name: str
    path: Path
    size_bytes: int
    sha256: str


class NamedFile:
    """An open file under another name: what a sender would have called it."""

    def __init__(self, file: Readable, name: str) -> None:
        self.read, self.name = file.read, name


def path_of(storage_name: str) -> Path:
    """Where a stored name lies. The first two characters are its folder, so that no folder grows too large."""
    return Path(settings.FILES_DIR) / storage_name[:2] / storage_name


def store(upload: Readable | bytes, *, limit_bytes: int) -> StoredFile:
    """Write the bytes under a fresh name. Raises InvalidInput when empty or larger than `limit_bytes`."""
    name = secrets.token_hex(24)
    path = path_of(name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        size, digest = _write(path, _chunks(upload), limit_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return StoredFile(name, path, size, digest)


def _write(path: Path, chunks: Iterable[bytes], limit_bytes: int) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in chunks:
            size += len(chunk)
            if size > limit_bytes:
                limit = f"{limit_bytes / 1024 / 1024:.1f}"
                raise refused(_("The file is larger than %(limit)s MB.") % {"limit": limit})
            digest.update(chunk)
            file.write(chunk)
        if size == 0:
            raise refused(_("The file is empty."))
        file.flush()
        # The row that speaks of this file is durable once committed, so the bytes must be too.
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _chunks(upload: Readable | bytes) -> Iterator[bytes]:
    if isinstance(upload, bytes):
        yield upload
        return
    while chunk := upload.read(CHUNK_BYTES):
        yield chunk


def open_stored(storage_name: str) -> BinaryIO:
    return path_of(storage_name).open("rb")


def names_older_than(seconds: float) -> Iterator[str]:
    """Stored names whose bytes were last written longer ago than that."""
    before = time.time() - seconds
    for path in Path(settings.FILES_DIR).glob("??/*"):
        if path.is_file() and path.stat().st_mtime < before:
            yield path.name
