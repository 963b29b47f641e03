"""When two firms are the same one, or look as if they were."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations, pairwise

from customers.domain.names import core_key, likeness, name_key

_DIGITS = re.compile(r"[0-9]+")
_NATIONAL_PHONE = 11
#: The least likeness a bank may ask for: what is less alike is not looked up.
ALIKE_FROM = 85


class Ground(StrEnum):
    """Why two are taken for one, the strongest first."""

    USCC = "uscc"
    IDENTITY = "identity"
    PHONE_AND_NAME = "phone_and_name"
    PHONE = "phone"
    NAME = "name"


#: These leave no doubt; the others are looked at by a person.
SURE = frozenset({Ground.USCC, Ground.IDENTITY, Ground.PHONE_AND_NAME})


@dataclass(frozen=True)
class Facts:
    """What two are compared by; empty where it is not known. Identity and phone as digests."""

    name: str
    uscc: str = ""
    identity: str = ""
    phone: str = ""


def ground(one: Facts, other: Facts, alike_from: float) -> Ground | None:
    """Why they are taken for one; None where nothing says so. `alike_from`: see `names_alike`."""
    if one.uscc and one.uscc == other.uscc:
        return Ground.USCC
    if one.identity and one.identity == other.identity:
        return Ground.IDENTITY
    alike = names_alike(one.name, other.name, alike_from)
    if one.phone and one.phone == other.phone:
        return Ground.PHONE_AND_NAME if alike else Ground.PHONE
    return Ground.NAME if alike else None


def names_alike(one: str, other: str, alike_from: float) -> bool:
    """Whether the likeness of two names is at least `alike_from` (0 to 100).

    Names with other numbers in them, such as two shops of a chain, are not alike however much else they share.
    """
    if _DIGITS.findall(name_key(one)) != _DIGITS.findall(name_key(other)):
        return False
    return likeness(one, other) >= alike_from


def name_windows(name: str) -> list[list[str]]:
    """Sets of pieces one of which every name alike from ALIKE_FROM on has whole, but for those spelt the same.

    With e characters added or left out, two names of s characters together share at least (s − e) / 2 in at most
    e + 1 runs; e is at most 0.15 s. From s = 17 on one run has three characters, which are two neighbouring pieces;
    below that two pieces are shared, and one where the name is of four characters or less.
    """
    core = core_key(name)
    pieces = list(dict.fromkeys(core[i : i + 2] for i in range(len(core) - 1)))
    if len(core) <= 4 or len(pieces) == 1:
        return [[piece] for piece in pieces]
    pairs = combinations(pieces, 2) if len(core) <= 8 else pairwise(pieces)
    return [list(pair) for pair in pairs]


def phone_key(phone: str) -> str:
    """A cleaned number without the country's prefix: +8613800138000 and 13800138000 are one."""
    digits = phone.lstrip("+")
    digits = digits.removeprefix("0086") if digits.startswith("0086") else digits
    return digits.removeprefix("86") if len(digits) == _NATIONAL_PHONE + 2 else digits
