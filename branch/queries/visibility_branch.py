"""Who sees offices, people, roles, parameters, the calendar and the audit trail."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import CalendarOverride, Event, Office, ParameterValue, RoleAssignment, User
from branch.queries.visibility import scope, within_offices

#: Who looks after the staff of an office, and who watches over it.
STAFF_READERS = frozenset({Role.ADMINISTRATOR, Role.BRANCH_MANAGER, Role.AUDITOR})
TRAIL_READERS = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR})


@scope(Office)
def _offices(rows: QuerySet[Office], actor: Actor) -> QuerySet[Office]:
    condition = Q(pk__in=[])
    # Policy managers name an office when they grant an authority.
    for path in actor.paths(STAFF_READERS | {Role.POLICY_MANAGER}):
        condition |= Q(path__startswith=path)
    return rows.filter(condition)


@scope(User)
def _people(rows: QuerySet[User], actor: Actor) -> QuerySet[User]:
    """The staff of the subtree; people of no office (client systems, say) where the role is held bank-wide."""
    condition = within_offices(actor, STAFF_READERS)
    if actor.holds_bank_wide(STAFF_READERS):
        condition |= Q(office=None)
    return rows.filter(condition)


@scope(RoleAssignment)
def _assignments(rows: QuerySet[RoleAssignment], actor: Actor) -> QuerySet[RoleAssignment]:
    return rows.filter(within_offices(actor, STAFF_READERS))


@scope(ParameterValue)
def _parameters(rows: QuerySet[ParameterValue], actor: Actor) -> QuerySet[ParameterValue]:
    return rows if actor.roles & STAFF_READERS else rows.none()


@scope(CalendarOverride)
def _calendar(rows: QuerySet[CalendarOverride], actor: Actor) -> QuerySet[CalendarOverride]:
    return rows if actor.roles & STAFF_READERS else rows.none()


@scope(Event)
def _trail(rows: QuerySet[Event], actor: Actor) -> QuerySet[Event]:
    """What happened in the subtree; events of no office (parameters, the calendar) where the role is bank-wide."""
    condition = Q(pk__in=[])
    for path in actor.paths(TRAIL_READERS):
        condition |= Q(office_path__startswith=path)
    if actor.holds_bank_wide(TRAIL_READERS):
        condition |= Q(office_path="")
    return rows.filter(condition)
