"""Outside figures: a list to look into, and the door through which client systems send them."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter, ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable, NumberColumn
from customers.domain.records import Outcome
from customers.models import ExternalRecord, RecordDetail
from customers.queries.metrics import metric_choices
from customers.queries.visibility import INVESTIGATORS
from customers.services import records
from customers.services.record_files import content_of, read_rows


class RowsForm(ActionForm):
    """Rows as JSON, or a spreadsheet with the same columns."""

    file = forms.FileField(
        label=_("Spreadsheet"),
        required=False,
        help_text=_("CSV or Excel; columns metric, source, month (2026-03) and value."),
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
    records = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_('A list of {"metric", "source", "period_month", "value"}.'),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.pop("file", None)
        if upload is not None:
            try:
                cleaned["records"] = read_rows(content_of(upload))
            except InvalidInput as refusal:
                for message in refusal.fields["file"]:
                    self.add_error("file", message)
        elif not cleaned.get("records") and "records" not in self.errors:
            self.add_error("file", _("Choose a file."))
        return cleaned

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        return {name: value for name, value in super().values(only).items() if name != "file"}


class PushForm(RowsForm):
    uscc = forms.CharField(label=_("Unified social credit code"), max_length=30)
    field_order = ("uscc", "file", "records")


class RowReportSerializer(serializers.Serializer):
    row = serializers.IntegerField(help_text=_("Place in what was sent, from 0."))
    outcome = serializers.ChoiceField(choices=[outcome.value for outcome in Outcome])
    reason = serializers.CharField(allow_blank=True)


class ReceiptSerializer(serializers.Serializer):
    customer = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField())
    rows = RowReportSerializer(many=True)


def receipt_body(receipt: records.Receipt) -> dict[str, Any]:
    return {
        "customer": receipt.customer_id,
        "counts": receipt.counts,
        "rows": [{"row": r.row, "outcome": r.outcome.value, "reason": r.reason} for r in receipt.rows],
    }


class RecordSerializer(serializers.ModelSerializer):
    class Meta:
        model = ExternalRecord
        fields = (
            "id", "customer", "metric", "source", "period_month", "value", "record_import", "line", "received_at",
            "superseded_at",
        )  # fmt: skip
        read_only_fields = fields


class RecordTable(NounTable):
    customer = LinkColumn(linkify=False)
    metric = tables.Column(accessor="metric__label")
    period_month = DateColumn()
    value = NumberColumn()
    source = tables.Column()
    received_at = DateColumn()
    superseded_at = DateColumn()

    class Meta(NounTable.Meta):
        model = ExternalRecord
        fields = ("customer", "metric", "period_month", "value", "source", "received_at", "superseded_at")


class RecordFilter(FilterSet):
    metric = ChoiceFilter(choices=metric_choices, label=_("Metric"))
    source = CharFilter(label=_("Source"), help_text=_("Its code."))

    class Meta:
        model = ExternalRecord
        fields = {"customer": ["exact"], "period_month": ["gte", "lte"]}


def _came_with(row: ExternalRecord | RecordDetail) -> str:
    return f"{row.record_import_id} · {row.line or '—'}" if row.record_import_id else ""


RECORD_NOUN = register(
    Noun(
        name="external_record",
        plural="external-records",
        model=ExternalRecord,
        readers=INVESTIGATORS | {Role.ACCOUNT_MANAGER},
        serializer=RecordSerializer,
        table=RecordTable,
        filterset=RecordFilter,
        section="find",
        icon="bolt",
        api_ordering=("id", "period_month"),
        related=("customer", "metric", "source"),
        in_navigation=False,
        facts=lambda record, actor: [
            (_("Customer"), record.customer),
            (_("Metric"), record.metric.label),
            (_("Month"), record.period_month),
            (_("Value"), record.value),
            (_("Source"), record.source),
            (_("Import and line"), _came_with(record)),
            (_("Received at"), record.received_at),
            (_("Superseded at"), record.superseded_at),
        ],
        actions=(
            Action(
                "create",
                _("Send in figures"),
                records.push_records,
                form=PushForm,
                on="list",
                roles=records.SENDERS,
                answer=receipt_body,
                answer_serializer=ReceiptSerializer,
                answer_template="customers/receipt.html",
            ),
        ),
    )
)


# --- details


class DetailSerializer(serializers.ModelSerializer):
    class Meta:
        model = RecordDetail
        fields = (
            "id", "customer", "source", "metric", "item", "occurred_on", "occurred_at", "reference", "value",
            "is_counter", "counterparty", "latitude", "longitude", "text", "record_import", "line", "received_at",
            "superseded_at",
        )  # fmt: skip
        read_only_fields = fields


class DetailTable(NounTable):
    occurred_on = LinkColumn()
    customer = tables.Column()
    metric = tables.Column(accessor="metric__label")
    item = tables.Column()
    value = NumberColumn()
    counterparty = tables.Column()
    text = tables.Column()
    source = tables.Column()
    superseded_at = DateColumn()

    class Meta(NounTable.Meta):
        model = RecordDetail
        fields = (
            "occurred_on", "customer", "metric", "item", "value", "counterparty", "text", "source", "superseded_at",
        )  # fmt: skip

    def render_metric(self, value: str, record: RecordDetail) -> str:
        return f"{value} · {_('meter reading')}" if record.is_counter else value


class DetailFilter(FilterSet):
    metric = ChoiceFilter(choices=metric_choices, label=_("Metric"))
    counterparty = CharFilter(lookup_expr="icontains", label=_("Counterparty"))

    class Meta:
        model = RecordDetail
        fields = {"customer": ["exact"], "source": ["exact"], "item": ["exact"], "occurred_on": ["gte", "lte"]}


register(
    Noun(
        name="record_detail",
        plural="record-details",
        model=RecordDetail,
        readers=INVESTIGATORS | {Role.ACCOUNT_MANAGER},
        serializer=DetailSerializer,
        table=DetailTable,
        filterset=DetailFilter,
        section="find",
        icon="list-details",
        api_ordering=("id", "occurred_on"),
        ordering=("-occurred_on", "-id"),
        related=("customer", "metric", "source"),
        in_navigation=False,
        facts=lambda detail, actor: [
            (_("Customer"), detail.customer),
            (_("Metric"), detail.metric.label),
            (_("Meter, device or account"), detail.item),
            (_("Date"), detail.occurred_on),
            (_("Time"), f"{detail.occurred_at:%H:%M}" if detail.occurred_at else ""),
            (_("Reference"), detail.reference),
            (_("Where the meter stood") if detail.is_counter else _("Value"), detail.value),
            (_("Counterparty"), detail.counterparty),
            (_("Place"), f"{detail.latitude}, {detail.longitude}" if detail.latitude is not None else ""),
            (_("Text"), detail.text),
            (_("Source"), detail.source),
            (_("Import and line"), _came_with(detail)),
            (_("Received at"), detail.received_at),
            (_("Superseded at"), detail.superseded_at),
        ],
    )
)
