"""Sources of outside facts, and their files on the way in: mapping, progress, report."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, MoneyField
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from customers.domain.layouts import OF_METRIC, missing
from customers.models import Cluster, ConsentScope, Customer, Invoice, RecordImport, RecordSource
from customers.queries.imports import count_words, findings_of, reason_word
from customers.queries.metrics import layout_of, metric_choices
from customers.queries.visibility import (
    IMPORT_READERS,
    INVESTIGATORS,
    LIST_KEEPERS,
    SOURCE_READERS,
    importable_customers,
)
from customers.services import imports, record_sources

COLUMN_WORDS = {
    "row": _("Row"),
    "firm": _("Firm"),
    "number": _("Invoice number"),
    "invoice_date": _("Invoice date"),
    "counterparty": _("Counterparty"),
    "amount": _("Amount without tax"),
    "tax": _("Tax"),
    "total": _("Total"),
    "status": _("Status"),
    "metric": _("Metric"),
    "period_month": _("Month"),
    "value": _("Value"),
    "name": _("Name"),
    "uscc": _("Unified social credit code"),
    "contact_name": _("Contact person"),
    "phone": _("Phone"),
    "role": _("Role in the cluster"),
    "years_with_anchor": _("Years with the anchor"),
    "annual_trade": _("Yearly trade with the anchor"),
    "annual_sales": _("Yearly sales"),
    "employees": _("Employees"),
    "has_overdue": _("Overdue with the anchor"),
    "left_on": _("Left on"),
    "member": _("Member"),
    "document_kind": _("Order or receivable"),
    "document_number": _("Document number"),
    "document_amount": _("Amount"),
    "open_amount": _("Open amount"),
    "issued_on": _("Issued on"),
    "due_on": _("Due on"),
    "item": _("Meter, device or account"),
    "occurred_on": _("Date"),
    "reference": _("Reference"),
    "inflow": _("Money in"),
    "outflow": _("Money out"),
    "signed_amount": _("Amount; money out with a minus"),
    "text": _("Text"),
    "level": _("Level"),
    "running_hours": _("Running hours"),
    "counter": _("Where the meter stood"),
    "multiplier": _("Multiplier of the meter"),
    "latitude": _("Latitude"),
    "longitude": _("Longitude"),
    "identity_number": _("Resident identity number"),
    "district": _("District"),
    "wanted_amount": _("Amount wanted"),
    "source": _("Source"),
    "note": _("Note"),
    "reason": _("Reason"),
    "listed_on": _("Listed on"),
}


# --- sources


class SourceForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    identical_rows = forms.ChoiceField(
        label=_("Identical rows"),
        choices=RecordSource.IdenticalRows.choices,
        help_text=_("Rows that are the same in every column: one invoice told twice, or as many as there are rows."),
    )
    total_tolerance = MoneyField(
        label=_("Tolerance of totals"),
        min_value=0,
        max_digits=6,
        help_text=_("Amount plus tax may differ from the total by this much, in yuan, before the row is flagged."),
    )
    consent_scope = forms.ChoiceField(
        label=_("Asks for consent to"),
        choices=[("", "—"), *ConsentScope.choices],
        required=False,
        help_text=_("Nobody is asked about a customer who has not allowed it."),
    )


class NewSourceForm(SourceForm):
    code = forms.CharField(label=_("Code"), max_length=40, help_text=_("Small letters, digits, - and _."))
    field_order = ("code", "name", "identical_rows", "total_tolerance")


class ChangeSourceForm(SourceForm):
    is_active = forms.BooleanField(label=_("In use"), required=False)


class FirmsForm(ActionForm):
    source_id = forms.ModelChoiceField(RecordSource.objects.none(), label=_("Source"))
    firms = forms.JSONField(
        label=_("Firms"),
        help_text=_('A list of {"code", "uscc"}: what the source calls a firm, and its unified social credit code.'),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = visible(RecordSource, self.actor).filter(is_active=True)
        self.fields["source_id"].queryset = sources  # type: ignore[attr-defined]


class SourceSerializer(serializers.ModelSerializer):
    class Meta:
        model = RecordSource
        fields = (
            "id", "version", "code", "name", "identical_rows", "total_tolerance", "consent_scope", "mappings",
            "is_active", "office",
        )  # fmt: skip
        read_only_fields = fields


class SourceTable(NounTable):
    name = LinkColumn()
    code = tables.Column()
    identical_rows = tables.Column()
    total_tolerance = NumberColumn()
    is_active = tables.BooleanColumn()

    class Meta(NounTable.Meta):
        model = RecordSource
        fields = ("name", "code", "identical_rows", "total_tolerance", "is_active")


class SourceFilter(FilterSet):
    class Meta:
        model = RecordSource
        fields = ("is_active",)


class MappedSerializer(serializers.Serializer):
    mapped = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected = serializers.ListField(child=serializers.DictField())


SOURCE_NOUN = register(
    Noun(
        name="record_source",
        plural="record-sources",
        model=RecordSource,
        readers=SOURCE_READERS,
        serializer=SourceSerializer,
        table=SourceTable,
        filterset=SourceFilter,
        section="account_for",
        icon="database-import",
        ordering=("name",),
        facts=lambda source, actor: [
            (_("Code"), source.code),
            (_("Identical rows"), source.get_identical_rows_display()),
            (_("Tolerance of totals"), source.total_tolerance),
            (_("Asks for consent to"), source.get_consent_scope_display()),
            (_("Firms it names by its own code"), source.firm_codes.count()),
            (_("In use"), source.is_active),
        ],
        actions=(
            Action(
                "create",
                _("New source"),
                record_sources.create_source,
                form=NewSourceForm,
                on="list",
                bank_wide=True,
                roles=record_sources.KEEPERS,
                tone="primary",
                initial=lambda actor, obj: {"identical_rows": "once", "total_tolerance": "0.01"},
            ),
            Action(
                "update",
                _("Edit"),
                record_sources.update_source,
                form=ChangeSourceForm,
                bank_wide=True,
                roles=record_sources.KEEPERS,
                method="PATCH",
                partial=True,
                initial=lambda actor, source: {name: getattr(source, name) for name in ChangeSourceForm.base_fields},
            ),
            Action(
                "map-firms",
                _("Name firms"),
                record_sources.map_firms,
                form=FirmsForm,
                on="list",
                roles=imports.SENDERS,
                answer=lambda result: result,
                answer_serializer=MappedSerializer,
                answer_template="customers/firms_mapped.html",
            ),
        ),
    )
)


# --- imports

#: Leads come in on their own page, entries of a watchlist on the page of the list.
OUTSIDE_FACTS = [
    choice
    for choice in RecordImport.Layout.choices
    if choice[0] not in (RecordImport.Layout.LEADS, RecordImport.Layout.WATCHLIST)
]


class UploadForm(ActionForm):
    source_id = forms.ModelChoiceField(RecordSource.objects.none(), label=_("Source"))
    layout = forms.ChoiceField(label=_("What it holds"), choices=OUTSIDE_FACTS)
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("CSV (also packed as .gz) or Excel. You see its first rows before anything is taken in."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.gz,.xlsx"}),
    )
    rows = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_("In place of a file: a list of objects, by column; they start at once."),
    )
    customer_id = forms.ModelChoiceField(
        Customer.objects.none(),
        label=_("Customer"),
        required=False,
        help_text=_("Only where every row belongs to one customer and no column says so."),
    )
    mapping = forms.JSONField(
        label=_("Columns"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_('{"number": "发票号码", …}; left out, the headings are recognised.'),
    )
    sha256 = forms.CharField(label=_("SHA-256"), max_length=64, required=False, widget=forms.HiddenInput())
    start = forms.BooleanField(label=_("Start at once"), required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = visible(RecordSource, self.actor).filter(is_active=True)
        self.fields["source_id"].queryset = sources  # type: ignore[attr-defined]
        self.fields["customer_id"].queryset = importable_customers(self.actor).order_by("name")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("file") and not cleaned.get("rows") and not {"file", "rows"} & set(self.errors):
            self.add_error("file", _("Choose a file."))
        return cleaned


def _column_words() -> dict[str, Any]:
    return COLUMN_WORDS | {OF_METRIC.format(code=code): label for code, label in metric_choices()}


def _recognised(actor: Actor, record_import: RecordImport) -> dict[str, str]:
    return {f"column_{name}": heading for name, heading in imports.suggested_for(record_import).items()}


class ColumnsForm(ActionForm):
    """Which heading is which column: as one mapping over the API, as a choice per column on the page."""

    mapping = forms.JSONField(
        label=_("Columns"), required=False, widget=forms.HiddenInput(), help_text=_('{"number": "发票号码", …}')
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.instance, RecordImport):
            return
        headings = [(text, text) for text in dict.fromkeys(self.instance.form.get("headings", [])) if text]
        layout, words = layout_of(self.instance.layout), _column_words()
        for column in layout.columns:
            self.fields[f"column_{column.name}"] = forms.ChoiceField(
                label=words[column.name], choices=[("", "—"), *headings], required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        # Over the API one mapping is sent, and the service says what it lacks.
        if isinstance(self.instance, RecordImport) and any(name.startswith("column_") for name in self.data):
            given, whose = self.values()["mapping"], self.instance.customer_id
            for name in missing(layout_of(self.instance.layout), given, one_customer=whose is not None):
                self.add_error(f"column_{name}", _("Choose the heading of this column."))
        return cleaned

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        given = self.cleaned_data.get("mapping")
        if not isinstance(given, dict) or not given:
            given = {
                name.removeprefix("column_"): value
                for name, value in self.cleaned_data.items()
                if name.startswith("column_") and value
            }
        return {"mapping": given}


class ImportSerializer(serializers.ModelSerializer):
    headings = serializers.SerializerMethodField()
    suggested = serializers.SerializerMethodField(help_text=_("Column → heading, as far as it is recognised."))
    report_url = serializers.SerializerMethodField()

    class Meta:
        model = RecordImport
        fields = (
            "id", "version", "state", "source", "layout", "origin", "customer", "file_name", "size_bytes", "sha256",
            "headings", "suggested", "mapping", "rows_done", "percent_done", "counts", "refusal", "last_error",
            "report_url", "owner", "office", "created_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_headings(self, record_import: RecordImport) -> Any:
        return record_import.form.get("headings", [])

    @extend_schema_field(serializers.DictField(child=serializers.CharField()))
    def get_suggested(self, record_import: RecordImport) -> Any:
        return imports.suggested_for(record_import)

    def get_report_url(self, record_import: RecordImport) -> str:
        return reverse("import-report", args=[record_import.pk])


class ImportTable(NounTable):
    file_name = LinkColumn()
    source = tables.Column()
    layout = tables.Column()
    state = StateColumn()
    rows_done = NumberColumn()
    owner = tables.Column()
    created_at = DateColumn()

    class Meta(NounTable.Meta):
        model = RecordImport
        fields = ("file_name", "source", "layout", "state", "rows_done", "owner", "created_at")


class ImportFilter(FilterSet):
    class Meta:
        model = RecordImport
        fields = ("source", "layout", "state", "origin")


FINDINGS_SHOWN = 50


def _context(record_import: RecordImport, actor: Actor) -> dict[str, Any]:
    waits = record_import.state == "draft"
    initial, words = _recognised(actor, record_import) if waits else {}, _column_words()
    return {
        "preview": imports.preview(record_import) if waits else None,
        "columns_form": ColumnsForm(initial=initial, actor=actor, instance=record_import) if waits else None,
        "counts": count_words(record_import),
        "findings": [(row, reason_word(row), [(words.get(name, name), told) for name, told in row.raw.items() if told])
                     for row in findings_of(record_import)[:FINDINGS_SHOWN]],
        "report_url": reverse("import-report", args=[record_import.pk]),
        "cluster": visible(Cluster, actor).filter(source_id=record_import.source_id).first(),
    }  # fmt: skip


IMPORT_NOUN = register(
    Noun(
        name="record_import",
        plural="record-imports",
        model=RecordImport,
        readers=IMPORT_READERS | imports.SENDERS | LIST_KEEPERS,
        serializer=ImportSerializer,
        table=ImportTable,
        filterset=ImportFilter,
        section="find",
        icon="file-import",
        related=("source", "owner", "customer"),
        template="customers/import.html",
        context=_context,
        open_work=lambda rows, actor: rows.filter(state__in=("draft", "running")),
        actions=(
            Action(
                "create",
                _("Take in a file"),
                imports.receive_import,
                form=UploadForm,
                on="list",
                roles=imports.SENDERS,
                tone="primary",
            ),
            Action(
                "start",
                _("Take the rows in"),
                imports.start_import,
                form=ColumnsForm,
                event="start",
                tone="primary",
                initial=_recognised,
            ),
            Action("discard", _("Discard"), imports.discard_import, event="discard"),
            Action(
                "repeat",
                _("Take in again"),
                imports.repeat_import,
                roles=imports.SENDERS,
                when=lambda record_import: record_import.state in ("done", "refused"),
                confirm=_("The same file goes through once more; what is there already stays as it is."),
            ),
        ),
    )
)


# --- invoices


class InvoiceSerializer(serializers.ModelSerializer):
    class Meta:
        model = Invoice
        fields = (
            "id", "customer", "source", "direction", "number", "invoice_date", "counterparty", "amount", "tax", "total",
            "status", "copies", "is_off_total", "has_twin", "record_import", "line", "superseded_at",
        )  # fmt: skip
        read_only_fields = fields


class InvoiceTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    direction = tables.Column()
    invoice_date = DateColumn()
    counterparty = tables.Column()
    amount = MoneyColumn()
    tax = MoneyColumn()
    total = MoneyColumn()
    status = tables.Column()
    copies = NumberColumn()

    class Meta(NounTable.Meta):
        model = Invoice
        fields = (
            "number", "customer", "direction", "invoice_date", "counterparty", "amount", "tax", "total", "status",
            "copies",
        )  # fmt: skip


class InvoiceFilter(FilterSet):
    class Meta:
        model = Invoice
        fields = {
            "customer": ["exact"],
            "direction": ["exact"],
            "status": ["exact"],
            "has_twin": ["exact"],
            "is_off_total": ["exact"],
            "number": ["exact"],
            "invoice_date": ["gte", "lte"],
        }


register(
    Noun(
        name="invoice",
        plural="invoices",
        model=Invoice,
        readers=INVESTIGATORS | {Role.ACCOUNT_MANAGER},
        serializer=InvoiceSerializer,
        table=InvoiceTable,
        filterset=InvoiceFilter,
        section="find",
        icon="receipt",
        related=("customer", "source", "record_import"),
        ordering=("-invoice_date", "-id"),
        api_ordering=("invoice_date", "id"),
        in_navigation=False,
        facts=lambda invoice, actor: [
            (_("Customer"), invoice.customer),
            (_("Direction"), invoice.get_direction_display()),
            (_("Invoice date"), invoice.invoice_date),
            (_("Counterparty"), invoice.counterparty),
            (_("Amount without tax"), invoice.amount),
            (_("Tax"), invoice.tax),
            (_("Total"), invoice.total),
            (_("Status"), invoice.get_status_display()),
            (_("Identical rows"), invoice.copies),
            (_("Same number, other content"), invoice.has_twin),
            (_("Total is off"), invoice.is_off_total),
            (_("Source"), invoice.source),
            (_("Import and line"), f"{invoice.record_import_id} · {invoice.line}"),
            (_("Received at"), invoice.record_import.started_at),
            (_("Superseded at"), invoice.superseded_at),
        ],
    )
)
