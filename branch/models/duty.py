from django.db import models
from django.db.models.functions import Now

from branch.domain.roles import Duty


class FileDuty(models.Model):
    """Who did what on a file. A person has one duty per file; the constraint holds it even against a race."""

    APPEND_ONLY = True

    file_key = models.CharField(max_length=40)
    user_id = models.BigIntegerField()
    duty = models.CharField(max_length=20, choices=[(d.value, d.value) for d in Duty])
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file_key", "user_id"], name="one_duty_per_file")]

    def __str__(self) -> str:
        return f"{self.file_key} {self.user_id} {self.duty}"
