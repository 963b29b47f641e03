from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models.record_import import RecordImport
from customers.models.record_source import RecordSource

AMOUNT: dict[str, Any] = {"max_digits": 16, "decimal_places": 2}


class Invoice(models.Model):
    """A VAT invoice a customer issued (sale) or received (purchase), as a source told it. Amounts in yuan.

    Partitioned by month of its date. A row sent again is the same row; one of the same number with other content is
    another row. Nothing is overwritten: what a later file replaced has `superseded_at`.
    """

    class Direction(models.TextChoices):
        SALE = "sale", _("sale")
        PURCHASE = "purchase", _("purchase")

    class Status(models.TextChoices):
        VALID = "valid", _("valid")
        VOID = "void", _("void")

    # No foreign keys in the database: each costs a look-up per row, and the merge takes them from these tables.
    customer = models.ForeignKey(
        "customers.Customer", models.PROTECT, related_name="invoices", db_constraint=False, db_index=False
    )
    source = models.ForeignKey(RecordSource, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    direction = models.CharField(_("direction"), max_length=8, choices=Direction.choices)
    number = models.CharField(_("invoice number"), max_length=40)
    invoice_date = models.DateField(_("invoice date"))
    counterparty = models.CharField(_("counterparty"), max_length=120)
    amount = models.DecimalField(_("amount without tax"), **AMOUNT)
    tax = models.DecimalField(_("tax"), **AMOUNT)
    total = models.DecimalField(_("total"), **AMOUNT)
    status = models.CharField(_("status"), max_length=5, choices=Status.choices)
    #: A hash over everything above but customer and date: with those two, what makes two rows the same row.
    content = models.BigIntegerField(editable=False)
    #: Most identical rows in one import; how many count is for the source's setting to say.
    copies = models.IntegerField(_("identical rows"), default=1)
    is_off_total = models.BooleanField(_("total is off"), default=False)
    has_twin = models.BooleanField(_("same number, other content"), default=False)
    #: The import that first brought it, and where it stood there.
    record_import = models.ForeignKey(
        RecordImport, models.PROTECT, related_name="+", db_constraint=False, db_index=False, verbose_name=_("import")
    )
    line = models.BigIntegerField(_("line"))
    #: The import that last brought it, and how often.
    seen_import_id = models.BigIntegerField(editable=False)
    seen_copies = models.IntegerField(editable=False)
    superseded_at = models.DateTimeField(_("superseded at"), null=True)

    class Meta:
        verbose_name = _("VAT invoice")
        verbose_name_plural = _("VAT invoices")
        constraints = [
            models.UniqueConstraint(fields=["customer", "invoice_date", "content"], name="invoice_once"),
            models.CheckConstraint(condition=Q(copies__gt=0), name="invoice_copies"),
        ]

    def __str__(self) -> str:
        return self.number


class InvoiceMonth(models.Model):
    """What the invoices of one source say of a customer's month. Derived: worked out anew after each import.

    Voids are left out, red invoices subtract. Shares and growth are fractions; None for nothing to divide by.
    """

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="invoice_months", db_constraint=False, db_index=False
    )
    source = models.ForeignKey(RecordSource, models.CASCADE, related_name="+", db_constraint=False, db_index=False)
    month = models.DateField(_("month"))
    sales = models.DecimalField(_("sales"), **AMOUNT)
    sales_tax = models.DecimalField(_("tax on sales"), **AMOUNT)
    purchases = models.DecimalField(_("purchases"), **AMOUNT)
    purchases_tax = models.DecimalField(_("tax on purchases"), **AMOUNT)
    margin = models.DecimalField(_("margin"), max_digits=14, decimal_places=4, null=True)
    sales_count = models.PositiveIntegerField(_("sales invoices"))
    purchases_count = models.PositiveIntegerField(_("purchase invoices"))
    #: Of all sales invoices, by number; of valid positive sales, by amount.
    void_share = models.DecimalField(_("share of voids"), max_digits=5, decimal_places=4, null=True)
    negative_share = models.DecimalField(_("share of red invoices"), max_digits=14, decimal_places=4, null=True)
    customers_count = models.PositiveIntegerField(_("customers sold to"))
    customers_top1 = models.DecimalField(_("largest customer"), max_digits=5, decimal_places=4, null=True)
    customers_top5 = models.DecimalField(_("five largest customers"), max_digits=5, decimal_places=4, null=True)
    customers_hhi = models.DecimalField(_("concentration of customers"), max_digits=5, decimal_places=4, null=True)
    suppliers_count = models.PositiveIntegerField(_("suppliers bought from"))
    suppliers_top1 = models.DecimalField(_("largest supplier"), max_digits=5, decimal_places=4, null=True)
    suppliers_top5 = models.DecimalField(_("five largest suppliers"), max_digits=5, decimal_places=4, null=True)
    suppliers_hhi = models.DecimalField(_("concentration of suppliers"), max_digits=5, decimal_places=4, null=True)
    last_invoice_date = models.DateField(_("last invoice"), null=True)
    # Over the twelve months up to this one, filled by a second pass.
    year_sales = models.DecimalField(_("sales of twelve months"), **AMOUNT, default=0)
    months_active = models.PositiveSmallIntegerField(_("months with sales"), default=0)
    #: Sales of the twelve months over those of the twelve before, less one.
    growth = models.DecimalField(_("growth"), max_digits=14, decimal_places=4, null=True)
    #: The month's sales over the average month of the twelve.
    seasonality = models.DecimalField(_("against the average month"), max_digits=14, decimal_places=4, null=True)
    refreshed_at = models.DateTimeField(_("worked out at"))

    class Meta:
        verbose_name = _("invoice month")
        verbose_name_plural = _("invoice months")
        constraints = [models.UniqueConstraint(fields=["customer", "source", "month"], name="invoice_month_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.month:%Y-%m}"
