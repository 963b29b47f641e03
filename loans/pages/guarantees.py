"""The list of guarantee circles and long chains: page and file."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from branch.domain.actor import Actor
from branch.domain.refusals import PermissionRefused
from branch.middleware import actor_of
from branch.web import export
from customers.nouns.customers import CUSTOMER_NOUN
from loans.queries.guarantees import RING_READERS, GuaranteeRing, rings_of

PAGE_SIZE = 20


class MemberTable(tables.Table):
    """The file: a line per member, its circle or chain by number."""

    number = tables.Column(verbose_name=_("number"))
    kind = tables.Column(verbose_name=_("kind"))
    guaranteed = tables.Column(verbose_name=_("sum guaranteed"))
    member = tables.Column(verbose_name=_("member"))
    guarantees_for = tables.Column(verbose_name=_("guarantees for"))
    amount = tables.Column(verbose_name=_("amount guaranteed"))
    exposure = tables.Column(verbose_name=_("owes, may draw, was offered"))


def chosen_rings(actor: Actor, query: Any) -> list[GuaranteeRing]:
    """What the address asks for: `kind` circle or chain, `q` a piece of a name the reader may read.

    Raises PermissionRefused for whom it is not.
    """
    if not actor.roles & RING_READERS:
        raise PermissionRefused(gettext("This is not open to your role."))
    kind, text = query.get("kind", ""), query.get("q", "").strip().casefold()
    return [
        ring
        for ring in rings_of(actor)
        if (kind not in ("circle", "chain") or ring.is_circle == (kind == "circle"))
        and (not text or any(text in member.name.casefold() for member in ring.members))
    ]


@login_required
@require_safe
def rings_page(request: HttpRequest) -> HttpResponse:
    rings = chosen_rings(actor_of(request), request.GET)
    page = Paginator(rings, PAGE_SIZE).get_page(request.GET.get("page"))
    kept = request.GET.copy()
    kept.pop("page", None)
    context = {
        "page": page,
        "rings": [(ring, _lines(ring)) for ring in page],
        "total": len(rings),
        "kind": request.GET.get("kind", ""),
        "query": request.GET.get("q", ""),
        "kept": kept.urlencode(),
    }
    return render(request, "loans/guarantee_circles.html", context)


@login_required
@require_safe
def rings_file(request: HttpRequest, form: str) -> HttpResponseBase:
    writer = {"csv": export.as_csv, "xlsx": export.as_xlsx}.get(form)
    if writer is None:
        raise Http404
    rings = chosen_rings(actor_of(request), request.GET)
    rows = [
        {
            "number": number,
            "kind": "circle" if ring.is_circle else "chain",
            "guaranteed": str(ring.guaranteed),
            "member": line["member"].name,
            "guarantees_for": line["of_whom"],
            "amount": "" if line["member"].amount is None else str(line["member"].amount),
            "exposure": "" if line["member"].exposure is None else str(line["member"].exposure),
        }
        for number, ring in enumerate(rings, start=1)
        for line in _lines(ring)
    ]
    return writer(MemberTable(rows), "guarantee-circles")


def _lines(ring: GuaranteeRing) -> list[dict[str, Any]]:
    """The members in order, each with whom it stands for."""
    following = [*ring.members[1:], ring.members[0]]
    return [
        {
            "member": member,
            "url": f"{CUSTOMER_NOUN.url()}{member.customer_id}/" if member.customer_id else "",
            "of_whom": debtor.name if member.guarantees else "",
        }
        for member, debtor in zip(ring.members, following, strict=True)
    ]
