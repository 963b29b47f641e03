"""Message catalogues without the gettext tools: reading a .po file, checking it, building the .mo file from it."""

from __future__ import annotations

import ast
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_KEYWORD = re.compile(r'^(msgctxt|msgid_plural|msgid|msgstr(?:\[(\d+)\])?)\s+(".*")$')
#: What a translation must carry over unchanged: %(name)s, %s, {name}.
_PLACE = re.compile(r"%\(\w+\)[a-z]|%[sd%]|\{\w*\}")
#: First word of a .mo file, in the byte order of this file: little end first.
_MO_MAGIC = 0x950412DE


@dataclass
class Message:
    """One entry of a catalogue. `texts` holds the translation, one per plural form; `places` where it is used."""

    id: str = ""
    context: str | None = None
    plural: str | None = None
    texts: dict[int, str] = field(default_factory=dict)
    fuzzy: bool = False
    places: list[str] = field(default_factory=list)

    @property
    def is_header(self) -> bool:
        return self.id == "" and self.context is None

    @property
    def is_translated(self) -> bool:
        return bool(self.texts) and all(self.texts.values()) and not self.fuzzy

    @property
    def keeps_its_places(self) -> bool:
        """Whether every %(name)s of the English text stands in the translation too, and no other."""
        wanted = set(_PLACE.findall(self.id)) | set(_PLACE.findall(self.plural or ""))
        return all(set(_PLACE.findall(text)) == wanted or self.plural for text in self.texts.values())

    def __str__(self) -> str:
        where = f"  ({self.places[0]})" if self.places else ""
        return f"{self.context}|{self.id}{where}" if self.context else f"{self.id}{where}"


def parse(text: str) -> list[Message]:
    """The entries of a .po file, obsolete ones left out. Raises ValueError for a line that is none of its kinds."""
    messages = [_entry(block) for block in re.split(r"\n\s*\n", text)]
    return [message for message in messages if message is not None]


def _entry(block: str) -> Message | None:
    message, target = Message(), ""
    values: dict[str, str] = {}
    for line in block.splitlines():
        if line.startswith("#,"):
            message.fuzzy = "fuzzy" in line
        elif line.startswith("#:"):
            message.places += line[2:].split()
        elif match := _KEYWORD.match(line):
            target = match[1]
            values[target] = ast.literal_eval(match[3])
        elif line.startswith('"'):
            values[target] += ast.literal_eval(line)
        elif line.strip() and not line.startswith("#"):
            raise ValueError(f"not a line of a catalogue: {line}")
    if "msgid" not in values:
        return None
    message.id, message.context, message.plural = values["msgid"], values.get("msgctxt"), values.get("msgid_plural")
    message.texts = {
        int(name[7:-1] or 0) if "[" in name else 0: value for name, value in values.items() if name.startswith("msgstr")
    }
    return message


def faults(messages: list[Message]) -> Iterator[str]:
    """What keeps a catalogue from being complete, a line each."""
    for message in messages:
        if message.is_header:
            continue
        if message.fuzzy:
            yield f"fuzzy: {message}"
        elif not message.is_translated:
            yield f"not translated: {message}"
        elif not message.keeps_its_places:
            yield f"other places than in English: {message}"


def pairs(messages: list[Message]) -> dict[str, str]:
    """Keys and texts as a .mo file holds them; what is not translated stays out."""
    return {_key(m): "\0".join(m.texts[n] for n in sorted(m.texts)) for m in messages if m.is_translated or m.is_header}


def _key(message: Message) -> str:
    key = message.id if message.plural is None else f"{message.id}\0{message.plural}"
    return key if message.context is None else f"{message.context}\x04{key}"


def compiled(messages: list[Message]) -> bytes:
    """The .mo file (GNU format, no hash table)."""
    entries = sorted((key.encode(), text.encode()) for key, text in pairs(messages).items())
    start = 7 * 4 + 16 * len(entries)
    keys, texts, tables = b"", b"", []
    for key, _text in entries:
        tables.append((len(key), start + len(keys)))
        keys += key + b"\0"
    for _key_bytes, text in entries:
        tables.append((len(text), start + len(keys) + len(texts)))
        texts += text + b"\0"
    header = struct.pack("<7I", _MO_MAGIC, 0, len(entries), 28, 28 + 8 * len(entries), 0, start)
    return header + b"".join(struct.pack("<2I", *entry) for entry in tables) + keys + texts
