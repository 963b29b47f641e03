from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from loans.models import Loan
from loans.models.loan import AssetClass


class SweepRun(models.Model):
    """The close of one business day: its steps, each cut into shards."""

    class State(models.TextChoices):
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    business_date = models.DateField(_("business date"), unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    started_by_id = models.BigIntegerField(null=True)
    started_by_name = models.CharField(max_length=150)
    request_id = models.CharField(max_length=64, default="")
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("close of day")
        verbose_name_plural = _("closes of day")

    def __str__(self) -> str:
        return self.business_date.isoformat()


class SweepShard(models.Model):
    """One step on one part of the portfolio. Claimed by conditional update; done in one transaction with its rows."""

    class State(models.TextChoices):
        PENDING = "pending", _("Pending")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")

    run = models.ForeignKey(SweepRun, models.PROTECT, related_name="shards")
    step_order = models.PositiveSmallIntegerField()
    step = models.CharField(_("step"), max_length=40)
    shard = models.PositiveSmallIntegerField(_("part"))
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    claim = models.CharField(max_length=36, default="")
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    row_count = models.BigIntegerField(_("rows"), null=True)
    digest = models.CharField(max_length=64, default="")
    #: Rows set aside with their reason: [{"id": …, "reason": …}]
    set_aside = models.JSONField(default=list)
    last_error = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "step", "shard"], name="shard_once")]
        ordering = ["run", "step_order", "shard"]

    def __str__(self) -> str:
        return f"{self.run} {self.step}/{self.shard}"


class LoanDay(models.Model):
    """How a loan stood at the end of a day: days past due, class and the rule that fired. Append-only."""

    APPEND_ONLY = True

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="days")
    customer_id = models.BigIntegerField()
    date = models.DateField()
    outstanding_principal = models.DecimalField(max_digits=16, decimal_places=2)
    overdue_amount = models.DecimalField(max_digits=16, decimal_places=2)
    days_past_due = models.PositiveIntegerField()
    asset_class = models.CharField(_("class"), max_length=20, choices=AssetClass.choices)
    class_rule = models.CharField(max_length=40)
    provision = models.DecimalField(max_digits=16, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loan", "date"], name="one_loan_day")]

    def __str__(self) -> str:
        return f"{self.loan_id} {self.date}"
