"""The branch at a glance, for those who read it as a whole."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import NotFound, PermissionRefused
from branch.middleware import actor_of
from branch.queries.business_date import business_date
from branch.web.noun import NOUNS
from branch.web.tables import paged
from desk.navigation import DASHBOARD_READERS
from desk.queries.dashboard import ROWS
from desk.queries.dashboard import dashboard as read


def first_days(today: date) -> dict[str, tuple[Any, date]]:
    """Name → its word and first day: this month, quarter and year."""
    quarter = today.replace(month=3 * ((today.month - 1) // 3) + 1, day=1)
    return {
        "month": (_("Month to date"), today.replace(day=1)),
        "quarter": (_("Quarter to date"), quarter),
        "year": (_("Year to date"), today.replace(month=1, day=1)),
    }


def _reader(request: HttpRequest) -> Actor:
    actor = actor_of(request)
    if not actor.roles & DASHBOARD_READERS:
        raise PermissionRefused(_("This is not open to your role."))
    return actor


def _range(request: HttpRequest) -> tuple[str, date]:
    """The range asked for and its first day; the quarter where none, or no known one, is named."""
    starts = first_days(business_date())
    name = request.GET.get("since", "")
    name = name if name in starts else "quarter"
    return name, starts[name][1]


@login_required
def dashboard(request: HttpRequest) -> HttpResponse:
    """`?since=` is month, quarter or year. Raises PermissionRefused for roles that do not read the branch."""
    actor = _reader(request)
    name, since = _range(request)
    url = reverse("desk:dashboard")
    ranges = [(word, f"{url}?since={code}", code == name) for code, (word, _day) in first_days(business_date()).items()]
    context = {"board": read(actor, since), "since": since, "range": name, "ranges": ranges}
    return render(request, "desk/dashboard.html", context)


@login_required
def rows(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind a figure of the dashboard, in the table of their noun."""
    actor = _reader(request)
    name, since = _range(request)
    figure = ROWS.get(code)
    noun = NOUNS.get(figure.noun) if figure else None
    if figure is None or noun is None or not actor.roles & noun.readers:
        raise NotFound(_("There is no such record."))
    table = paged(request, noun.table(figure.of(actor, since).select_related(*noun.related)))
    back = f"{reverse('desk:dashboard')}?since={name}"
    context = {"figure": figure, "noun": noun, "table": table, "since": since, "range": name, "back": back}
    return render(request, "desk/rows.html", context)
