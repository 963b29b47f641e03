"""For whoever runs the program: alive, ready, and numbers for Prometheus."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from branch.health import run_checks


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Everything the process needs is there, else 503 and which is not."""
    checks = run_checks()
    ready = all(checks.values())
    body = {
        "status": "ready" if ready else "not ready",
        "checks": {name: "ok" if passed else "failed" for name, passed in checks.items()},
    }
    return JsonResponse(body, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for allowed addresses only; others learn nothing."""
    if not all(_allowed(address) for address in _addresses(request)):
        raise Http404
    return ExportToDjangoView(request)


def _addresses(request: HttpRequest) -> list[str]:
    """The peer and every address a proxy says it passed on for, so that a proxy on this machine opens nothing."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    return [request.META.get("REMOTE_ADDR", ""), *(part.strip() for part in forwarded.split(",") if part.strip())]


def _allowed(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in ip_network(network, strict=False) for network in settings.METRICS_ALLOWED)
