from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class ExternalRecord(models.Model):
    """One outside figure of a customer for a month. A re-sent figure supersedes the former, which is kept."""

    class Metric(models.TextChoices):
        ELECTRICITY_KWH = "electricity_kwh", _("Electricity (kWh)")
        WATER_M3 = "water_m3", _("Water (m³)")
        TAX_DECLARED = "tax_declared", _("Sales declared for tax (CNY)")
        TAX_PAID = "tax_paid", _("Tax paid (CNY)")
        ACCOUNT_INFLOW = "account_inflow", _("Account inflow (CNY)")
        ACCOUNT_OUTFLOW = "account_outflow", _("Account outflow (CNY)")
        HEADCOUNT = "headcount", _("Insured employees")

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="external_records")
    metric = models.CharField(_("metric"), max_length=30, choices=Metric.choices)
    source = models.CharField(_("source"), max_length=60)
    period_month = models.DateField(_("month"))
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=3)
    received_at = models.DateTimeField(_("received at"), db_default=Now())
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("external record")
        verbose_name_plural = _("external records")
        constraints = [
            models.UniqueConstraint(
                fields=["customer", "metric", "source", "period_month"],
                condition=Q(superseded_at__isnull=True),
                name="external_record_current",
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="external_record_not_negative"),
            models.CheckConstraint(condition=Q(period_month__day=1), name="external_record_month"),
        ]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.metric} {self.period_month:%Y-%m}"
