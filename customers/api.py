"""What an import came to as a file, and totals of invoices per firm to check it against."""

from __future__ import annotations

import csv
from collections.abc import Iterator

from django.http import HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from branch.api.attachments import actor_in
from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.export import safe_cell
from customers.models import RecordImport, RecordSource
from customers.queries.imports import import_of, report_lines
from customers.queries.invoices import TOTALS, firm_totals
from customers.queries.visibility import INVESTIGATORS


class _Line:
    def write(self, text: str) -> str:
        return text


class ReportView(APIView):
    """The report of an import, a line per finding, as CSV."""

    @extend_schema(
        tags=["record-imports"],
        operation_id="record_imports_report",
        parameters=[OpenApiParameter("pk", int, OpenApiParameter.PATH)],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Raises NotFound where the import is not there or not for this person."""
        return _as_csv(import_of(actor_in(request), pk))


def _as_csv(record_import: RecordImport) -> HttpResponseBase:
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield "\ufeff"
        for line in report_lines(record_import):
            yield writer.writerow([safe_cell(cell) for cell in line])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="import-{record_import.pk}.csv"'
    return response


class FirmTotalsSerializer(serializers.Serializer):
    firm = serializers.CharField(help_text=_("The source's code of the firm, or its USCC."))
    customer_id = serializers.IntegerField()
    direction = serializers.ChoiceField(choices=["sale", "purchase"])

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for name in TOTALS[3:]:
            whole = name.endswith("_count")
            fields[name] = (
                serializers.IntegerField() if whole else serializers.DecimalField(max_digits=24, decimal_places=2)
            )
        return fields


class TotalsView(APIView):
    """Count, amount, tax and total of a source's invoices per firm: valid, negative, void, and net of the first two."""

    @extend_schema(
        tags=["record-sources"],
        operation_id="record_sources_totals",
        parameters=[
            OpenApiParameter("pk", int, OpenApiParameter.PATH),
            OpenApiParameter("rule", str, enum=["once", "all"], description="Identical rows; the source's by default."),
        ],
        responses=FirmTotalsSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Raises NotFound for no such source, InvalidInput for another rule."""
        actor = actor_in(request)
        if not actor.roles & (INVESTIGATORS | {Role.ACCOUNT_MANAGER}):
            raise PermissionRefused(_("This is not open to your role."))
        source = visible(RecordSource, actor).filter(pk=pk).first()
        if source is None:
            raise NotFound(_("There is no such record."))
        rule = request.query_params.get("rule", "")
        if rule and rule not in RecordSource.IdenticalRows.values:
            raise InvalidInput(fields={"rule": [_("Choose once or all.")]})
        return Response(FirmTotalsSerializer(list(firm_totals(actor, source, rule)), many=True).data)
