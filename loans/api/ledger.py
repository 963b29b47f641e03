"""The books over the API, where a noun's own routes don't do: statements and files."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from loans.pages.ledger import as_file, asked_statement, gl_file

PERIOD = [
    OpenApiParameter("start", OpenApiTypes.DATE, description="First day; the day the loan was paid out if left out."),
    OpenApiParameter("end", OpenApiTypes.DATE, description="Last day; the business date if left out."),
]


class StatementLineSerializer(serializers.Serializer):
    entry = serializers.IntegerField(source="entry.pk")
    business_date = serializers.DateField(source="entry.business_date")
    value_date = serializers.DateField(source="entry.value_date")
    event = serializers.CharField(source="entry.event")
    reference = serializers.CharField()
    principal = serializers.DecimalField(16, 2, help_text="Above zero paid out, below zero repaid.")
    interest = serializers.DecimalField(16, 2)
    penalty = serializers.DecimalField(16, 2)
    fees = serializers.DecimalField(16, 2)
    suspense = serializers.DecimalField(16, 2, help_text="Kept for the borrower; below zero where it was used.")
    balance = serializers.DecimalField(16, 2)
    held = serializers.DecimalField(16, 2)


class StatementSerializer(serializers.Serializer):
    loan = serializers.IntegerField(source="loan.pk")
    number = serializers.CharField(source="loan.number")
    start = serializers.DateField()
    end = serializers.DateField()
    opening_balance = serializers.DecimalField(16, 2)
    closing_balance = serializers.DecimalField(16, 2)
    opening_held = serializers.DecimalField(16, 2)
    closing_held = serializers.DecimalField(16, 2)
    paid_out = serializers.DecimalField(16, 2)
    repaid = serializers.DecimalField(16, 2)
    interest = serializers.DecimalField(16, 2)
    penalty = serializers.DecimalField(16, 2)
    fees = serializers.DecimalField(16, 2)
    interest_accrued = serializers.DecimalField(16, 2)
    penalty_accrued = serializers.DecimalField(16, 2)
    lines = StatementLineSerializer(many=True)


class StatementView(APIView):
    """The statement of a loan over a period."""

    @extend_schema(tags=["loans"], operation_id="loans_statement", parameters=PERIOD, responses=StatementSerializer)
    def get(self, request: Request, pk: int) -> Response:
        return Response(StatementSerializer(asked_statement(actor_in(request), pk, request.query_params)).data)


class StatementFileView(APIView):
    """The statement as PDF or XLSX."""

    @extend_schema(
        tags=["loans"],
        operation_id="loans_statement_file",
        parameters=[*PERIOD, OpenApiParameter("form", str, OpenApiParameter.PATH, enum=["pdf", "xlsx"])],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int, form: str) -> HttpResponse:
        return as_file(asked_statement(actor_in(request), pk, request.query_params), form)


class GlFileView(APIView):
    """The file of a closed day for the general ledger: the same bytes each time; its digest is the ETag."""

    @extend_schema(
        tags=["ledger-days"],
        operation_id="ledger_days_file",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, pk: int) -> Any:
        return gl_file(actor_in(request), pk)
