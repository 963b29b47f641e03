from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.office import Office


class Attachment(models.Model):
    """A file kept outside the web root under a random name; it belongs to one subject and is read through it."""

    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=40)
    kind = models.CharField(_("kind"), max_length=60)
    title = models.CharField(_("title"), max_length=200)
    media_type = models.CharField(max_length=100)
    size_bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    storage_name = models.CharField(max_length=100, unique=True, editable=False)
    office = models.ForeignKey(Office, models.PROTECT)
    customer_id = models.BigIntegerField(null=True)
    file_key = models.CharField(max_length=40, default="")
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True)
    #: The last day a dated paper holds, such as a licence; none where it has no end or nobody said.
    expires_on = models.DateField(_("expires on"), null=True, blank=True)
    created_at = models.DateTimeField(_("uploaded at"), db_default=Now())
    #: Its bytes and title are gone since; the row stays to say that there was one.
    erased_on = models.DateField(_("erased on"), null=True, editable=False)

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="attachment_subject"),
            models.Index(fields=["customer_id", "kind"], name="attachment_customer"),
        ]

    def __str__(self) -> str:
        return self.title or f"#{self.pk}"
