"""A name's two-character pieces, by which short Chinese queries find it."""

from __future__ import annotations

from branch.domain.identity import normalise_name


def bigrams(name: str) -> list[str]:
    """The distinct neighbouring pairs of a name, blanks and case aside: "五金 店" gives 五金 and 金店."""
    text = "".join(normalise_name(name).split())
    return sorted({text[i : i + 2] for i in range(len(text) - 1)})
