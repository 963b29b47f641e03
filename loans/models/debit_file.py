from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models import PaymentInstruction
from loans.models.loan import Loan


class DebitFile(models.Model):
    """The debits of one day, sent to the core bank together. Its reference is taken by the bank once."""

    class State(models.TextChoices):
        MADE = "made", _("Made")
        SENT = "sent", _("Sent")
        BOOKED = "booked", _("Result booked")

    business_date = models.DateField(_("day"), unique=True)
    reference = models.CharField(_("reference"), max_length=40, unique=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.MADE)
    count = models.PositiveIntegerField(_("debits"), default=0)
    amount = models.DecimalField(_("amount"), max_digits=18, decimal_places=2, default=0)
    made_at = models.DateTimeField(_("made at"), db_default=Now())
    sent_at = models.DateTimeField(_("sent at"), null=True)
    booked_at = models.DateTimeField(_("booked at"), null=True)

    class Meta:
        verbose_name = _("debit file")
        verbose_name_plural = _("debit files")

    def __str__(self) -> str:
        return self.reference


class DebitRow(models.Model):
    """One debit of a file and what became of it."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("No result yet")
        BOOKED = "booked", _("Booked")
        IN_PART = "in_part", _("Booked in part")
        FAILED = "failed", _("Not debited")
        SET_ASIDE = "set_aside", _("Set aside")

    file = models.ForeignKey(DebitFile, models.PROTECT, related_name="rows")
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="debit_rows")
    instruction = models.OneToOneField(PaymentInstruction, models.PROTECT, related_name="debit_row")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN)
    collected_amount = models.DecimalField(_("debited"), max_digits=16, decimal_places=2, default=0)
    reason = models.CharField(_("reason"), max_length=200, default="")

    class Meta:
        verbose_name = _("debit")
        verbose_name_plural = _("debits")
        constraints = [models.UniqueConstraint(fields=["file", "loan"], name="one_debit_of_a_loan_in_a_file")]

    def __str__(self) -> str:
        return f"{self.file_id}/{self.loan_id}"
