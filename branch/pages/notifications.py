"""From the bell to the thing it tells of."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from branch.middleware import actor_of
from branch.services.notifications import mark_read
from branch.web.noun import NOUNS


@login_required
@require_safe
def open_notification(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it read and go where it points. Opening it again only goes there again."""
    notification = mark_read(actor=actor_of(request), notification_id=pk)
    if url_has_allowed_host_and_scheme(notification.url, allowed_hosts=None):
        return redirect(notification.url)
    return redirect(NOUNS["notification"].url())
