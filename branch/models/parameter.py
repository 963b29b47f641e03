from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class ParameterValue(models.Model):
    """A parameter's value from a date on. Append-only: the newest row not after a date is in force."""

    APPEND_ONLY = True

    code = models.CharField(_("parameter"), max_length=60)
    value = models.JSONField(_("value"))
    effective_date = models.DateField(_("effective from"))
    set_by_id = models.BigIntegerField(null=True)
    set_by_name = models.CharField(_("set by"), max_length=150, default="")
    reason = models.TextField(_("reason"), default="")
    set_at = models.DateTimeField(_("set at"), db_default=Now())

    class Meta:
        verbose_name = _("parameter")
        verbose_name_plural = _("parameters")
        indexes = [models.Index(fields=["code", "-effective_date", "-id"], name="parameter_in_force")]

    def __str__(self) -> str:
        return f"{self.code} = {self.value}"
