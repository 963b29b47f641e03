from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from customers.models.customer import Customer


class CustomerLook(models.Model):
    """Somebody opened a customer's page or read it over the API: once per person and business day. Append-only."""

    APPEND_ONLY = True

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="looks", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    date = models.DateField(_("business date"))

    class Meta:
        verbose_name = _("look")
        verbose_name_plural = _("looks")
        constraints = [models.UniqueConstraint(fields=["customer", "date", "user"], name="look_once")]

    def __str__(self) -> str:
        return f"{self.customer_id} {self.date}"
