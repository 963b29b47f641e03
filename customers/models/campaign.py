from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, Subject, state_field, state_is_known
from customers.domain.machines import CAMPAIGN
from customers.models.customer import Customer


class Campaign(Stateful):
    """One effort to win customers: whom it is for, what it may cost, what came of it. Amounts in yuan."""

    MACHINE = CAMPAIGN

    class Kind(models.TextChoices):
        PRODUCT_LAUNCH = "product_launch", _("product launch")
        DOOR_TO_DOOR = "door_to_door", _("door to door")
        BUSINESS_CIRCLE_DAY = "business_circle_day", _("business-circle day")
        REFERRAL = "referral", _("referral campaign")
        PLATFORM = "platform", _("platform campaign")
        ONLINE = "online", _("online campaign")

    state = state_field(CAMPAIGN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="campaigns", verbose_name=_("run by")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120)
    target = models.CharField(_("whom it is for"), max_length=500, default="", blank=True)
    target_kinds = ArrayField(
        models.CharField(max_length=20, choices=Customer.Kind.choices),
        verbose_name=_("kinds of customers"),
        default=list,
    )
    target_industries = ArrayField(models.CharField(max_length=60), verbose_name=_("industries"), default=list)
    channel = models.CharField(_("channel"), max_length=120, default="", blank=True)
    budget = models.DecimalField(_("budget"), max_digits=16, decimal_places=2)
    starts_on = models.DateField(_("starts on"))
    ends_on = models.DateField(_("ends on"))

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        constraints = [
            state_is_known(CAMPAIGN),
            models.CheckConstraint(condition=models.Q(budget__gte=0), name="campaign_budget_not_negative"),
            models.CheckConstraint(
                condition=models.Q(ends_on__gte=models.F("starts_on")), name="campaign_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def spent(self) -> Decimal:
        """What was recorded as spent. A query; lists read it for all rows at once (queries.campaigns)."""
        return self.costs.aggregate(sum=models.Sum("amount", default=Decimal(0)))["sum"]


class CampaignCost(models.Model):
    """Money spent on a campaign. A mistake is taken back by another row with the amount negative."""

    APPEND_ONLY = True

    campaign = models.ForeignKey(Campaign, models.PROTECT, related_name="costs")
    spent_on = models.DateField(_("spent on"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    note = models.CharField(_("what for"), max_length=200)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("cost of a campaign")
        verbose_name_plural = _("costs of campaigns")
        constraints = [models.CheckConstraint(condition=~models.Q(amount=0), name="campaign_cost_not_zero")]

    def __str__(self) -> str:
        return f"{self.campaign} {self.spent_on}"


class ReferralLink(Subject):
    """An address of a public page by which firms ask to be called; what comes in becomes leads of its owner."""

    #: Who has the address gets in: it is nobody's to read in the record.
    PERSONAL = frozenset({"token"})

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="referral_links", verbose_name=_("account manager")
    )
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="links", verbose_name=_("campaign")
    )
    title = models.CharField(_("title"), max_length=120)
    #: 22 characters of chance: nobody comes to the page by guessing.
    token = models.CharField(max_length=43, unique=True, editable=False)
    expires_on = models.DateField(_("last day"))
    max_uses = models.PositiveIntegerField(_("uses at most"), null=True, blank=True)
    uses = models.PositiveIntegerField(_("uses"), default=0, editable=False)
    is_active = models.BooleanField(_("in use"), default=True)

    class Meta:
        verbose_name = _("referral link")
        verbose_name_plural = _("referral links")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(max_uses__isnull=True) | models.Q(uses__lte=models.F("max_uses")),
                name="referral_link_uses_within",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def is_open(self, today: Any) -> bool:
        left = self.max_uses is None or self.uses < self.max_uses
        return self.is_active and self.expires_on >= today and left
