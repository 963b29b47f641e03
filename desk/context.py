"""What the frame of every page shows: places with their open work, the date, who is here."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from branch.middleware import actor_of
from branch.models import Notification
from branch.models.staff import ROLE_LABELS
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.noun import NOUNS
from desk.navigation import DASHBOARD_READERS, Group, Place, bar, first_role, groups, nouns_for, tools_for
from desk.queries.open_work import counts


class Shell:
    """The frame, worked out on first use: a fragment or a redirect asks the database nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.actor = actor_of(request)

    @cached_property
    def _counts(self) -> dict[str, int]:
        rows = {
            noun.name: noun.open_work(visible(noun.model, self.actor), self.actor)
            for noun in self._nouns
            if noun.open_work is not None
        }
        rows[""] = visible(Notification, self.actor).filter(read_at=None)
        return counts(rows)

    @cached_property
    def _nouns(self) -> list[Any]:
        return nouns_for(self.actor)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        return groups(self._nouns, self._counts, self.request.path, tools_for(self.actor))

    @cached_property
    def top(self) -> list[Place]:
        url = reverse("desk:my-day")
        places = [Place("my-day", _("My day"), url, "sun", None, self.request.path == url)]
        if self.actor.roles & DASHBOARD_READERS:
            url = reverse("desk:dashboard")
            places.append(Place("dashboard", _("Dashboard"), url, "layout-dashboard", None, self.request.path == url))
        return places

    @cached_property
    def bar(self) -> list[Place]:
        return bar(self.actor, [place for group in self.groups for place in group.places], self.top[0])

    @cached_property
    def unread(self) -> int:
        return self._counts[""]

    @cached_property
    def notifications_url(self) -> str:
        noun = NOUNS.get("notification")
        return noun.url() if noun else ""

    @cached_property
    def business_date(self) -> date:
        return business_date()

    @cached_property
    def role_line(self) -> str:
        """ "Branch manager, Chengdong": the first of the person's roles and the home office."""
        held = first_role(self.actor)
        role = str(capfirst(ROLE_LABELS[held])) if held else ""
        office = str(getattr(self.request.user, "office", None) or "")
        if not role or not office:
            return role or office
        return _("%(role)s, %(office)s") % {"role": role, "office": office}


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame for signed-in people, and which layout a page that says no is drawn in."""
    signed_in = getattr(request, "user", None) is not None and request.user.is_authenticated
    if not signed_in:
        return {"layout": "bare.html"}
    fragment = getattr(request, "htmx", False)
    return {
        "layout": "fragment.html" if fragment else "base.html",
        "shell": SimpleLazyObject(lambda: Shell(request)),
    }
