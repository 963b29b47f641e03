"""Search over everything a person may see (Ctrl K)."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from branch.middleware import actor_of
from desk.queries.search import only_hit, search_everything


@login_required
def search(request: HttpRequest) -> HttpResponse:
    """The matches by kind; a number or code typed in full leads to its page."""
    text = request.GET.get("q", "").strip().replace("\x00", "")
    found = search_everything(actor_of(request), text)
    if url := only_hit(found, text):
        return redirect(url)
    return render(request, "desk/search.html", {"query_everywhere": text, "found": found})
