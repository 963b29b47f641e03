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

from branch.middleware import actor_of
from branch.web import export
from customers.nouns.customers import CUSTOMER_NOUN
from loans.queries.guarantees import GuaranteeRing, chosen_rings

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


def _chosen(request: HttpRequest) -> list[GuaranteeRing]:
    return chosen_rings(actor_of(request), kind=request.GET.get("kind", ""), text=request.GET.get("q", ""))


@login_required
@require_safe
def rings_page(request: HttpRequest) -> HttpResponse:
    rings = _chosen(request)
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
    rings = _chosen(request)
    rows = [
        {
            "number": number,
            "kind": gettext("circle") if ring.is_circle else gettext("chain"),
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
