from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models.office import Office
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain import clusters as domain
from customers.domain.machines import CLUSTER
from customers.models.customer import Customer
from customers.models.lead import Lead
from customers.models.record_import import RecordImport
from customers.models.record_source import RecordSource

AMOUNT: dict[str, Any] = {"max_digits": 16, "decimal_places": 2}


class Cluster(Stateful):
    """Firms that stand around one anchor, judged and lent to as a group ("1+N"). Amounts in yuan.

    What is proposed comes in force when a second person says so: then `cap`, `member_cap` and `grade` are those of the
    proposal.
    """

    MACHINE = CLUSTER

    class Kind(models.TextChoices):
        INDUSTRIAL_CHAIN = "industrial_chain", _("Industrial chain around a core enterprise")
        BUSINESS_CIRCLE = "business_circle", _("Business circle")
        PLATFORM = "platform", _("Platform")

    class Standing(models.TextChoices):
        LEADING = domain.Standing.LEADING.value, _("Leading in its trade")
        SOUND = domain.Standing.SOUND.value, _("Sound")
        ORDINARY = domain.Standing.ORDINARY.value, _("Ordinary")
        WEAK = domain.Standing.WEAK.value, _("Weak")

    state = state_field(CLUSTER)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="clusters", verbose_name=_("account manager")
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    #: Products name the clusters they are for by it.
    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    anchor_name = models.CharField(_("anchor"), max_length=120)
    anchor_uscc = models.CharField(_("anchor's unified social credit code"), max_length=18, default="", blank=True)
    anchor_customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, blank=True, related_name="anchored_clusters", verbose_name=_("anchor")
    )
    #: Its files come in by this source.
    source = models.OneToOneField(RecordSource, models.PROTECT, related_name="cluster", verbose_name=_("record source"))
    anchor_standing = models.CharField(_("anchor's standing"), max_length=10, choices=Standing.choices, default="")
    anchor_years = models.PositiveSmallIntegerField(_("anchor's years in business"), null=True)
    members_count = models.PositiveIntegerField(_("members"), null=True)
    members_left = models.PositiveIntegerField(_("members left in the last year"), null=True)
    defaulted_members = models.PositiveIntegerField(_("members that defaulted"), null=True)
    years_running = models.PositiveSmallIntegerField(_("years it has run"), null=True)
    score = models.PositiveSmallIntegerField(_("score"), null=True)
    proposed_grade = models.CharField(_("grade proposed"), max_length=1, default="")
    proposed_cap = models.DecimalField(_("cap proposed"), **AMOUNT, null=True)
    proposed_member_cap = models.DecimalField(_("cap per member proposed"), **AMOUNT, null=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    grade = models.CharField(_("grade"), max_length=1, default="")
    cap = models.DecimalField(_("exposure cap"), **AMOUNT, null=True)
    member_cap = models.DecimalField(_("cap per member"), **AMOUNT, null=True)
    cap_proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    cap_set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("cap set by")
    )
    cap_set_on = models.DateField(_("cap set on"), null=True)

    class Meta:
        verbose_name = _("cluster")
        verbose_name_plural = _("clusters")
        constraints = [
            state_is_known(CLUSTER),
            models.CheckConstraint(
                condition=Q(cap__isnull=True) | Q(member_cap__gt=0, cap__gte=models.F("member_cap")),
                name="cluster_caps_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("active", "suspended")) | Q(cap__isnull=False), name="cluster_active_has_cap"
            ),
            # Who may send the files in may not lend by them alone: the second person is another than who proposed.
            models.CheckConstraint(
                condition=Q(cap_set_by__isnull=True) | ~Q(cap_set_by=models.F("cap_proposed_by")),
                name="cluster_cap_by_another",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def subject_customer_id(self) -> int | None:
        return None

    @property
    def has_proposal(self) -> bool:
        """Whether something is proposed that is not in force."""
        proposed = (self.proposed_cap, self.proposed_member_cap, self.proposed_grade)
        return self.proposed_cap is not None and proposed != (self.cap, self.member_cap, self.grade)


class ClusterMember(models.Model):
    """One firm of a cluster, as the cluster's last file told it. Amounts in yuan a year."""

    #: Of a member it is not known whether it is a firm or a person.
    PERSONAL = frozenset({"contact_name", "phone", "name", "name_key", "uscc"})

    class Role(models.TextChoices):
        SUPPLIER = "supplier", _("supplier")
        DEALER = "dealer", _("dealer")
        TENANT = "tenant", _("tenant")
        MERCHANT = "merchant", _("merchant")
        OTHER = "other", _("other")

    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="members", verbose_name=_("cluster"))
    name = models.CharField(_("name"), max_length=120)
    #: The name as names are compared (customers.domain.names.name_key).
    name_key = models.CharField(max_length=120, editable=False)
    uscc = models.CharField(_("unified social credit code"), max_length=18, default="", blank=True)
    contact_name = models.CharField(_("contact person"), max_length=60, default="", blank=True)
    phone = EncryptedText(_("phone"), default="")
    role = models.CharField(_("role in the cluster"), max_length=10, choices=Role.choices, default=Role.OTHER)
    years_with_anchor = models.DecimalField(_("years with the anchor"), max_digits=4, decimal_places=1, null=True)
    annual_trade = models.DecimalField(_("yearly trade with the anchor"), **AMOUNT, null=True)
    annual_sales = models.DecimalField(_("yearly sales"), **AMOUNT, null=True)
    employees = models.PositiveIntegerField(_("employees"), null=True)
    has_overdue = models.BooleanField(_("overdue with the anchor"), default=False)
    left_on = models.DateField(_("left on"), null=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="cluster_memberships", verbose_name=_("customer")
    )
    lead = models.OneToOneField(Lead, models.PROTECT, null=True, related_name="cluster_member", verbose_name=_("lead"))
    #: What its orders and receivables come to (customers.domain.financeable); None where it has no documents.
    receivables_open = models.DecimalField(_("open receivables"), **AMOUNT, db_default=0)
    receivables_late = models.DecimalField(_("late receivables, not counted"), **AMOUNT, db_default=0)
    orders_open = models.DecimalField(_("open orders"), **AMOUNT, db_default=0)
    financeable_amount = models.DecimalField(_("financeable amount"), **AMOUNT, null=True)
    financeable_on = models.DateField(_("worked out for"), null=True)
    #: The import that last brought it, and where it stood there.
    record_import = models.ForeignKey(RecordImport, models.PROTECT, related_name="+", verbose_name=_("import"))
    line = models.BigIntegerField(_("line"))
    updated_at = models.DateTimeField(_("as of"), db_default=Now())

    class Meta:
        verbose_name = _("cluster member")
        verbose_name_plural = _("cluster members")
        constraints = [
            models.UniqueConstraint(fields=["cluster", "uscc"], condition=~Q(uscc=""), name="cluster_member_uscc_once"),
            models.UniqueConstraint(
                fields=["cluster", "name_key"], condition=Q(uscc=""), name="cluster_member_name_once"
            ),
        ]
        indexes = [
            models.Index(fields=["cluster", "name_key"], name="cluster_member_name"),
            models.Index(fields=["uscc"], condition=~Q(uscc=""), name="cluster_member_uscc"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def office(self) -> Office:
        return self.cluster.office

    @property
    def subject_label(self) -> str:
        return f"member {self.pk}"

    @property
    def subject_owner_id(self) -> int | None:
        return self.cluster.owner_id


class ChainDocument(models.Model):
    """An order or a receivable between a member and the anchor. Amounts in yuan.

    One sent again with other values supersedes the former, which is kept.
    """

    class Kind(models.TextChoices):
        ORDER = "order", _("order")
        RECEIVABLE = "receivable", _("receivable")

    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="documents", verbose_name=_("cluster"))
    member = models.ForeignKey(ClusterMember, models.PROTECT, related_name="documents", verbose_name=_("member"))
    kind = models.CharField(_("kind of document"), max_length=10, choices=Kind.choices)
    number = models.CharField(_("number"), max_length=60)
    amount = models.DecimalField(_("amount"), **AMOUNT)
    #: Not yet delivered, or not yet paid.
    open_amount = models.DecimalField(_("open amount"), **AMOUNT)
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"), null=True)
    record_import = models.ForeignKey(RecordImport, models.PROTECT, related_name="+", verbose_name=_("import"))
    line = models.BigIntegerField(_("line"))
    received_at = models.DateTimeField(_("received at"), db_default=Now())
    superseded_at = models.DateTimeField(_("superseded at"), null=True)

    class Meta:
        verbose_name = _("order or receivable")
        verbose_name_plural = _("orders and receivables")
        constraints = [
            models.UniqueConstraint(
                fields=["member", "kind", "number"], condition=Q(superseded_at=None), name="chain_document_current"
            ),
            models.CheckConstraint(
                condition=Q(open_amount__gte=0, open_amount__lte=models.F("amount")), name="chain_document_open_within"
            ),
        ]
        indexes = [
            models.Index(fields=["cluster", "member"], condition=Q(superseded_at=None), name="chain_document_of_member")
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def office(self) -> Office:
        return self.cluster.office
