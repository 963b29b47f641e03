"""Names as they are compared: across scripts, blanks and marks, by spelling, and by two-character pieces."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from opencc import OpenCC
from pypinyin import lazy_pinyin
from rapidfuzz import fuzz

from branch.domain.identity import normalise_name

#: Words that nearly every firm's name ends in: two names are not alike because they share them.
_FORMS = re.compile(r"(股份有限公司|有限责任公司|有限公司|个体工商户|合作社|\bco\.?,?\s*ltd\.?$|\bltd\.?$|\binc\.?$)")
_MARKS = re.compile(r"[\W_]+")
#: A name spelt alike is not yet the same name.
SPELT_ALIKE = 90.0


@lru_cache(maxsize=1)
def _to_simplified() -> OpenCC:
    return OpenCC("t2s")


def name_key(name: str) -> str:
    """A name in simplified characters, lower case, without blanks and marks: 鑫達 五金（寧波） gives 鑫达五金宁波."""
    return _MARKS.sub("", _to_simplified().convert(normalise_name(name)))


@lru_cache(maxsize=4096)
def core_key(name: str) -> str:
    """The key of a firm's name without its legal form; of the whole name where nothing else would be left."""
    folded = _to_simplified().convert(normalise_name(name))
    return _MARKS.sub("", _FORMS.sub("", folded)) or name_key(name)


@lru_cache(maxsize=4096)
def spelling(name: str) -> str:
    """How the core of a name is spelt, without tones: 鑫达五金 and 新达五金 both give "xindawujin"."""
    return "".join(lazy_pinyin(core_key(name)))


class NameKeys(NamedTuple):
    """What a name is compared by: its key, its core, and how that is spelt."""

    key: str
    core: str
    spelling: str


def keys_of(name: str) -> NameKeys:
    return NameKeys(name_key(name), core_key(name), spelling(name))


def likeness(one: str, other: str) -> float:
    """How alike two names are, from 0 to 100: 100 for one key, at least SPELT_ALIKE for one spelling.

    Otherwise the share of characters in common in order (rapidfuzz ratio) of the cores; legal forms don't count.
    """
    return likeness_of(keys_of(one), keys_of(other))


def likeness_of(one: NameKeys, other: NameKeys) -> float:
    """The same for names whose keys are at hand."""
    if one.key == other.key:
        return 100.0
    ratio = float(fuzz.ratio(one.core, other.core))
    if one.spelling == other.spelling:
        return max(SPELT_ALIKE, ratio)
    return min(ratio, 99.0)


def bigrams(name: str) -> list[str]:
    """The distinct neighbouring pairs of a name, script, blanks and case aside: "五金 店" gives 五金 and 金店."""
    text = name_key(name)
    return sorted({text[i : i + 2] for i in range(len(text) - 1)})
