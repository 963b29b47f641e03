from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class OutboxMessage(models.Model):
    """Something others must be told, written in the transaction that made it true."""

    topic = models.CharField(max_length=80)
    payload = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())
    next_attempt_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.TextField(default="")

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(delivered_at=None), name="outbox_waiting")
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"


class OutboxDelivery(models.Model):
    """A consumer has taken a message. Written in the consumer's own transaction, so it happens once."""

    APPEND_ONLY = True

    message = models.ForeignKey(OutboxMessage, models.PROTECT, related_name="deliveries")
    consumer = models.CharField(max_length=80)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "consumer"], name="delivered_once")]

    def __str__(self) -> str:
        return f"{self.message_id} {self.consumer}"


class Notification(models.Model):
    """A line in somebody's bell. `params` fill the text of `kind`; no personal data stands in them."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    kind = models.CharField(max_length=80)
    params = models.JSONField(default=dict)
    url = models.CharField(max_length=200)
    created_at = models.DateTimeField(_("when"), db_default=Now())
    read_at = models.DateTimeField(_("read at"), null=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [models.Index(fields=["user", "-id"], name="notification_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.kind}"
