from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models.stateful import Subject
from customers.models.customer import Customer


class Party(models.Model):
    """A person or firm that stands in relation to somebody. One that is a customer of ours says which.

    There is one party per number; several may stand for one customer, whose name and number then count.
    """

    PERSONAL = frozenset({"name", "identity_digest"})

    class Kind(models.TextChoices):
        PERSON = "person", _("Person")
        FIRM = "firm", _("Firm")

    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120, default="", blank=True)
    identity_number = EncryptedText(_("resident identity number"), default="")
    identity_digest = models.CharField(max_length=64, default="", editable=False)
    uscc = models.CharField(_("unified social credit code"), max_length=18, null=True, blank=True)  # noqa: DJ001
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="parties")

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        constraints = [
            models.UniqueConstraint(fields=["uscc"], condition=Q(uscc__isnull=False), name="party_uscc_once"),
            models.UniqueConstraint(
                fields=["identity_digest"], condition=~Q(identity_digest=""), name="party_identity_once"
            ),
            models.CheckConstraint(condition=Q(customer__isnull=False) | ~Q(name=""), name="party_is_somebody"),
        ]

    def __str__(self) -> str:
        return self.customer.name if self.customer else self.name

    def shown(self, is_seen: bool) -> str:
        """The name; of a customer who is not for the reader, its first character."""
        return str(self) if is_seen or not self.customer_id else f"{str(self)[:1]}•••"

    @property
    def node(self) -> str:
        """Its key among links: all parties of one customer are one node."""
        return f"c{self.customer_id}" if self.customer_id else f"p{self.pk}"


class Relation(Subject):
    """`from_party` is `kind` of `to_party`. Kept for good: one that is over has the day it ended."""

    class Kind(models.TextChoices):
        OWNER = "owner", _("owner")
        LEGAL_REPRESENTATIVE = "legal_representative", _("legal representative")
        SHAREHOLDER = "shareholder", _("shareholder")
        BENEFICIAL_OWNER = "beneficial_owner", _("beneficial owner")
        ACTUAL_CONTROLLER = "actual_controller", _("actual controller")
        SPOUSE = "spouse", _("spouse")
        FAMILY = "family", _("family")
        GUARANTOR = "guarantor", _("guarantor")
        AFFILIATE = "affiliate", _("affiliate")
        CORE_ENTERPRISE = "core_enterprise", _("core enterprise")

    PERSONAL = frozenset({"remark"})

    #: On whose file it was recorded: one of the ends, or somebody behind whom they stand.
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="relations")
    kind = models.CharField(_("relation"), max_length=20, choices=Kind.choices)
    from_party = models.ForeignKey(Party, models.PROTECT, related_name="relations_from", verbose_name=_("who"))
    to_party = models.ForeignKey(Party, models.PROTECT, related_name="relations_to", verbose_name=_("of whom"))
    #: Percent of the whole, of a shareholder.
    share = models.DecimalField(_("share, %"), max_digits=7, decimal_places=4, null=True)
    #: Yuan, of a guarantor; none for all that is owed.
    amount = models.DecimalField(_("amount guaranteed"), max_digits=16, decimal_places=2, null=True)
    since_date = models.DateField(_("since"), null=True)
    until_date = models.DateField(_("until"), null=True)
    source = models.CharField(_("source"), max_length=120, default="", blank=True)
    remark = models.CharField(_("remark"), max_length=200, default="", blank=True)
    ended_date = models.DateField(_("ended on"), null=True)

    class Meta:
        verbose_name = _("relation")
        verbose_name_plural = _("relations")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "from_party", "to_party"], condition=Q(ended_date__isnull=True), name="relation_once"
            ),
            models.CheckConstraint(condition=~Q(from_party=F("to_party")), name="relation_of_two"),
            models.CheckConstraint(
                condition=Q(share__isnull=True) | Q(share__gt=0, share__lte=100, kind="shareholder"),
                name="relation_share",
            ),
            models.CheckConstraint(
                condition=Q(amount__isnull=True) | Q(amount__gt=0, kind="guarantor"), name="relation_amount"
            ),
        ]

    #: Set by the visibility scope: whether a customer at that end has a name for who asks.
    sees_from = sees_to = False

    def __str__(self) -> str:
        # Names of people must not stand in the record.
        return f"R{self.pk}"

    @property
    def subject_owner_id(self) -> int | None:
        return self.customer.owner_id

    @property
    def from_name(self) -> str:
        return self.from_party.shown(self.sees_from)

    @property
    def to_name(self) -> str:
        return self.to_party.shown(self.sees_to)
