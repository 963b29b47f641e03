"""Every API error as problem details (RFC 9457)."""

from __future__ import annotations

from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, JsonResponse
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import set_rollback

from branch.domain.refusals import InvalidInput, Refusal

MEDIA_TYPE = "application/problem+json"
_TITLES = {405: gettext_lazy("Method not allowed"), 415: gettext_lazy("Media type not supported")}


def problem(status: int, type_: str, title: str, detail: str = "", **facts: Any) -> Response:
    """A problem-details answer; `facts` are its extension members."""
    body = {"type": f"/problems/{type_}", "title": title, "status": status, "detail": detail or title, **facts}
    return Response(body, status=status, content_type=MEDIA_TYPE)


def bare_problem(status: int, type_: str, title: str) -> JsonResponse:
    """The same for what never reaches a view of the API: an unknown route, a host that is not ours, a crash."""
    body = {"type": f"/problems/{type_}", "title": title, "status": status, "detail": title}
    return JsonResponse(body, status=status, content_type=MEDIA_TYPE)


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler: refusals, DRF's own errors and Django's all come out in one shape."""
    if isinstance(error, Refusal):
        set_rollback()
        return _of_refusal(error)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, RequestDataTooBig):
        return problem(413, "too-large", _("The request is too large"))
    elif isinstance(error, SuspiciousOperation | RecursionError):  # the latter: JSON nested without end
        error = exceptions.ParseError()
    if not isinstance(error, exceptions.APIException):
        structlog.get_logger(__name__).exception("unhandled error in the API")
        set_rollback()
        return problem(500, "server-error", _("Something went wrong on our side"))
    set_rollback()
    return _of_api_exception(error)


def by_field(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested messages by the way to their field: `{"events": {2: {"amount": […]}}}` as `events.2.amount`."""
    if isinstance(detail, dict):
        parts = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(part, dict | list) for part in detail):
        parts = list(enumerate(detail))
    else:
        messages = detail if isinstance(detail, list) else [detail]
        return {path or api_settings.NON_FIELD_ERRORS_KEY: [force_str(message) for message in messages]}
    found: dict[str, list[str]] = {}
    for name, part in parts:
        is_own = name == api_settings.NON_FIELD_ERRORS_KEY
        for field, messages in by_field(part, path if is_own else f"{path}.{name}".lstrip(".")).items() if part else ():
            found.setdefault(field, []).extend(messages)
    return found


def _of_refusal(refusal: Refusal) -> Response:
    facts = dict(refusal.facts)
    if isinstance(refusal, InvalidInput):
        facts["errors"] = refusal.fields
    # A refusal without words of its own is told by its title, which still is in English.
    return problem(refusal.status, refusal.type, _(refusal.title), _(refusal.detail), **facts)


def _of_api_exception(error: exceptions.APIException) -> Response:
    facts: dict[str, Any] = {}
    if isinstance(error, exceptions.ValidationError):
        kind, title, detail = "invalid-input", _("Please correct the marked fields"), ""
        facts["errors"] = by_field(error.detail)
    else:
        codes = error.get_codes()
        kind = str(codes).replace("_", "-") if isinstance(codes, str) else "error"
        title = force_str(error.default_detail).rstrip(".")
        if "{" in title:  # a place for what is not allowed, which the detail names
            title = force_str(_TITLES[error.status_code])
        detail = force_str(error.detail)
    response = problem(error.status_code, kind, title, detail, **facts)
    if challenge := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        response["Retry-After"] = str(int(wait) + 1)
    return response
