from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain.machines import ERASURE_REQUEST
from customers.models.about import AboutOne, is_about_one
from customers.models.customer import Customer
from customers.models.lead import Lead


class ErasureRequest(AboutOne, Stateful):
    """Somebody wants the data of a customer or lead erased; another person erases it, or a law forbids it for now."""

    MACHINE = ERASURE_REQUEST
    PERSONAL = frozenset({"note"})

    class Channel(models.TextChoices):
        COUNTER = "counter", _("at the counter")
        PHONE = "phone", _("by phone")
        LETTER = "letter", _("by letter")
        ONLINE = "online", _("online")
        BANK = "bank", _("the bank itself: its time is over")

    state = state_field(ERASURE_REQUEST)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="erasure_requests", verbose_name=_("customer")
    )
    lead = models.ForeignKey(Lead, models.PROTECT, null=True, related_name="erasure_requests", verbose_name=_("lead"))
    asked_on = models.DateField(_("asked on"))
    channel = models.CharField(_("how it was asked"), max_length=10, choices=Channel.choices)
    note = models.CharField(_("note"), max_length=500, default="", blank=True)
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    #: What forbade it when it was asked for: [{"code", "facts", "until"}] of customers.domain.retention.Obstacle.
    obstacles = models.JSONField(_("what forbids it"), default=list)
    #: The day from which nothing but a person's dealing can forbid it; None where that can't be said yet.
    erasable_from = models.DateField(_("can be erased from"), null=True)
    settled_on = models.DateField(_("settled on"), null=True)

    class Meta:
        verbose_name = _("request for erasure")
        verbose_name_plural = _("requests for erasure")
        constraints = [
            state_is_known(ERASURE_REQUEST),
            is_about_one("erasure_request_one_subject"),
            models.UniqueConstraint(
                fields=["customer"], condition=Q(state="open"), name="erasure_request_customer_once"
            ),
            models.UniqueConstraint(fields=["lead"], condition=Q(state="open"), name="erasure_request_lead_once"),
        ]

    def __str__(self) -> str:
        return str(self.subject)

    @property
    def is_of_person(self) -> bool:
        """The person asked, not the bank: its own policies no longer keep the data."""
        return self.channel != self.Channel.BANK


class RetentionRun(models.Model):
    """One night of erasing what is over. The row coordinates: how far it came, in the transaction that got there."""

    business_date = models.DateField(_("business date"), unique=True)
    stage = models.CharField(max_length=10, default="lead", editable=False)
    after_id = models.BigIntegerField(default=0, editable=False)
    lead_count = models.PositiveIntegerField(_("leads erased"), default=0)
    customer_count = models.PositiveIntegerField(_("customers erased"), default=0)
    restricted_count = models.PositiveIntegerField(_("kept and not used"), default=0)
    file_count = models.PositiveIntegerField(_("files of lists removed"), default=0)
    answer_count = models.PositiveIntegerField(_("answers kept for repeats removed"), default=0)
    #: Whose time is over and who can't be erased: [{"kind", "id", "reason"}], the codes of the obstacles.
    set_aside = models.JSONField(_("set aside"), default=list)
    set_aside_count = models.PositiveIntegerField(_("number set aside"), default=0)
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("night of erasure")
        verbose_name_plural = _("nights of erasure")

    def __str__(self) -> str:
        return self.business_date.isoformat()
