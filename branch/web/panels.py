"""What a page of one thing shows from apps above its own: a customer's loans, a file's reviews.

The app that owns the page asks for the panels; the apps above register them while their nouns load.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from branch.domain.actor import Actor


@dataclass(frozen=True)
class Panel:
    """A card: its heading, the template of its inside and what that needs.

    `key` is its place and anchor on a page made of sections. One that is `whole` brings cards of its own.
    """

    title: Any
    template: str
    context: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    whole: bool = False


Maker = Callable[[Any, Actor], Panel | None]
_MAKERS: dict[str, list[Maker]] = defaultdict(list)


def panel(noun: str) -> Callable[[Maker], Maker]:
    """Register the function (thing, actor) → panel for the page of a noun; None shows nothing."""

    def register(maker: Maker) -> Maker:
        _MAKERS[noun].append(maker)
        return maker

    return register


def panels_of(noun: str, obj: Any, actor: Actor) -> list[Panel]:
    """The panels of a thing for this person, in the order of the apps."""
    return [made for maker in _MAKERS[noun] if (made := maker(obj, actor)) is not None]
