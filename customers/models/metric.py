from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from customers.domain.metrics import RollUp

#: What the metrics that ship are called.
NAMES = {
    "electricity_kwh": pgettext_lazy("metric", "Electricity"),
    "water_m3": pgettext_lazy("metric", "Water"),
    "gas_m3": pgettext_lazy("metric", "Gas"),
    "tax_declared": pgettext_lazy("metric", "Sales declared for tax"),
    "tax_paid": pgettext_lazy("metric", "Tax paid"),
    "account_inflow": pgettext_lazy("metric", "Account inflow"),
    "account_outflow": pgettext_lazy("metric", "Account outflow"),
    "headcount": pgettext_lazy("metric", "Insured employees"),
    "wages": pgettext_lazy("metric", "Wages"),
    "chain_orders": pgettext_lazy("metric", "Orders in the chain"),
    "receivables": pgettext_lazy("metric", "Receivables"),
    "shipments": pgettext_lazy("metric", "Shipments"),
    "other_debts": pgettext_lazy("metric", "Other lenders' debts"),
    "lawsuits": pgettext_lazy("metric", "Lawsuits"),
    "penalties": pgettext_lazy("metric", "Penalties"),
    "registry_changes": pgettext_lazy("metric", "Registry changes"),
    "collateral_level": pgettext_lazy("metric", "Collateral level"),
    "running_hours": pgettext_lazy("metric", "Running hours"),
    "heartbeats": pgettext_lazy("metric", "Heartbeats"),
}


class Metric(models.Model):
    """A kind of outside figure: its unit, what values it takes, what files call it. The bank adds its own."""

    class Combines(models.TextChoices):
        SUM = RollUp.SUM.value, _("added up")
        LAST = RollUp.LAST.value, _("the last one")
        MOST = RollUp.MOST.value, _("the largest")
        MEAN = RollUp.MEAN.value, _("the mean")
        COUNT = RollUp.COUNT.value, _("how many")

    code = models.CharField(_("code"), max_length=30, unique=True)
    #: Of the bank's own metrics, as it calls them; empty for those that ship.
    own_name = models.CharField(_("name"), max_length=60, default="")
    unit = models.CharField(_("unit"), max_length=12, default="", blank=True)
    places = models.PositiveSmallIntegerField(_("decimal places"))
    least = models.DecimalField(_("smallest value"), max_digits=18, decimal_places=3, null=True, blank=True)
    most = models.DecimalField(_("largest value"), max_digits=18, decimal_places=3, null=True, blank=True)
    roll_up = models.CharField(_("a month's details are"), max_length=5, choices=Combines.choices)
    words = ArrayField(models.CharField(max_length=40), verbose_name=_("what files call it"), default=list)
    is_active = models.BooleanField(_("in use"), default=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("metric")
        verbose_name_plural = _("metrics")
        ordering = ("id",)
        constraints = [
            models.CheckConstraint(condition=Q(places__lte=3), name="metric_places"),
            models.CheckConstraint(
                condition=Q(least=None) | Q(most=None) | Q(least__lte=models.F("most")), name="metric_range"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        return self.own_name or str(NAMES.get(self.code, self.code))

    @property
    def label(self) -> str:
        """The name with the unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name
