from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class CustomerMerge(models.Model):
    """Two files found to be one customer's: `merged` is read as part of `kept` until it is undone.

    What was booked stays where it was booked. The rest of the row is what undoing gives back.
    """

    kept = models.ForeignKey(Customer, models.PROTECT, related_name="merges", verbose_name=_("file that stays"))
    merged = models.ForeignKey(Customer, models.PROTECT, related_name="+", verbose_name=_("file merged into it"))
    reason = models.TextField(_("reason"))
    merged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("merged by")
    )
    merged_on = models.DateField(_("merged on"))
    #: Facts the kept file lacked and took over.
    filled = ArrayField(models.CharField(max_length=30), default=list, editable=False)
    #: The code that went over: no two files have the same.
    moved_uscc = models.CharField(max_length=18, default="", editable=False)
    moved_parties = ArrayField(models.BigIntegerField(), default=list, editable=False)
    moved_relations = ArrayField(models.BigIntegerField(), default=list, editable=False)
    #: Files that were merged into the one merged here, and now are into the kept one.
    moved_files = ArrayField(models.BigIntegerField(), default=list, editable=False)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("undone by")
    )
    undone_on = models.DateField(_("undone on"), null=True)

    class Meta:
        verbose_name = _("merge of customers")
        verbose_name_plural = _("merges of customers")
        constraints = [
            models.UniqueConstraint(
                fields=["merged"], condition=Q(undone_on__isnull=True), name="customer_merged_once"
            ),
            models.CheckConstraint(condition=~Q(kept=F("merged")), name="customer_merge_of_two"),
        ]

    def __str__(self) -> str:
        return f"{self.merged_id} → {self.kept_id}"
