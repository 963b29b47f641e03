"""The first page in the morning: what waits for this person."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from branch.middleware import actor_of
from branch.queries.business_date import business_date
from desk.navigation import DASHBOARD_READERS
from desk.queries.my_day import my_day as piles_of


@login_required
def my_day(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    context = {"piles": piles_of(actor, business_date()), "reads_dashboard": bool(actor.roles & DASHBOARD_READERS)}
    return render(request, "desk/my_day.html", context)
