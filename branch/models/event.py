from django.db import models
from django.db.models.functions import Now
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from branch.words import event_word


class Event(models.Model):
    """One thing that happened. Append-only: the application's database role may not change or delete a row.

    The table is partitioned by month of `business_date` (migration 0002), so the key in Postgres is
    (id, business_date); ids alone are unique because they come from one sequence.
    """

    APPEND_ONLY = True

    id = models.BigAutoField(primary_key=True)
    business_date = models.DateField(_("business date"))
    at = models.DateTimeField(_("at"), db_default=Now())
    name = models.CharField(_("event"), max_length=80)
    subject_type = models.CharField(_("kind of thing"), max_length=40)
    subject_id = models.CharField(_("number of the thing"), max_length=40)
    subject_label = models.CharField(_("what"), max_length=120)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(_("who"), max_length=150)
    office_id = models.BigIntegerField(null=True)
    office_path = models.CharField(max_length=200, default="")
    customer_id = models.BigIntegerField(_("number of the customer"), null=True)
    file_key = models.CharField(_("key of the file"), max_length=40, default="")
    before = models.JSONField()
    after = models.JSONField()
    reason = models.TextField(_("reason"), default="")
    request_id = models.CharField(max_length=64, default="")

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("audit trail")
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "-id"], name="event_subject"),
            models.Index(fields=["customer_id", "-id"], name="event_customer"),
            models.Index(fields=["file_key", "-id"], name="event_file"),
            models.Index(fields=["business_date", "id"], name="event_day"),
        ]

    def __str__(self) -> str:
        return f"{capfirst(event_word(self.name))} · {self.subject_label}"


class Seal(models.Model):
    """The digest over a closed day's events, chained to the day before. Append-only.

    The digest covers the whole day; the rows' own digests beside it tell which of them was touched.
    """

    APPEND_ONLY = True

    business_date = models.DateField(primary_key=True)
    event_count = models.BigIntegerField()
    #: Per event, in order of id: the id (8 bytes, signed, big end first) and the SHA-256 of the row.
    row_digests = models.BinaryField(default=b"")
    #: SHA-256 over `row_digests`.
    digest = models.CharField(max_length=64)
    previous_head = models.CharField(max_length=64)
    head = models.CharField(max_length=64)
    sealed_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.business_date} {self.head}"
