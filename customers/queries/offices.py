"""Where new work of a person belongs, and who could take work over."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.models import Office, User
from branch.queries.actors import holders_of


def person_id(actor: Actor) -> int:
    """Who owns what this actor begins. Raises PermissionRefused for the system, which owns nothing."""
    if actor.user_id is None:
        raise PermissionRefused(_("Your role does not allow this here."))
    return actor.user_id


def working_office(actor: Actor, role: Role) -> Office:
    """The person's own office if the role reaches it, else the topmost office the role is held at.

    Raises PermissionRefused for a person without the role.
    """
    home = Office.objects.filter(pk=actor.office_id).first() if actor.office_id else None
    if home is not None and actor.holds({role}, home.path):
        return home
    return topmost_office(actor, {role})


def topmost_office(actor: Actor, roles: frozenset[Role] | set[Role]) -> Office:
    """The highest office at which the person holds one of `roles`. Raises PermissionRefused."""
    held = sorted((len(grant.office_path), grant.office_id) for grant in actor.grants if grant.role in roles)
    if not held:
        raise PermissionRefused(_("Your role does not allow this here."))
    return Office.objects.get(pk=held[0][1])


def account_managers(office: Office) -> QuerySet[User]:
    """The active people who are account managers at or above `office` on the business date, by name."""
    ids = holders_of(Role.ACCOUNT_MANAGER, office.path)
    return User.objects.filter(pk__in=ids).order_by("display_name", "pk")


def account_manager(user_id: int, office: Office) -> User:
    """One of them. Raises InvalidInput for `owner_id`."""
    user = account_managers(office).filter(pk=user_id).first()
    if user is None:
        raise InvalidInput(fields={"owner_id": [_("Choose an account manager of this office.")]})
    return user
