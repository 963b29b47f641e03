"""States as choices a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import pgettext_lazy

from branch.domain.machine import Machine


def state_choices(*machines: Machine) -> Callable[[], list[tuple[str, Any]]]:
    """Choices for a filter: every state of the machines, in the order of their tables."""
    states = dict.fromkeys(state for machine in machines for state in machine.states)
    return lambda: [(state, pgettext_lazy("state", state)) for state in states]
