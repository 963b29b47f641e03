"""States as choices a person can read."""

from __future__ import annotations

from typing import Any

from branch.domain.machine import Machine
from branch.words import state_word_lazy


def state_choices(*machines: Machine) -> list[tuple[str, Any]]:
    """Choices for a filter: every state of the machines, in the order of their tables."""
    words: dict[str, Any] = {}
    for machine in machines:
        for state in machine.states:
            words.setdefault(state, state_word_lazy(machine.name, state))
    return list(words.items())
