from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer
from customers.models.metric import Metric
from customers.models.record_import import RecordImport
from customers.models.record_source import RecordSource


class ExternalRecord(models.Model):
    """One outside figure of a customer for a month. A re-sent figure supersedes the former, which is kept.

    Partitioned by month. Metric and source stand by their codes; no foreign keys in the database, as for invoices.
    """

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="external_records")
    metric = models.ForeignKey(
        Metric, models.PROTECT, to_field="code", db_column="metric", related_name="+", db_constraint=False,
        db_index=False, verbose_name=_("metric"),
    )  # fmt: skip
    source = models.ForeignKey(
        RecordSource, models.PROTECT, to_field="code", db_column="source", related_name="+", db_constraint=False,
        db_index=False, verbose_name=_("record source"),
    )  # fmt: skip
    period_month = models.DateField(_("month"))
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=3)
    #: The import that brought it, and where it stood there; neither where a client or a page sent it by itself.
    record_import = models.ForeignKey(
        RecordImport, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False,
        verbose_name=_("import"),
    )  # fmt: skip
    line = models.BigIntegerField(_("line"), null=True)
    received_at = models.DateTimeField(_("received at"), db_default=Now())
    superseded_at = models.DateTimeField(_("superseded at"), null=True)

    class Meta:
        verbose_name = _("external record")
        verbose_name_plural = _("external records")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "metric", "source", "period_month"],
                condition=Q(superseded_at__isnull=True),
                name="external_record_current",
            ),
            models.CheckConstraint(condition=Q(period_month__day=1), name="external_record_month"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.metric_id} {self.period_month:%Y-%m}"


class RecordDetail(models.Model):
    """What a month's figures are made of: an account's flow, a meter's use, what a device told, a court's notice.

    Partitioned by month of its date. Nothing is overwritten: what was told anew has `superseded_at`.
    """

    customer = models.ForeignKey(
        Customer, models.PROTECT, related_name="record_details", db_constraint=False, db_index=False
    )
    source = models.ForeignKey(
        RecordSource, models.PROTECT, related_name="+", db_constraint=False, db_index=False,
        verbose_name=_("record source"),
    )  # fmt: skip
    metric = models.ForeignKey(
        Metric, models.PROTECT, to_field="code", db_column="metric", related_name="+", db_constraint=False,
        db_index=False, verbose_name=_("metric"),
    )  # fmt: skip
    #: The meter, device or account; of an account only its last four digits.
    item = models.CharField(_("meter, device or account"), max_length=60)
    occurred_on = models.DateField(_("date"))
    #: The time of day, where the source tells it.
    occurred_at = models.TimeField(_("time"), null=True)
    reference = models.CharField(_("reference"), max_length=60)
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=3)
    #: The value is where a meter stood; what was used is the difference to its reading before.
    is_counter = models.BooleanField(_("meter reading"), db_default=False)
    counterparty = models.CharField(_("counterparty"), max_length=120)
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    text = models.CharField(_("text"), max_length=200)
    #: A hash of what makes two rows tell of the same thing: source, metric, item, time and reference.
    fact = models.BigIntegerField(editable=False)
    record_import = models.ForeignKey(
        RecordImport, models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name=_("import")
    )
    line = models.BigIntegerField(_("line"))
    received_at = models.DateTimeField(_("received at"), db_default=Now())
    superseded_at = models.DateTimeField(_("superseded at"), null=True)

    class Meta:
        verbose_name = _("record detail")
        verbose_name_plural = _("record details")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "occurred_on", "fact"],
                condition=Q(superseded_at__isnull=True),
                name="record_detail_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.metric_id} {self.occurred_on}"
