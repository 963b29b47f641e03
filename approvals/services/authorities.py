"""Delegated authority: granted and ended by head office, never by oneself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.utils.translation import gettext as _

from approvals.domain.routing import GRADES
from approvals.models import Authority
from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, WrongState
from branch.domain.roles import Role
from branch.models import Office, User
from branch.queries.actors import actor_for
from branch.queries.business_date import business_date
from branch.services.events import record, snapshot
from branch.services.transition import lock
from branch.services.use_case import use_case
from loans.models.product import GuaranteeMode, Product

GRANTERS = frozenset({Role.POLICY_MANAGER, Role.ADMINISTRATOR})
DECIDERS = frozenset({Role.APPROVER, Role.BRANCH_MANAGER})
MOST = Decimal(10) ** 12


@use_case("grant_authority")
def grant_authority(
    *,
    actor: Actor,
    user_id: int,
    office_id: int,
    limit_amount: Decimal,
    effective_date: date,
    end_date: date | None = None,
    family: str = "",
    guarantee_mode: str = "",
    worst_grade: str = "",
    reason: str = "",
) -> Authority:
    """Let somebody who decides at the office decide up to `limit_amount` yuan; empty narrowing means any.

    Raises PermissionRefused for oneself or without the role, InvalidInput for values that make no sense.
    """
    office = lock(Office, office_id, actor)
    if not actor.holds(GRANTERS, office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event="grant_authority")
    if user_id == actor.user_id:
        raise PermissionRefused(_("Nobody grants an authority to themselves."), event="grant_authority")
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None or not actor_for(user).holds(DECIDERS, office.path):
        raise InvalidInput(fields={"user_id": [_("Choose an approver or branch manager of this office.")]})
    _check(limit_amount, effective_date, end_date, family, guarantee_mode, worst_grade)
    authority = Authority.objects.create(
        user=user,
        office=office,
        limit_amount=limit_amount,
        effective_date=effective_date,
        end_date=end_date,
        family=family,
        guarantee_mode=guarantee_mode,
        worst_grade=worst_grade,
        granted_by_id=actor.person_id,
    )
    record("authority.grant", authority, actor=actor, before={}, reason=reason)
    return authority


def _check(limit: Decimal, start: date, end: date | None, family: str, guarantee_mode: str, worst_grade: str) -> None:
    errors: dict[str, list[str]] = {}
    if not 0 < limit < MOST:
        errors["limit_amount"] = [_("Enter an amount above zero.")]
    if start < business_date():
        errors["effective_date"] = [_("An authority is not granted for the past.")]
    if end is not None and end < start:
        errors["end_date"] = [_("The end lies before the start.")]
    for name, value, known in (
        ("family", family, Product.Family.values),
        ("guarantee_mode", guarantee_mode, GuaranteeMode.values),
        ("worst_grade", worst_grade, GRADES),
    ):
        if value and value not in known:
            errors[name] = [_("There is no such choice.")]
    if errors:
        raise InvalidInput(fields=errors)


@use_case("end_authority")
def end_authority(*, actor: Actor, authority_id: int, reason: str) -> Authority:
    """The authority no longer holds from now on. Raises WrongState where it has ended."""
    authority = lock(Authority, authority_id, actor)
    if not actor.holds(GRANTERS, authority.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event="end_authority")
    today = business_date()
    if authority.ended_on is not None:
        raise WrongState(_("This authority has ended."))
    before = snapshot(authority)
    authority.ended_on = today
    authority.save(update_fields=["ended_on"])
    record("authority.end", authority, actor=actor, before=before, reason=reason)
    return authority
