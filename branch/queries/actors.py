"""From a signed-in user to an actor with the roles in force on the business date."""

from __future__ import annotations

from django.db.models import Q

from branch.domain.actor import Actor, Grant
from branch.domain.roles import Role
from branch.models import RoleAssignment, User
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter


def actor_for(user: User, *, request_id: str = "", mfa: bool = False) -> Actor:
    """One query for the grants; a person without any can sign in and see nothing."""
    today = business_date()
    rows = RoleAssignment.objects.filter(
        Q(end_date__isnull=True) | Q(end_date__gte=today), user=user, start_date__lte=today
    ).select_related("office")
    return Actor(
        user_id=user.pk,
        username=user.username,
        grants=tuple(Grant(Role(row.role), row.office_id, row.office.path) for row in rows),
        office_id=user.office_id,
        request_id=request_id,
        mfa=mfa,
    )


def role_needs_second_factor(actor: Actor) -> bool:
    """Whether a role this person holds may be used with a second factor only."""
    return bool(set(parameter("mfa.required_roles")) & {str(role) for role in actor.roles})
