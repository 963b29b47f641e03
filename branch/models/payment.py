from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.fields import EncryptedText


class PaymentInstruction(models.Model):
    """One order to the core bank. `reference` is what makes it happen once, whatever is repeated."""

    class Kind(models.TextChoices):
        PAYOUT = "payout", _("Payout")
        COLLECTION = "collection", pgettext_lazy("payment", "Collection")

    class State(models.TextChoices):
        CREATED = "created", _("Created")
        SENT = "sent", _("Sent")
        UNKNOWN = "unknown", _("No answer yet")
        SUCCEEDED = "succeeded", _("Succeeded")
        FAILED = "failed", _("Failed")

    reference = models.CharField(_("reference"), max_length=40, unique=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=12, choices=State.choices, default=State.CREATED)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    account = EncryptedText()
    account_name = models.CharField(max_length=120)
    memo = models.CharField(max_length=140, default="")
    #: The file it goes out with; sent and asked about by itself where empty.
    batch = models.CharField(max_length=40, default="")
    customer_id = models.BigIntegerField()
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    failure_code = models.CharField(max_length=40, default="")
    failure_reason = models.CharField(max_length=200, default="")
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="payment_amount_positive")]
        indexes = [
            models.Index(
                fields=["state", "created_at"],
                condition=Q(state__in=["created", "sent", "unknown"]),
                name="payment_open",
            )
        ]

    def __str__(self) -> str:
        return self.reference
