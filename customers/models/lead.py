from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain.machines import LEAD
from customers.models.customer import Customer


class Lead(Stateful):
    """Somebody who may want to borrow, before we know them as a customer."""

    MACHINE = LEAD
    PERSONAL = frozenset({"contact_name", "phone"})

    class Source(models.TextChoices):
        VISIT = "visit", _("Door-to-door visit")
        REFERRAL = "referral", _("Referral")
        WALK_IN = "walk_in", _("Walk-in")
        ONLINE = "online", _("Online")
        EXISTING = "existing", _("Existing customer")

    state = state_field(LEAD)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="leads", verbose_name=_("account manager")
    )
    name = models.CharField(_("firm or trade name"), max_length=120)
    contact_name = models.CharField(_("contact person"), max_length=60)
    phone = EncryptedText(_("phone"), default="")
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    wanted_amount = models.DecimalField(_("amount wanted"), max_digits=16, decimal_places=2, null=True, blank=True)
    note = models.TextField(_("note"), default="", blank=True)
    next_action_date = models.DateField(_("next action on"), null=True, blank=True)
    lost_reason = models.CharField(_("reason for loss"), max_length=200, default="", blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="leads")

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            state_is_known(LEAD),
            models.CheckConstraint(
                condition=models.Q(wanted_amount__isnull=True) | models.Q(wanted_amount__gt=0),
                name="lead_amount_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.name
