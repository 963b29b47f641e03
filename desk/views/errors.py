"""Pages that say no: not there, not for you, our fault. Under /api/ the same is said as a problem."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template import loader
from django.utils.translation import gettext as _

from branch.api.problems import bare_problem


def not_found(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """The same page whether the thing does not exist or is not this person's to know of."""
    if _is_api(request):
        return bare_problem(404, "not-found", _("Not found"))
    return render(request, "404.html", status=404)


def forbidden(request: HttpRequest, exception: Any = None) -> HttpResponse:
    if _is_api(request):
        return bare_problem(403, "permission-denied", _("Not permitted"))
    return render(request, "403.html", status=403)


def bad_request(request: HttpRequest, exception: Any = None) -> HttpResponse:
    """A host that is not ours, too many fields: nothing a person at a page comes upon."""
    if _is_api(request):
        return bare_problem(400, "invalid-input", _("Malformed request."))
    return HttpResponse(status=400)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form was open too long or sent from elsewhere; nothing was changed."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the database and without knowing who asks, as either may be what failed."""
    if _is_api(request):
        return bare_problem(500, "server-error", _("Something went wrong on our side"))
    return HttpResponse(loader.get_template("500.html").render({}), status=500)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")
