"""Ending every session and token of one's own."""

from __future__ import annotations

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from branch.middleware import actor_of
from branch.services.sessions import sign_out_everywhere


@login_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """This session too: whoever asks for it may have lost a device and signs in afresh."""
    actor = actor_of(request)
    sign_out_everywhere(actor=actor, user_id=actor.person_id)
    logout(request)
    return redirect("account_login")
