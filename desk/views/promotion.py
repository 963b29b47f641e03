"""The conversion funnel: what becomes of leads, and why some are lost."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from branch.domain.actor import Actor
from branch.domain.refusals import NotFound, PermissionRefused
from branch.middleware import actor_of
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.noun import NOUNS
from branch.web.tables import paged
from customers.models import Campaign, Lead
from desk.navigation import FUNNEL_READERS
from desk.queries.funnel import DIMENSIONS, MOST_LINES, ROWS, Cut, Funnel
from desk.queries.funnel import funnel as read
from desk.views.dashboard import first_days


def _asked(request: HttpRequest) -> tuple[Actor, str, Cut, dict[str, str]]:
    """Who asks, the range by name, the cut, and what of the address says it. What can't be read is left out."""
    actor = actor_of(request)
    if not actor.roles & FUNNEL_READERS:
        raise PermissionRefused(_("This is not open to your role."))
    ranges = first_days(business_date())
    name = request.GET.get("since", "")
    name = name if name in ranges else "quarter"
    numbers = {key: request.GET.get(key, "") for key in ("campaign", "owner")}
    kept = {key: text for key, text in numbers.items() if text.isascii() and text.isdigit() and len(text) < 19}
    source = request.GET.get("source", "")
    if source in Lead.Source.values:
        kept["source"] = source
    cut = Cut(
        ranges[name][1],
        campaign=int(kept.get("campaign", 0)) or None,
        source=kept.get("source", ""),
        owner=int(kept.get("owner", 0)) or None,
    )
    return actor, name, cut, kept


@login_required
def funnel(request: HttpRequest) -> HttpResponse:
    """`?since=` month, quarter or year, `?campaign=`, `?source=`, `?owner=`; `?by=` is what the table goes by.

    Raises PermissionRefused for roles that work no leads.
    """
    actor, name, cut, kept = _asked(request)
    by = request.GET.get("by", "")
    by = by if by in DIMENSIONS else "campaign"
    found = read(actor, cut, by)
    here = reverse("desk:funnel")

    def address(base: str = here, **changes: Any) -> str:
        return f"{base}?{urlencode({'since': name, 'by': by, **kept, **changes})}"

    context = {
        "funnel": found,
        "since": cut.since,
        "ranges": [
            (word, address(since=code), code == name) for code, (word, _day) in first_days(business_date()).items()
        ],
        "steps": [(step, address(reverse("desk:funnel-rows", args=[step.code]))) for step in found.steps],
        "lines": [(line, address(**{by: line.key}) if line.key else "") for line in found.lines],
        "dimensions": [(word, address(by=code), code == by) for code, word in DIMENSIONS.items()],
        "by_word": DIMENSIONS[by],
        "losses": _losses(found, address),
        "kept": kept,
        "range": name,
        "by": by,
        "choices": _choices(actor, kept),
    }
    return render(request, "desk/funnel.html", context)


def _choices(actor: Actor, kept: dict[str, str]) -> list[tuple[str, Any, list[tuple[Any, Any]], str]]:
    """What the leads can be cut by: name, word, choices, and the one chosen."""
    owners = visible(Lead, actor).order_by("owner__display_name").values_list("owner", "owner__display_name")
    campaigns = visible(Campaign, actor).order_by("-pk").values_list("pk", "name")
    options: dict[str, list[tuple[Any, Any]]] = {
        "campaign": list(campaigns[:MOST_LINES]),
        "source": list(Lead.Source.choices),
        "owner": list(owners.distinct()),
    }
    return [(name, DIMENSIONS[name], found, kept.get(name, "")) for name, found in options.items()]


def _losses(found: Funnel, address: Any) -> dict[str, Any] | None:
    """Reasons for loss as a bar each that opens its leads, under the sentence they tell."""
    if not found.losses:
        return None
    _code, word, count = found.losses[0]
    sentence = ngettext(
        "%(lost)d lead was lost: %(word)s",
        "%(lost)d leads were lost, %(count)d of them: %(word)s",
        found.lost,
    ) % {"lost": found.lost, "count": count, "word": word}
    urls = [address(reverse("desk:funnel-rows", args=[code])) for code, _word, _count in found.losses]
    return {
        "title": sentence,
        "data": {
            "kind": "bar",
            "x": [str(word) for _code, word, _count in found.losses],
            "series": [{"name": _("Leads"), "data": [count for _code, _word, count in found.losses], "urls": urls}],
        },
    }


@login_required
def funnel_rows(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind a figure of the funnel, in the table of their noun."""
    actor, name, cut, kept = _asked(request)
    figure = ROWS.get(code)
    noun = NOUNS.get(figure.noun) if figure else None
    if figure is None or noun is None or not actor.roles & noun.readers:
        raise NotFound(_("There is no such record."))
    table = paged(request, noun.table(figure.of(actor, cut).select_related(*noun.related)))
    back = f"{reverse('desk:funnel')}?{urlencode({'since': name, **kept})}"
    context = {"figure": figure, "noun": noun, "table": table, "since": cut.since, "range": name, "back": back}
    return render(request, "desk/rows.html", context)
