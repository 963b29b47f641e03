from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain.machines import RECORD_IMPORT
from customers.models.customer import Customer
from customers.models.record_source import RecordSource


class RecordImport(Stateful):
    """One file (or batch) of outside facts on its way into the tables, and what became of its rows."""

    MACHINE = RECORD_IMPORT
    #: People name files after people; where the bytes lie is nobody's business.
    PERSONAL = frozenset({"file_name", "storage_name"})

    class Layout(models.TextChoices):
        SALES_INVOICES = "sales_invoices", _("VAT invoices issued (sales)")
        PURCHASE_INVOICES = "purchase_invoices", _("VAT invoices received (purchases)")
        LEADS = "leads", _("leads")
        WATCHLIST = "watchlist", _("entries of a watchlist")
        READINGS = "readings", _("monthly figures: meters, tax, accounts, headcount")
        CLUSTER_MEMBERS = "cluster_members", _("members of a cluster")
        CHAIN_DOCUMENTS = "chain_documents", _("orders and receivables of a cluster")
        MONTHS = "months", _("monthly figures, a column for each metric")
        ACCOUNT_FLOWS = "account_flows", _("account flows with counterparty")
        METERS = "meters", _("meters: what was used, or where they stand")
        TELEMETRY = "telemetry", _("telemetry of collateral")
        NOTICES = "notices", _("lawsuits, penalties, registry changes and other notices")

    class Origin(models.TextChoices):
        UPLOAD = "upload", _("upload")
        API = "api", _("API")
        PULL = "pull", _("pull")

    state = state_field(RECORD_IMPORT)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("sent by")
    )
    source = models.ForeignKey(RecordSource, models.PROTECT, related_name="imports", verbose_name=_("record source"))
    #: Whose rows these are where the file doesn't say it.
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+", verbose_name=_("customer"))
    layout = models.CharField(_("what it holds"), max_length=30, choices=Layout.choices)
    origin = models.CharField(_("way in"), max_length=10, choices=Origin.choices, default=Origin.UPLOAD)
    file_name = models.CharField(_("file"), max_length=200)
    storage_name = models.CharField(max_length=64, editable=False)
    size_bytes = models.BigIntegerField(_("bytes"))
    sha256 = models.CharField(max_length=64)
    #: How the file is read: {"kind": "csv", "encoding": "utf-8", "delimiter": ",", "header_row": 1, "headings": […]}.
    form = models.JSONField(default=dict, editable=False)
    #: Field → heading, as the sender settled it.
    mapping = models.JSONField(_("columns"), default=dict, editable=False)
    #: What else the sender settled: of leads, {"source": …, "by_load": …}.
    options = models.JSONField(default=dict, editable=False)
    #: Rows read and merged so far; a worker that takes over skips them.
    rows_done = models.BigIntegerField(_("rows"), default=0)
    chunks_done = models.PositiveIntegerField(default=0)
    #: Share of the file that has been read, in percent.
    percent_done = models.PositiveSmallIntegerField(default=0)
    #: Rows by what became of them: {"accepted": …, "unchanged": …, "rejected": …, "identical": …, …}.
    counts = models.JSONField(_("outcome"), default=dict, editable=False)
    refusal = models.TextField(_("why it was refused"), default="")
    last_error = models.TextField(default="", editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(_("started at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = [state_is_known(RECORD_IMPORT)]
        indexes = [models.Index(fields=["state"], condition=models.Q(state="running"), name="import_running")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def subject_label(self) -> str:
        return f"{self.source_id}/{self.layout}/{self.pk}"

    @property
    def subject_customer_id(self) -> Any:
        return self.customer_id


class ImportFinding(models.Model):
    """What was found about one row of an import: it was rejected, flagged, or something was noted."""

    class Weight(models.TextChoices):
        REJECTED = "rejected", _("rejected")
        FLAGGED = "flagged", _("flagged")
        NOTED = "noted", _("noted")

    record_import = models.ForeignKey(RecordImport, models.CASCADE, related_name="findings", db_constraint=False)
    line = models.BigIntegerField(_("line"))
    field = models.CharField(_("field"), max_length=30)
    weight = models.CharField(_("outcome"), max_length=10, choices=Weight.choices)
    #: customers.domain.layouts.FINDINGS says what it means.
    code = models.CharField(_("reason"), max_length=30)
    raw = models.JSONField(_("as sent"), default=dict)

    class Meta:
        verbose_name = _("finding")
        verbose_name_plural = _("findings")
        indexes = [models.Index(fields=["record_import", "line"], name="finding_of_import")]

    def __str__(self) -> str:
        return f"{self.record_import_id}:{self.line} {self.code}"


class TouchedMonth(models.Model):
    """A customer's month an import wrote to, whose derived facts are still to be worked out."""

    record_import = models.ForeignKey(RecordImport, models.CASCADE, related_name="touched", db_constraint=False)
    customer_id = models.BigIntegerField()
    month = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["record_import", "customer_id", "month"], name="touched_month_once")
        ]

    def __str__(self) -> str:
        return f"{self.record_import_id} {self.customer_id} {self.month:%Y-%m}"
