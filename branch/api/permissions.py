"""What every API route asks of the caller beyond having signed in."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from branch.middleware import owes_second_factor


class SignedIn(IsAuthenticated):
    """A person who has signed in, with the second factor their role asks for in place."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        request._request.user = request.user  # token sign-in is known to DRF's request only
        if owes_second_factor(request._request):
            raise PermissionDenied(
                _("Your role needs a second factor. Sign in on the web page once to set it up."), code="mfa_not_set_up"
            )
        return True
