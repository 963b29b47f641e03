"""Which names of a list could be as like a name as a score asks: bounds that let nothing through their mesh.

The likeness of two cores of n and m characters with a longest common subsequence of L is 200 L ÷ (n + m). From a lowest
score follows how much they must share, and so how far apart a shared pair of neighbouring characters can stand and how
few shared pairs there can be: of d = n + m − 2 L characters that are not shared each parts at most one of the L − 1
neighbouring pairs of the common subsequence, so at least L − 1 − d pairs stand in both names, at places that differ by
at most d. Any (pairs of the name) − (least shared) + 1 pairs of a name therefore hold a shared one: looking for its
rarest ones is enough (the prefix filter of set similarity joins).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

#: Names from this many characters on are compared by pieces; shorter ones must be the same, or be spelt alike.
PIECES_FROM = 4
LONGEST = 120
#: From it on no name of fewer characters than PIECES_FROM is like another one but by being the same.
LOWEST_SCORE = 86


@dataclass(frozen=True, slots=True)
class Reach:
    """What a name of `length` characters can be alike to: names of `shortest` to `longest` characters.

    A shared pair stands at most `apart` places away; one of any `pieces` pairs of the name is shared.
    """

    length: int
    shortest: int
    longest: int
    apart: int
    pieces: int


@lru_cache(maxsize=8)
def reaches(score: int) -> tuple[Reach, ...]:
    """The reach of names of every length from PIECES_FROM to LONGEST for a lowest score in percent."""
    return tuple(_reach(length, score) for length in range(PIECES_FROM, LONGEST + 1))


def _reach(length: int, score: int) -> Reach:
    others = [m for m in range(2, 2 * length + 2) if _least_common(length, m, score) <= min(length, m)]
    apart, fewest = 0, length
    for other in others:
        common = _least_common(length, other, score)
        parted = length + other - 2 * common
        apart, fewest = max(apart, parted), min(fewest, common - 1 - parted)
    return Reach(length, min(others), max(others), apart, min(length - 1, length - 1 - fewest + 1))


def _least_common(length: int, other: int, score: int) -> int:
    """The shortest common subsequence that reaches the score: score × (n + m) ÷ 200, rounded up."""
    return -(-score * (length + other) // 200)
