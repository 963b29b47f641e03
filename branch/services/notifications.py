"""Telling people: a line in the bell, and by e-mail that there is one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import NotFound
from branch.domain.roles import Role
from branch.models import Notification, User
from branch.queries.actors import holders_of
from branch.queries.notifications import NOTICES, places_in, text_of
from branch.queries.visibility import visible
from branch.services.outbox import consumer, publish
from branch.services.use_case import use_case


def notify(user_id: int, kind: str, url: str, **params: Any) -> Notification:
    """Put a line in somebody's bell, and have an e-mail say so where they have an address.

    Runs in the caller's transaction. `params` fill the places of the kind's text (see queries.notifications.notice)
    and must not be personal data. Raises LookupError for an unknown kind, ValueError when a place has no value.
    """
    text = NOTICES.get(kind)
    if text is None:
        raise LookupError(f"nobody registered the notice {kind}")
    with translation.override(None):
        missing = places_in(str(text)) - params.keys()
    if missing:
        raise ValueError(f"{kind} wants {', '.join(sorted(missing))}")
    shown = {name: str(value) for name, value in params.items()}
    notification = Notification.objects.create(user_id=user_id, kind=kind, url=url[:200], params=shown)
    publish("email", notification_id=notification.pk)
    return notification


def notify_role(role: Role, office_path: str, kind: str, url: str, **params: Any) -> int:
    """Tell everybody who holds the role today at the office or above it; the number told."""
    holders = holders_of(role, office_path)
    for user_id in holders:
        notify(user_id, kind, url, **params)
    return len(holders)


@use_case("mark_read")
def mark_read(*, actor: Actor, notification_id: int) -> Notification:
    """Raises NotFound for anybody else's notification."""
    notification = visible(Notification, actor).select_for_update().filter(pk=notification_id).first()
    if notification is None:
        raise NotFound(_("There is no such notification."))
    if notification.read_at is None:
        notification.read_at = timezone.now()
        notification.save(update_fields=["read_at"])
    return notification


@use_case("mark_all_read")
def mark_all_read(*, actor: Actor) -> int:
    """Returns how many were unread."""
    return visible(Notification, actor).filter(read_at=None).update(read_at=timezone.now())


@consumer("email", "smtp", calls_out=True)
def send_email(payload: dict[str, Any]) -> None:
    """Say by e-mail what the bell says. Nothing is sent to people without an address or who have read it.

    The Message-ID is the notification's own, so that a mail server asked twice knows the message again.
    """
    notification = Notification.objects.select_related("user").filter(pk=payload["notification_id"]).first()
    if notification is None or notification.read_at or not _address(notification.user):
        return
    with translation.override(settings.LANGUAGE_CODE):
        subject = " ".join((_("Xiaowei: %(text)s") % {"text": text_of(notification)}).split())
        body = _("%(text)s\n\nSign in to Xiaowei to see it. You can't reply to this message.") % {
            "text": text_of(notification)
        }
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("<> ") or "localhost"
    headers = {"Message-ID": f"<notification-{notification.pk}@{domain}>"}
    EmailMessage(subject, body, to=[notification.user.email], headers=headers).send()


def _address(user: User) -> str:
    return user.email if user.is_active else ""
