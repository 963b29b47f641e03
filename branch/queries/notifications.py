"""What stands in a person's bell, in the reader's language."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.models import Notification
from branch.queries.visibility import scope

#: Kind of notification → its text as a lazy translation with %(name)s places.
NOTICES: dict[str, Any] = {}


def notice(kind: str, text: Any) -> str:
    """Make a kind known, and return it. Raises ValueError when the name is taken."""
    if kind in NOTICES:
        raise ValueError(f"two notices are called {kind}")
    NOTICES[kind] = text
    return kind


class _Gaps(dict):
    def __missing__(self, name: str) -> str:
        return "…"


def text_of(notification: Notification) -> str:
    """The notification as a sentence. One of a kind this version no longer knows is shown by its kind."""
    text = NOTICES.get(notification.kind)
    if text is None:
        return notification.kind.replace(".", ": ").replace("_", " ")
    return str(text) % _Gaps(notification.params)


def places_in(text: str) -> set[str]:
    """Names of the %(name)s places of a text."""
    found = _Places()
    text % found
    return found.names


class _Places(dict):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return ""


def notifications_of(user_id: int) -> QuerySet[Notification]:
    """Newest first."""
    return Notification.objects.filter(user_id=user_id).order_by("-id")


def unread_count(user_id: int) -> int:
    return Notification.objects.filter(user_id=user_id, read_at=None).count()


@scope(Notification)
def _own(rows: QuerySet[Notification], actor: Actor) -> QuerySet[Notification]:
    return rows.filter(user_id=actor.person_id)
