from django.db import models
from django.utils.translation import gettext_lazy as _

from loans.models import Loan
from postloan.models.warning import Level


class IndicatorReading(models.Model):
    """An indicator past a threshold on a day, with what it rests on. Append-only; below it none is kept."""

    APPEND_ONLY = True

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="readings")
    customer_id = models.BigIntegerField()
    date = models.DateField(_("day"))
    indicator = models.CharField(_("indicator"), max_length=40)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=4)
    threshold = models.DecimalField(_("threshold"), max_digits=18, decimal_places=4)
    threshold_version = models.CharField(_("rule version"), max_length=60)
    #: {"inputs": {…}, "formula": "…"}
    evidence = models.JSONField(_("evidence"))

    class Meta:
        constraints = [models.UniqueConstraint(fields=["date", "loan", "indicator"], name="one_reading_a_day")]

    def __str__(self) -> str:
        return f"{self.indicator} {self.loan_id} {self.date}"
