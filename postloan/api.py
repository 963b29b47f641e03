"""Closing a business day over the API: the answer is the run to watch."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from branch.domain.refusals import InvalidInput
from branch.web.api import OnceMixin
from postloan.nouns.sweeps import RunSerializer
from postloan.services.close import close_business_day


class CloseDayView(OnceMixin, APIView):
    """Start the nightly close of a business day; asked again, the same run."""

    @extend_schema(
        tags=["sweep-runs"],
        operation_id="business_days_close",
        request=None,
        parameters=[
            OpenApiParameter("day", date, OpenApiParameter.PATH, description="The business date, 2026-03-02."),
            OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, required=False),
        ],
        responses={202: RunSerializer},
    )
    def post(self, request: Request, day: str) -> Response:
        """Raises InvalidInput for what is no date, or not the business date."""
        try:
            wanted = date.fromisoformat(day)
        except ValueError:
            raise InvalidInput(fields={"date": [_("Enter a date such as 2026-03-02.")]}) from None
        run = close_business_day(actor=actor_in(request), date=wanted)
        return Response(RunSerializer(run).data, status=202)
