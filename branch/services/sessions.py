"""Signing in for a token, and ending sessions and tokens."""

from __future__ import annotations

from datetime import datetime

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import is_mfa_enabled
from allauth.usersessions.models import UserSession
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.models import AuthToken
from knox.settings import knox_settings

from branch.domain.actor import Actor
from branch.domain.refusals import NotFound, Refusal
from branch.domain.roles import Role
from branch.models import User
from branch.queries.actors import actor_for, role_needs_second_factor
from branch.queries.visibility import visible
from branch.services.events import record
from branch.services.use_case import use_case


class SignInFailed(Refusal):
    """Never says whether the name or the password was wrong."""

    type, title, status = "sign-in-failed", "Sign-in failed", 401


class MfaRequired(Refusal):
    """The password was right; `code` must come with it."""

    type, title, status = "mfa-required", "A second factor is required", 401


class MfaNotSetUp(Refusal):
    type, title, status = "mfa-not-set-up", "Set up a second factor first", 403


class LockedOut(Refusal):
    type, title, status = "locked-out", "Too many failed attempts", 429


def sign_in(request: HttpRequest, *, username: str, password: str, code: str = "") -> tuple[str, datetime]:
    """A fresh token and when it expires. Failed passwords and codes count towards the lockout.

    Raises SignInFailed, LockedOut, MfaRequired, or MfaNotSetUp where a role asks for a factor the person lacks.
    """
    # Known and unknown names cost the same: each password backend hashes once either way.
    user = authenticate(request, username=username, password=password)
    if user is None:
        raise _failure(request)
    _check_second_factor(request, user, code)
    AxesProxyHandler.reset_attempts(username=username, ip_address=request.META.get("REMOTE_ADDR"))
    update_last_login(User, user)
    return issue_token(user_id=user.pk)


@use_case("issue_token")
def issue_token(*, user_id: int) -> tuple[str, datetime]:
    """A token for a person who has proved who they are. Beyond the limit the oldest one ends."""
    user = User.objects.select_for_update().get(pk=user_id)
    AuthToken.objects.filter(user=user, expiry__lte=timezone.now()).delete()
    keep = max((knox_settings.TOKEN_LIMIT_PER_USER or 50) - 1, 0)
    surplus = AuthToken.objects.filter(user=user).order_by("-created").values_list("pk", flat=True)[keep:]
    AuthToken.objects.filter(pk__in=list(surplus)).delete()
    token, secret = AuthToken.objects.create(user=user)
    record("user.sign_in", user, actor=actor_for(user), after={"channel": "api"})
    return secret, token.expiry


def _failure(request: HttpRequest) -> Refusal:
    if getattr(request, "axes_locked_out", False):
        wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
        return LockedOut(_("Too many failed attempts. Try again later."), retry_after_seconds=wait)
    return SignInFailed(_("The user name, password or code is not right."))


def _check_second_factor(request: HttpRequest, user: User, code: str) -> None:
    if not is_mfa_enabled(user):
        if role_needs_second_factor(actor_for(user)):
            raise MfaNotSetUp(_("Your role needs a second factor. Sign in on the web page once to set it up."))
        return
    if not code:
        raise MfaRequired(_("Send the code of your authenticator, or a recovery code, as `code`."))
    if not _code_is_right(user, code):
        user_login_failed.send(sender=__name__, credentials={"username": user.username}, request=request)
        raise _failure(request)


def _code_is_right(user: User, code: str) -> bool:
    for authenticator in Authenticator.objects.filter(user=user).order_by("pk"):
        if authenticator.type == Authenticator.Type.TOTP and TOTP(authenticator).validate_code(code):
            return True
        if authenticator.type == Authenticator.Type.RECOVERY_CODES and RecoveryCodes(authenticator).validate_code(code):
            return True
    return False


@use_case("sign_out_everywhere")
def sign_out_everywhere(*, actor: Actor, user_id: int) -> User:
    """End every session and token of a person: one's own, or as an administrator of their office.

    Raises NotFound for a person the actor may not do this to.
    """
    user = User.objects.filter(pk=user_id).first()
    if user is None or not may_end_sessions(actor, user):
        raise NotFound(_("There is no such person."))
    end_sessions(user)
    record("user.sign_out_everywhere", user, actor=actor, after={})
    return user


def may_end_sessions(actor: Actor, user: User) -> bool:
    if actor.user_id == user.pk or actor.is_system:
        return True
    administers = user.office is not None and actor.holds({Role.ADMINISTRATOR}, user.office.path)
    return administers and visible(User, actor).filter(pk=user.pk).exists()


def end_sessions(user: User) -> None:
    """Inside a transaction of the caller: browser sessions and API tokens all end with its commit."""
    for session in UserSession.objects.filter(user=user):
        session.end()
    AuthToken.objects.filter(user=user).delete()
