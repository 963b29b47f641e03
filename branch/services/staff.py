"""People and the roles they hold. Administrators only, and nobody gives a role to themselves."""

from __future__ import annotations

from datetime import date, timedelta

from axes.handlers.proxy import AxesProxyHandler
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.models import Office, RoleAssignment, User
from branch.models.staff import ROLE_LABELS
from branch.queries.actors import in_force_or_later
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.services.events import record, snapshot
from branch.services.offices import ADMINISTRATORS, require_administrator
from branch.services.sessions import end_sessions
from branch.services.transition import lock
from branch.services.use_case import use_case


@use_case("create_user")
def create_user(
    *, actor: Actor, username: str, display_name: str, office_id: int, email: str = "", password: str = ""
) -> User:
    """A person at an office, without any role yet; without a password they can't sign in until one is set.

    Raises InvalidInput for a name that is taken or a weak password.
    """
    office = lock(Office, office_id, actor)
    require_administrator(actor, office, "create_user")
    user = User(username=username.strip(), display_name=display_name.strip(), office=office, email=email.strip())
    # Sign-in does not tell capitals apart.
    if User.objects.filter(username__iexact=user.username).exists():
        raise InvalidInput(fields={"username": [_("This user name is taken.")]})
    user.set_unusable_password()
    _clean(user)
    if password:
        _put_password(user, password)
    user.save(force_insert=True)
    record("user.create", user, actor=actor, before={})
    return user


@use_case("update_user")
def update_user(*, actor: Actor, user_id: int, display_name: str, office_id: int, email: str = "") -> User:
    """Correct a name or address, or move a person to another office; roles stay where they are held."""
    user = _administered(actor, user_id, "update_user")
    office = lock(Office, office_id, actor)
    require_administrator(actor, office, "update_user")
    before = snapshot(user)
    user.display_name, user.email, user.office = display_name.strip(), email.strip(), office
    _clean(user)
    user.save()
    record("user.update", user, actor=actor, before=before)
    return user


@use_case("set_password")
def set_password(*, actor: Actor, user_id: int, password: str) -> User:
    """A new password for somebody else; ends their sessions and tokens and lifts a lockout.

    Raises InvalidInput for a weak one. One's own password is changed on the account page, which asks for the old one.
    """
    user = _administered(actor, user_id, "set_password")
    if user.pk == actor.user_id:
        raise PermissionRefused(_("Change your own password on your account page."), event="set_password")
    _put_password(user, password)
    user.save(update_fields=["password"])
    end_sessions(user)
    AxesProxyHandler.reset_attempts(username=user.username)
    record("user.set_password", user, actor=actor, after={})
    return user


@use_case("deactivate_user")
def deactivate_user(*, actor: Actor, user_id: int, reason: str) -> User:
    """The person can't sign in any more, from this moment. Raises Unmet for the last administrator."""
    user = _administered(actor, user_id, "deactivate_user")
    if user.pk == actor.user_id:
        raise PermissionRefused(_("You can't deactivate yourself."), event="deactivate_user")
    before = snapshot(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    _require_administrator_left()
    end_sessions(user)
    record("user.deactivate", user, actor=actor, before=before, reason=reason)
    return user


@use_case("reactivate_user")
def reactivate_user(*, actor: Actor, user_id: int, reason: str) -> User:
    """The person can sign in again, with the roles that are still in force."""
    user = _administered(actor, user_id, "reactivate_user")
    before = snapshot(user)
    user.is_active = True
    user.save(update_fields=["is_active"])
    record("user.reactivate", user, actor=actor, before=before, reason=reason)
    return user


@use_case("assign_role")
def assign_role(
    *,
    actor: Actor,
    user_id: int,
    role: str,
    office_id: int,
    start_date: date,
    end_date: date | None = None,
    reason: str = "",
) -> RoleAssignment:
    """Give somebody else a role at an office from a date on, not backdated.

    Raises PermissionRefused for oneself, InvalidInput for a role nobody can hold or dates that do not fit, Unmet
    where the same role is held at that time.
    """
    user = lock(User, user_id, actor)
    office = lock(Office, office_id, actor)
    require_administrator(actor, office, "assign_role")
    if user.pk == actor.user_id:
        raise PermissionRefused(_("Nobody gives a role to themselves."), event="assign_role")
    if role not in ROLE_LABELS:
        raise InvalidInput(fields={"role": [_("There is no such role.")]})
    _require_dates(start_date, end_date)
    _require_not_held(user, role, office, start_date, end_date)
    assignment = RoleAssignment.objects.create(
        user=user, role=role, office=office, start_date=start_date, end_date=end_date
    )
    if role in parameter("mfa.required_roles"):
        # What was signed in without a second factor must not carry a role that asks for one.
        end_sessions(user)
    record("role.assign", assignment, actor=actor, before={}, reason=reason)
    return assignment


@use_case("end_role")
def end_role(*, actor: Actor, assignment_id: int, end_date: date, reason: str) -> RoleAssignment:
    """The last day the role is held: yesterday ends it at once. Raises Unmet for the last administrator."""
    assignment = lock(RoleAssignment, assignment_id, actor)
    require_administrator(actor, assignment.office, "end_role")
    yesterday = business_date() - timedelta(days=1)
    if end_date < yesterday:
        raise InvalidInput(fields={"end_date": [_("Choose %(date)s or later.") % {"date": yesterday}]})
    if assignment.end_date is not None and assignment.end_date <= yesterday:
        raise Unmet(_("This role has ended."))
    before = snapshot(assignment)
    assignment.end_date = max(end_date, assignment.start_date - timedelta(days=1))
    assignment.save(update_fields=["end_date"])
    _require_administrator_left()
    record("role.end", assignment, actor=actor, before=before, reason=reason)
    return assignment


def _administered(actor: Actor, user_id: int, event: str) -> User:
    """The person, locked, if the actor administers their office and every office they hold a role at.

    Whoever can set a password can act as that person: a branch's administrator must not reach above the branch.
    """
    user = lock(User, user_id, actor)
    if user.office is None and not actor.holds_bank_wide(ADMINISTRATORS):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    if user.office is not None:
        require_administrator(actor, user.office, event)
    for assignment in in_force_or_later().filter(user=user).select_related("office"):
        require_administrator(actor, assignment.office, event)
    return user


def _clean(user: User) -> None:
    try:
        user.full_clean(exclude=["password"])
    except ValidationError as error:
        raise InvalidInput(fields=error.message_dict) from error


def _put_password(user: User, password: str) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(fields={"password": list(error.messages)}) from error
    user.set_password(password)


def _require_dates(start_date: date, end_date: date | None) -> None:
    today = business_date()
    if start_date < today:
        message = _("Roles are not backdated: choose %(date)s or later.") % {"date": today}
        raise InvalidInput(fields={"start_date": [message]})
    if end_date is not None and end_date < start_date:
        raise InvalidInput(fields={"end_date": [_("The end can't be before the start.")]})


def _require_not_held(user: User, role: str, office: Office, start: date, end: date | None) -> None:
    same = RoleAssignment.objects.filter(user=user, role=role, office=office)
    same = same.filter(Q(end_date__isnull=True) | Q(end_date__gte=start))
    if end is not None:
        same = same.filter(start_date__lte=end)
    if same.exists():
        raise Unmet(_("This person holds this role here at that time already."))


def _require_administrator_left() -> None:
    """Somebody must be able to give roles for good, or nobody could ever again."""
    left = RoleAssignment.objects.filter(
        role=Role.ADMINISTRATOR, end_date__isnull=True, user__is_active=True, office__parent__isnull=True
    )
    if not left.exists():
        raise Unmet(_("Somebody must remain administrator at the head office."))
