"""The words for what the record holds as a code: states and events, in the reader's language.

The vocabulary module of each app names its codes; the catalogues in locale/ hold the words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.functional import lazy
from django.utils.translation import pgettext

#: `application.submit` → what somebody did, as a lazy translation that follows a name: "submitted the application".
EVENTS: dict[str, Any] = {}


def name_events(words: Mapping[str, Any]) -> None:
    """Make the words of some events known. Raises ValueError for an event that has one."""
    if twice := EVENTS.keys() & words.keys():
        raise ValueError(f"these events have words already: {', '.join(sorted(twice))}")
    EVENTS.update(words)


def event_word(name: str) -> str:
    """What happened; the code itself with blanks where this version has no word for it."""
    word = EVENTS.get(name)
    return name.replace(".", ": ").replace("_", " ") if word is None else str(word)


def state_word(machine: str, state: str) -> str:
    """A state, in the machine's own word where it has one: an open condition is not an open case."""
    for code in (f"{machine}.{state}", state):
        word = pgettext("state", code)
        if word != code:
            return word
    return state.replace("_", " ")


state_word_lazy = lazy(state_word, str)


def listed(parts: Iterable[Any]) -> str:
    """A list as the reader's language writes it: "a, b, c"."""
    return pgettext("between the parts of a list", ", ").join(str(part) for part in parts)
