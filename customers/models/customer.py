from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models.stateful import Subject
from customers.models.compared import Compared
from customers.models.retained import Retained


class Customer(Compared, Retained, Subject):
    """A firm, sole trader or farm household the branch knows. Amounts in yuan."""

    PERSONAL = Compared.KEYS_OF_PERSON | {
        *("contact_name", "identity_number", "identity_digest", "phone", "phone_digest", "address"),
        *("repayment_account", "hold_reason"),
    }
    #: What a company is known by, and a sole trader or farm household is a person by.
    NAMING = frozenset({"name", "name_bigrams", "name_key", "name_spelling", "name_core", "uscc"})

    class Kind(models.TextChoices):
        COMPANY = "company", _("Company")
        SOLE_TRADER = "sole_trader", _("Sole trader")
        FARM_HOUSEHOLD = "farm_household", _("Farm household")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="customers", verbose_name=_("account manager")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    name = models.CharField(_("name"), max_length=120)
    #: The name's two-character pieces: finds 五金 among a million names, which trigrams can't.
    name_bigrams = ArrayField(models.CharField(max_length=2), default=list, editable=False)
    #: The name as it is compared, and how it is spelt (customers.domain.names); set with the name.
    name_key = models.CharField(max_length=120, default="", editable=False)
    name_spelling = models.CharField(max_length=600, default="", editable=False)
    # Null, not empty: many have none, and the constraint lets only nulls repeat.
    uscc = models.CharField(_("unified social credit code"), max_length=18, null=True, blank=True)  # noqa: DJ001
    contact_name = models.CharField(_("owner or legal representative"), max_length=60)
    identity_number = EncryptedText(_("resident identity number"), default="")
    identity_digest = models.CharField(max_length=64, default="", editable=False)
    phone = EncryptedText(_("phone"), default="")
    phone_digest = models.CharField(max_length=64, default="", editable=False)
    address = EncryptedText(_("business address"), default="")
    repayment_account = EncryptedText(_("repayment account"), default="")
    industry = models.CharField(_("industry"), max_length=60, default="")
    established_date = models.DateField(_("established"), null=True, blank=True)
    employees = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    annual_sales = models.DecimalField(_("last year's sales"), max_digits=16, decimal_places=2, null=True, blank=True)
    #: The file this one was found to be a second one of; never one that is merged itself.
    merged_into = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="merged_files", verbose_name=_("merged into"),
        editable=False,
    )  # fmt: skip

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes = [
            GinIndex(fields=["name_bigrams"], name="customer_bigrams"),
            # What the list is sorted by.
            models.Index(fields=["name"], name="customer_name"),
            models.Index(fields=["annual_sales"], name="customer_sales"),
            models.Index(fields=["created_at"], name="customer_created"),
            models.Index(fields=["owner"]),
            models.Index(fields=["identity_digest"], name="customer_identity"),
            models.Index(fields=["phone_digest"], name="customer_phone"),
            models.Index(fields=["name_key"], name="customer_name_key"),
            models.Index(fields=["name_spelling"], name="customer_name_spelling"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["uscc"], condition=Q(uscc__isnull=False), name="customer_uscc_once"),
            # A farm household has no code: its person's number stands for it.
            models.UniqueConstraint(
                fields=["identity_digest"],
                condition=Q(kind="farm_household", erased_on=None),
                name="farm_household_once",
            ),
            models.CheckConstraint(condition=~Q(merged_into=F("pk")), name="customer_not_merged_into_itself"),
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | Q(uscc__isnull=True), name="customer_merged_has_no_code"
            ),
            models.CheckConstraint(
                condition=Q(annual_sales__isnull=True) | Q(annual_sales__gte=0), name="customer_sales_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_merged(self) -> bool:
        """Whether another file stands for it."""
        return self.merged_into_id is not None

    def closed_because(self) -> str:
        if self.is_merged and self.erased_on is None:
            return gettext("This file was merged into another one, which stands for it.")
        return super().closed_because()

    def refuses_more(self) -> str:
        # What is under way on a merged file goes on: its loans are paid, warned of and collected.
        return super().closed_because()

    @property
    def is_person(self) -> bool:
        """A natural person before the law: a sole trader is who trades, a household who signs for it."""
        return self.kind != self.Kind.COMPANY

    @property
    def hidden_fields(self) -> frozenset[str]:
        return self.PERSONAL | self.NAMING if self.is_person else self.PERSONAL

    @property
    def subject_label(self) -> str:
        return f"customer {self.pk}" if self.is_person or self.erased_on else self.name

    @property
    def subject_customer_id(self) -> int | None:
        return self.pk
