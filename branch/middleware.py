"""Who is asking, whether a second factor is owed, and how a refusal looks on a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.middleware import common
from django.shortcuts import redirect, render
from django.urls import reverse

from branch.domain.actor import Actor
from branch.domain.refusals import Refusal
from branch.queries.actors import actor_for, role_needs_second_factor
from branch.queries.one_look import one_look

Handler = Callable[[HttpRequest], HttpResponse]


def actor_of(request: HttpRequest) -> Actor:
    """The acting person, looked up once a request. Anonymous visitors act with no roles."""
    cached = getattr(request, "_actor", None)
    if cached is None or cached.user_id != request.user.pk:
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        if request.user.is_authenticated:
            cached = actor_for(request.user, request_id=request_id)
        else:
            cached = Actor(user_id=-1, username="", request_id=request_id)
        request._actor = cached  # type: ignore[attr-defined]
    return cached


def owes_second_factor(request: HttpRequest) -> bool:
    """Whether a role this person holds asks for a second factor that is not set up yet."""
    return role_needs_second_factor(actor_of(request)) and not is_mfa_enabled(request.user)


class CommonMiddleware(common.CommonMiddleware):
    """Django's own, but a request sent on for want of a slash stays what it is: a POST, with its body."""

    response_redirect_class = partial(HttpResponsePermanentRedirect, preserve_request=True)  # type: ignore[assignment]


class OneLookMiddleware:
    """A request that only reads asks for the day, the parameters and the like once."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        with one_look():
            return self.get_response(request)


class RequiredMfaMiddleware:
    """Send a person whose role needs a second factor to set one up before anything else."""

    OPEN_PREFIXES = ("/accounts/", "/static/", "/healthz/", "/readyz/", "/metrics", "/i18n/", "/api/")

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        open_path = request.path.startswith(self.OPEN_PREFIXES)
        if not open_path and request.user.is_authenticated and owes_second_factor(request):
            return redirect(reverse("mfa_index"))
        return self.get_response(request)


class RefusalMiddleware:
    """A refusal that no view dealt with becomes a page that says what was refused and why."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        template = {404: "404.html", 403: "403.html"}.get(exception.status, "refused.html")
        return render(request, template, {"refusal": exception}, status=exception.status)
