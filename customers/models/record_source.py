from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Subject
from customers.models.consent import ConsentScope
from customers.models.customer import Customer


class RecordSource(Subject):
    """Where outside facts come from: a tax office's export, a grid company, a bureau; and how its files are read."""

    class IdenticalRows(models.TextChoices):
        ONCE = "once", _("count once")
        ALL = "all", _("count all")

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    identical_rows = models.CharField(
        _("identical rows"), max_length=4, choices=IdenticalRows.choices, default=IdenticalRows.ONCE
    )
    #: How far amount + tax may be from the total before the row is flagged, in yuan.
    total_tolerance = models.DecimalField(
        _("tolerance of totals"), max_digits=6, decimal_places=2, default="0.01", validators=[MinValueValidator(0)]
    )
    #: Layout → field → the heading it had in the last file that was read: {"sales_invoices": {"number": "发票号码"}}.
    mappings = models.JSONField(_("mappings"), default=dict, editable=False)
    #: What a customer must have allowed before the source is asked about them; empty where nothing is asked for.
    consent_scope = models.CharField(
        _("asks for consent to"), max_length=20, choices=ConsentScope.choices, default="", blank=True
    )
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("record source")
        verbose_name_plural = _("record sources")
        constraints = [
            models.CheckConstraint(condition=Q(identical_rows__in=["once", "all"]), name="record_source_identical"),
            models.CheckConstraint(condition=Q(total_tolerance__gte=0), name="record_source_tolerance"),
        ]

    def __str__(self) -> str:
        return self.name


class FirmCode(models.Model):
    """What a source calls one of our customers: its own firm code, a meter, an account; as the source writes it."""

    source = models.ForeignKey(RecordSource, models.PROTECT, related_name="firm_codes")
    code = models.CharField(_("the source's code"), max_length=60)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="firm_codes")

    class Meta:
        verbose_name = _("firm code")
        verbose_name_plural = _("firm codes")
        constraints = [
            models.UniqueConstraint(fields=["source", "code"], name="firm_code_once"),
            models.CheckConstraint(condition=~Q(code=""), name="firm_code_not_empty"),
        ]

    def __str__(self) -> str:
        return self.code
