"""State machines as data: which event takes a thing from where to where, and who may cause it.

One table per thing is the only description of its life. The django-fsm field, the services, the buttons on
pages, the API, the drawn graphs and the tests all read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from branch.domain.roles import Duty, Role


@dataclass(frozen=True)
class Transition:
    """One event. `sources` are the states it may happen in; `roles` who may cause it at the thing's office.

    `owner_only` narrows account managers to the files they own. `duty` is what doing this counts as on the file.
    """

    event: str
    sources: tuple[str, ...]
    target: str
    roles: frozenset[Role]
    duty: Duty | None = None
    owner_only: bool = True


def on(
    event: str,
    sources: str,
    target: str,
    *roles: Role,
    duty: Duty | None = None,
    owner_only: bool = True,
) -> Transition:
    """A row of a transition table; `sources` are separated by blanks."""
    return Transition(event, tuple(sources.split()), target, frozenset(roles), duty, owner_only)


@dataclass(frozen=True)
class Machine:
    """A named table of transitions. Raises ValueError when two rows share an event name."""

    name: str
    initial: str
    transitions: tuple[Transition, ...]
    by_event: dict[str, Transition] = field(init=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        table = {row.event: row for row in self.transitions}
        if len(table) != len(self.transitions):
            raise ValueError(f"{self.name}: an event name stands twice")
        object.__setattr__(self, "by_event", table)

    @property
    def states(self) -> tuple[str, ...]:
        """Every state, the initial one first, in the order of the table."""
        seen = {self.initial: None}
        for row in self.transitions:
            seen |= dict.fromkeys((*row.sources, row.target))
        return tuple(seen)

    @property
    def final_states(self) -> tuple[str, ...]:
        left = {source for row in self.transitions for source in row.sources}
        return tuple(state for state in self.states if state not in left)

    def to_mermaid(self) -> str:
        """The graph in Mermaid's state-diagram language."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for row in self.transitions:
            lines += [f"    {source} --> {row.target}: {row.event}" for source in row.sources]
        lines += [f"    {state} --> [*]" for state in self.final_states]
        return "\n".join(lines)
