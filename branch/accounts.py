"""How people sign in: accounts are made by an administrator, never by the visitor."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from branch.fields import cipher


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: Any) -> bool:
        return False


class MfaAdapter(DefaultMFAAdapter):
    """Authenticator secrets stand encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher().decrypt(encrypted_text.encode()).decode()


def lockout_response(request: HttpRequest, response: Any, credentials: Any) -> HttpResponseBase:
    """What a locked-out visitor gets: a page, or for the API the problem its view already answered with."""
    if request.path.startswith("/api/"):
        return response
    return render(request, "account/lockout.html", {"cooloff_timedelta": settings.AXES_COOLOFF_TIME}, status=429)
