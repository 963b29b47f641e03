"""States as choices a person can read."""

from __future__ import annotations

from typing import Any

from django.utils.translation import pgettext_lazy

from branch.domain.machine import Machine


def state_choices(*machines: Machine) -> list[tuple[str, Any]]:
    """Choices for a filter: every state of the machines, in the order of their tables."""
    states = dict.fromkeys(state for machine in machines for state in machine.states)
    return [(state, pgettext_lazy("state", state)) for state in states]
