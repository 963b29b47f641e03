"""Pages that say no: not there, not for you, our fault."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """The same page whether the thing does not exist or is not this person's to know of."""
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long or sent from elsewhere; nothing was changed."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the database and without knowing who asks, as either may be what failed."""
    return HttpResponse(loader.get_template("500.html").render({}), status=500)
