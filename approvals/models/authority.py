from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from branch.domain.money import format_money
from branch.models import Office
from loans.models.product import GuaranteeMode, Product


class Authority(models.Model):
    """Up to what amount a person may decide, by product family and guarantee; empty means any."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="authorities")
    office = models.ForeignKey(Office, models.PROTECT, related_name="+")
    family = models.CharField(
        _("product family"), max_length=20, choices=Product.Family.choices, default="", blank=True
    )
    guarantee_mode = models.CharField(
        _("guarantee"), max_length=20, choices=GuaranteeMode.choices, default="", blank=True
    )
    worst_grade = models.CharField(_("worst risk grade"), max_length=2, default="", blank=True)
    limit_amount = models.DecimalField(_("limit"), max_digits=16, decimal_places=2)
    effective_date = models.DateField(_("effective from"))
    end_date = models.DateField(_("until"), null=True, blank=True)
    #: Taken back on this day; from then on it allows nothing, whatever its dates.
    ended_on = models.DateField(_("taken back on"), null=True, editable=False)
    granted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("authority")
        verbose_name_plural = _("authorities")
        constraints = [models.CheckConstraint(condition=models.Q(limit_amount__gte=0), name="authority_not_negative")]

    def __str__(self) -> str:
        return f"{self.user} · {format_money(self.limit_amount)}"
