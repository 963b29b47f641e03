from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.fields import EncryptedText
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain.machines import LEAD
from customers.models.campaign import Campaign, ReferralLink
from customers.models.compared import Compared
from customers.models.customer import Customer
from customers.models.retained import Retained


class Lead(Compared, Retained, Stateful):
    """Somebody who may want to borrow, before we know them as a customer."""

    MACHINE = LEAD
    PERSONAL = Compared.KEYS_OF_PERSON | {
        *("contact_name", "phone", "phone_digest", "identity_number", "identity_digest"),
        # Whether it is a firm or a person is not known yet, and people write about people.
        *("name", "name_bigrams", "name_key", "name_spelling", "name_core", "uscc"),
        *("note", "next_action", "lost_reason", "hold_reason"),
    }

    class Origin(models.TextChoices):
        FORM = "form", _("form")
        BATCH = "batch", _("list")
        API = "api", _("API")
        LINK = "link", _("referral link")

    class LostReason(models.TextChoices):
        PRICE = "price", _("price")
        NO_NEED = "no_need", _("no need")
        WENT_ELSEWHERE = "went_elsewhere", _("went elsewhere")
        NOT_ELIGIBLE = "not_eligible", _("not eligible")
        UNREACHABLE = "unreachable", _("can't be reached")
        DUPLICATE = "duplicate", _("duplicate")
        OTHER = "other", _("other reason")

    class Reached(models.TextChoices):
        NEW = "new", pgettext_lazy("state", "new")
        CONTACTED = "contacted", pgettext_lazy("state", "contacted")
        QUALIFIED = "qualified", pgettext_lazy("state", "qualified")
        CONVERTED = "converted", pgettext_lazy("state", "converted")

    class Source(models.TextChoices):
        VISIT = "visit", _("Door-to-door visit")
        REFERRAL = "referral", _("Referral")
        WALK_IN = "walk_in", _("Walk-in")
        ONLINE = "online", _("Online")
        EXISTING = "existing", _("Existing customer")
        PLATFORM = "platform", _("Platform")
        CLUSTER = "cluster", _("Cluster")

    state = state_field(LEAD)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="leads", verbose_name=_("account manager")
    )
    name = models.CharField(_("firm or trade name"), max_length=120)
    name_bigrams = ArrayField(models.CharField(max_length=2), default=list, editable=False)
    #: The name as it is compared, and how it is spelt (customers.domain.names); set with the name.
    name_key = models.CharField(max_length=120, default="", editable=False)
    name_spelling = models.CharField(max_length=600, default="", editable=False)
    # Null, not empty: many have none.
    uscc = models.CharField(_("unified social credit code"), max_length=18, null=True, blank=True)  # noqa: DJ001
    contact_name = models.CharField(_("contact person"), max_length=60)
    identity_number = EncryptedText(_("resident identity number"), default="")
    identity_digest = models.CharField(max_length=64, default="", editable=False)
    phone = EncryptedText(_("phone"), default="")
    phone_digest = models.CharField(max_length=64, default="", editable=False)
    district = models.CharField(_("district"), max_length=60, default="", blank=True)
    origin = models.CharField(_("way in"), max_length=10, choices=Origin.choices, default=Origin.FORM)
    campaign = models.ForeignKey(
        Campaign, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("campaign")
    )
    referral_link = models.ForeignKey(
        ReferralLink, models.PROTECT, null=True, blank=True, related_name="leads", verbose_name=_("referral link")
    )
    #: What the visitor of the public page agreed to, as it stood there, and when.
    consent_text = models.TextField(_("consent"), default="", blank=True)
    consent_version = models.CharField(max_length=20, default="", blank=True)
    consented_at = models.DateTimeField(_("consented at"), null=True, blank=True)
    #: Something on file looked like it when it came in; the lead's page says what.
    looks_known = models.BooleanField(_("looks like one on file"), default=False)
    source = models.CharField(_("source"), max_length=20, choices=Source.choices)
    wanted_amount = models.DecimalField(_("amount wanted"), max_digits=16, decimal_places=2, null=True, blank=True)
    note = models.TextField(_("note"), default="", blank=True)
    next_action = models.CharField(_("next action"), max_length=200, default="", blank=True)
    next_action_date = models.DateField(_("next action on"), null=True, blank=True)
    #: The furthest it came, also where it was lost afterwards.
    reached = models.CharField(_("came as far as"), max_length=10, choices=Reached.choices, default=Reached.NEW)
    lost_reason_code = models.CharField(
        _("why lost"), max_length=20, choices=LostReason.choices, default="", blank=True
    )
    lost_reason = models.CharField(_("reason for loss"), max_length=200, default="", blank=True)
    lost_on = models.DateField(_("lost on"), null=True, editable=False)
    #: The lead it is a duplicate of; where it is one of a customer, `customer` says of which.
    duplicate_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="duplicates", verbose_name=_("duplicate of")
    )
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, blank=True, related_name="leads")

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        indexes = [
            GinIndex(fields=["name_bigrams"], name="lead_bigrams"),
            models.Index(fields=["uscc"], name="lead_uscc"),
            models.Index(fields=["identity_digest"], name="lead_identity"),
            models.Index(fields=["phone_digest"], name="lead_phone"),
            models.Index(fields=["name_key"], name="lead_name_key"),
            models.Index(fields=["name_spelling"], name="lead_name_spelling"),
            models.Index(fields=["owner", "state"], name="lead_load"),
            models.Index(fields=["lost_on"], condition=models.Q(erased_on=None), name="lead_lost_on"),
        ]
        constraints = [
            state_is_known(LEAD),
            models.CheckConstraint(
                condition=models.Q(wanted_amount__isnull=True) | models.Q(wanted_amount__gt=0),
                name="lead_amount_positive",
            ),
            models.CheckConstraint(condition=~models.Q(duplicate_of=models.F("pk")), name="lead_no_own_duplicate"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_label(self) -> str:
        return f"lead {self.pk}"
