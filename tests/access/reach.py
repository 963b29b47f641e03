"""What the words of the table come to: who is allowed, and who is denied in which way."""

from __future__ import annotations

from tests.access import table
from tests.access.table import ACT, AM, READ, ROLES, Act
from tests.access.world import POSITIONS, Grant

#: Everybody who could ask: each role at each position, and the account manager who owns the things.
EVERYBODY: tuple[Grant, ...] = (*((role, position) for role in ROLES for position in POSITIONS), (AM, "owner"))
_UP_FROM_THE_THING = ("same", "above", "top")


def reaches(scope: str | None, position: str, plural: str, state: str = "") -> bool:
    """Whether somebody with the scope at the position is allowed."""
    if scope is None:
        return False
    if scope in table.LIMITED and state not in table.LIMITED[scope]:
        return False
    if scope == table.BANK:
        return True
    if scope in (table.OWN, table.SELF, table.OWN_FILES):
        return position == "owner"
    if scope == table.AROUND:
        return position in (*_UP_FROM_THE_THING, "below", "owner")
    if scope == table.ABOVE:
        return position in ("above", "top")
    if scope == table.HEAD or plural in table.OF_THE_BANK:
        return position == "top"
    return position in _UP_FROM_THE_THING


def sees(grant: Grant, plural: str, state: str = "") -> bool:
    role, position = grant
    return reaches(READ[plural].get(role), position, plural, state)


def may(grant: Grant, plural: str, act: Act) -> bool:
    role, position = grant
    return reaches(act.who.get(role), position, plural, act.state)


def acts_on(plural: str) -> list[tuple[str, Act]]:
    """The use cases of a noun by name; one that is different people's in different states stands there repeatedly."""
    found = [(name, acts) for (of, name), acts in ACT.items() if of == plural]
    return [(name, act) for name, acts in found for act in (acts if isinstance(acts, tuple) else (acts,))]
