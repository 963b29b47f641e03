"""Who is acting: a person with the roles held today at offices, or the system itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from branch.domain.roles import Role


@dataclass(frozen=True)
class Grant:
    """One role held at one office. `office_path` is the office's place in the tree, such as `/1/4/`."""

    role: Role
    office_id: int
    office_path: str


@dataclass(frozen=True)
class Actor:
    """The acting person, as services and queries see one."""

    user_id: int | None
    username: str
    grants: tuple[Grant, ...] = ()
    office_id: int | None = None
    request_id: str = ""
    mfa: bool = field(default=False, compare=False)

    @property
    def is_system(self) -> bool:
        return self.user_id is None

    @property
    def person_id(self) -> int:
        """The person's id; 0, which nobody has, for the system."""
        return self.user_id or 0

    @property
    def roles(self) -> frozenset[Role]:
        return frozenset({Role.SYSTEM}) if self.is_system else frozenset(g.role for g in self.grants)

    def paths(self, roles: Iterable[Role]) -> tuple[str, ...]:
        """Office paths below which this person holds one of `roles`."""
        wanted = set(roles)
        return tuple(sorted({g.office_path for g in self.grants if g.role in wanted}))

    def holds(self, roles: Iterable[Role], office_path: str) -> bool:
        """Whether one of `roles` is held at the office or above it; the system holds only its own role."""
        wanted = set(roles)
        if self.is_system:
            return Role.SYSTEM in wanted
        return any(office_path.startswith(path) for path in self.paths(wanted))

    def holds_bank_wide(self, roles: Iterable[Role]) -> bool:
        """Whether one of `roles` is held at the head office, so that it counts for what has no office."""
        wanted = set(roles)
        if self.is_system:
            return Role.SYSTEM in wanted
        # A root's path is its own id alone: `/1/`.
        return any(path.count("/") == 2 for path in self.paths(wanted))


def system_actor(request_id: str = "") -> Actor:
    """The actor of sweeps and tasks."""
    return Actor(user_id=None, username="system", request_id=request_id)
