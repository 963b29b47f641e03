"""When two firms are the same one, or look as if they were."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

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


def telling_pieces(name: str, frequency: Mapping[str, float]) -> list[str]:
    """Neighbouring pairs of a name of which every name alike from ALIKE_FROM on has at least one, spelling apart.

    Of n pairs it shares at least `_least_shared`, k of them: any n − k + 1 contain a shared one, so the rarest do.
    `frequency` says in which share of names a pair stands; what is not in it is rare.
    """
    core = core_key(name)
    pieces = [core[i : i + 2] for i in range(len(core) - 1)]
    distinct = list(dict.fromkeys(pieces))
    shared = max(1, _least_shared(len(core)) - (len(pieces) - len(distinct)))
    return sorted(distinct, key=lambda piece: frequency.get(piece, 0.0))[: len(distinct) - shared + 1]


@cache
def _least_shared(length: int) -> int:
    """How many neighbouring pairs a name of this length and one alike share at least.

    With e characters added or left out between names of s characters together, likeness is 100 (s − e) / s, the
    (s − e) / 2 characters in common stand in at most e + 1 runs, and a run of r characters has r − 1 pairs.
    """
    least = length
    for other in range(1, 2 * length):
        together = length + other
        for edits in range(abs(length - other), together + 1, 2):
            if 100 * (together - edits) >= ALIKE_FROM * together:
                least = min(least, (together - edits) // 2 - edits - 1)
    return least


def phone_key(phone: str) -> str:
    """A cleaned number without the country's prefix: +8613800138000 and 13800138000 are one."""
    digits = phone.lstrip("+")
    digits = digits.removeprefix("0086") if digits.startswith("0086") else digits
    return digits.removeprefix("86") if len(digits) == _NATIONAL_PHONE + 2 else digits
