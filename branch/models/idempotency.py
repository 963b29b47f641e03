from django.db import models
from django.db.models.functions import Now

from branch.fields import EncryptedText


class IdempotentAnswer(models.Model):
    """The answer given to a POST that carried an Idempotency-Key; kept encrypted, as it may hold a token."""

    caller = models.CharField(max_length=170)
    route = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    body = EncryptedText(default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.caller} {self.key}"
