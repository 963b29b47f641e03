"""From a signed-in user to an actor with the roles in force on the business date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from django.db.models import Q, QuerySet

from branch.domain.actor import Actor, Grant
from branch.domain.roles import Role
from branch.models import RoleAssignment, User
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter


def in_force_or_later(today: date | None = None) -> QuerySet[RoleAssignment]:
    """The role assignments that have not ended by the business date."""
    return RoleAssignment.objects.filter(Q(end_date__isnull=True) | Q(end_date__gte=today or business_date()))


def in_force() -> QuerySet[RoleAssignment]:
    """The role assignments that hold on the business date."""
    today = business_date()
    return in_force_or_later(today).filter(start_date__lte=today)


def actor_for(user: User, *, request_id: str = "", mfa: bool = False) -> Actor:
    """One query for the grants; a person without any can sign in and see nothing."""
    rows = in_force().filter(user=user).select_related("office")
    return Actor(
        user_id=user.pk,
        username=user.username,
        grants=tuple(Grant(Role(row.role), row.office_id, row.office.path) for row in rows),
        office_id=user.office_id,
        request_id=request_id,
        mfa=mfa,
    )


def holders_around(roles: Iterable[Role], paths: Iterable[str]) -> QuerySet[User]:
    """The active people who hold one of the roles, today or later, at an office of these subtrees or above one."""
    subtrees = list(paths)
    around = Q(office_id__in={part for path in subtrees for part in path.split("/") if part})
    for path in subtrees:
        around |= Q(office__path__startswith=path)
    held = in_force_or_later().filter(around, role__in=list(roles))
    return User.objects.filter(is_active=True, pk__in=held.values("user"))


def role_needs_second_factor(actor: Actor) -> bool:
    """Whether a role this person holds may be used with a second factor only."""
    return bool(set(parameter("mfa.required_roles")) & {str(role) for role in actor.roles})


def holders_of(role: Role, office_path: str) -> list[int]:
    """Ids of the active people who hold the role today at the office or above it, in order."""
    above = [part for part in office_path.split("/") if part]
    rows = in_force().filter(role=role, office_id__in=above, user__is_active=True)
    return list(rows.order_by("user_id").values_list("user_id", flat=True).distinct())
