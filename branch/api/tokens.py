"""Signing in and out for API clients."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

from branch.api.problems import problem_response
from branch.domain.refusals import Refusal
from branch.middleware import actor_of
from branch.services.sessions import LockedOut, sign_in, sign_out_everywhere
from branch.web.api import OnceMixin


class SignInSerializer(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=256, trim_whitespace=False)
    code = serializers.CharField(
        max_length=20,
        required=False,
        allow_blank=True,
        help_text="Code of the authenticator, or a recovery code, where the person has a second factor.",
    )


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text="Send it as `Authorization: Token …`.")
    expiry = serializers.DateTimeField()


class TokenView(OnceMixin, APIView):
    """A token for a person's name and password, and the code of their second factor where they have one."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "sign-in"

    @extend_schema(request=SignInSerializer, responses=TokenSerializer, tags=["auth"], operation_id="auth_token")
    def post(self, request: Request) -> Response:
        given = SignInSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        try:
            token, expiry = sign_in(request._request, **given.validated_data)
        except Refusal as refusal:
            # Answered, not raised: the count of failed attempts must be kept even where the request carries an
            # Idempotency-Key and so runs in a transaction.
            return _refused(refusal, {"request": request, "view": self})
        return Response(TokenSerializer({"token": token, "expiry": expiry}).data)


def _refused(refusal: Refusal, context: dict[str, Any]) -> Response:
    response = problem_response(refusal, context)
    assert response is not None  # a refusal always has an answer
    if refusal.status == 401:
        response["WWW-Authenticate"] = "Token"
    if isinstance(refusal, LockedOut):
        response["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response


class LogoutView(OnceMixin, APIView):
    """End the token, or the browser session, this request came with."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(request=None, responses={204: None}, tags=["auth"], operation_id="auth_logout")
    def post(self, request: Request) -> Response:
        if request.auth is None:
            logout(request._request)
        else:
            request.auth.delete()
        return Response(status=204)


class LogoutAllView(OnceMixin, APIView):
    """End every session and token of the person asking."""

    permission_classes = (IsAuthenticated,)

    @extend_schema(request=None, responses={204: None}, tags=["auth"], operation_id="auth_logout_all")
    def post(self, request: Request) -> Response:
        request._request.user = request.user
        actor = actor_of(request._request)
        sign_out_everywhere(actor=actor, user_id=actor.person_id)
        return Response(status=204)
