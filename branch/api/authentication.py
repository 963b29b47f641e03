"""Session sign-in for the API; answers 401 with a challenge, so that a client can tell it from 403."""

from __future__ import annotations

from drf_spectacular.authentication import SessionScheme
from rest_framework import authentication
from rest_framework.request import Request


class SessionAuthentication(authentication.SessionAuthentication):
    def authenticate_header(self, request: Request) -> str:
        return "Session"


class SessionAuthenticationScheme(SessionScheme):
    """How the schema describes it: the session's cookie."""

    target_class = "branch.api.authentication.SessionAuthentication"
