from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models import Attachment, PaymentInstruction
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.domain.machines import CONDITION, CONTRACT, DRAWDOWN, FACILITY
from loans.models.application import Application


class Contract(Stateful):
    """The signed terms of an accepted offer. A change of terms makes a new one."""

    MACHINE = CONTRACT

    state = state_field(CONTRACT)
    number = models.CharField(_("contract number"), max_length=20, unique=True)
    application = models.ForeignKey(Application, models.PROTECT, related_name="contracts")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contracts")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6)
    penalty_rate = models.DecimalField(_("annual penalty rate when overdue"), max_digits=8, decimal_places=6)
    day_count = models.CharField(_("day count"), max_length=15)
    instalments = models.PositiveIntegerField(_("instalments"))
    frequency_unit = models.CharField(_("instalment unit"), max_length=5)
    frequency_every = models.PositiveIntegerField(_("units per instalment"))
    repayment_method = models.CharField(_("repayment method"), max_length=20)
    plan = models.JSONField(_("agreed plan"), default=list)
    #: What the product sets besides: loans.domain.product_terms.ProductTerms
    terms = models.JSONField(_("terms"), default=dict)
    pdf_zh = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+")
    pdf_en = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+")
    signed_date = models.DateField(_("signed on"), null=True)

    class Meta:
        verbose_name = _("contract")
        verbose_name_plural = _("contracts")
        constraints = [
            state_is_known(CONTRACT),
            models.UniqueConstraint(fields=["application"], condition=~Q(state="void"), name="one_live_contract"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="contract_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.number


class Condition(Stateful):
    """Something that must be shown by a document before money is released."""

    MACHINE = CONDITION

    state = state_field(CONDITION)
    application = models.ForeignKey(Application, models.PROTECT, related_name="conditions")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    title = models.CharField(_("condition"), max_length=200)
    document = models.ForeignKey(Attachment, models.PROTECT, null=True, related_name="+", verbose_name=_("document"))
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reason = models.TextField(_("reason"), default="")

    class Meta:
        verbose_name = _("condition")
        verbose_name_plural = _("conditions")
        constraints = [
            state_is_known(CONDITION),
            models.CheckConstraint(condition=~Q(state="met") | Q(document__isnull=False), name="met_by_a_document"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def subject_owner_id(self) -> int | None:
        return self.application.owner_id


class Facility(Stateful):
    """The credit line under one signed contract."""

    MACHINE = FACILITY

    state = state_field(FACILITY)
    contract = models.OneToOneField(Contract, models.PROTECT, related_name="facility")
    application = models.ForeignKey(Application, models.PROTECT, related_name="facilities")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="facilities")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    limit_amount = models.DecimalField(_("limit"), max_digits=16, decimal_places=2)
    drawn_amount = models.DecimalField(_("drawn"), max_digits=16, decimal_places=2, default=0)
    maturity_date = models.DateField(_("matures on"))
    is_revolving = models.BooleanField(_("revolving"), default=False)

    class Meta:
        verbose_name = _("facility")
        verbose_name_plural = _("facilities")
        constraints = [
            state_is_known(FACILITY),
            models.CheckConstraint(
                condition=Q(drawn_amount__gte=0, drawn_amount__lte=F("limit_amount")), name="drawn_within_limit"
            ),
        ]

    def __str__(self) -> str:
        return self.contract.number


class Drawdown(Stateful):
    """One use of a line: requested, checked, released once through the core bank."""

    MACHINE = DRAWDOWN
    PERSONAL = frozenset({"payee_account"})

    state = state_field(DRAWDOWN)
    number = models.CharField(_("drawdown number"), max_length=24, unique=True)
    facility = models.ForeignKey(Facility, models.PROTECT, related_name="drawdowns")
    application = models.ForeignKey(Application, models.PROTECT, related_name="drawdowns")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="drawdowns")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    payee_name = models.CharField(_("payee"), max_length=120)
    payee_account = EncryptedText(_("payee account"))
    purpose = models.CharField(_("purpose"), max_length=200)
    attempt = models.PositiveIntegerField(default=0)
    failure_reason = models.CharField(_("why it failed"), max_length=200, default="")
    released_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    released_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("drawdown")
        verbose_name_plural = _("drawdowns")
        constraints = [
            state_is_known(DRAWDOWN),
            models.CheckConstraint(condition=Q(amount__gt=0), name="drawdown_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.number


class Payee(models.Model):
    """One of several a drawdown is paid to; what they get sums to what goes out. `payment` is the latest order.

    A drawdown with one payee has no rows: its own fields name them.
    """

    drawdown = models.ForeignKey(Drawdown, models.PROTECT, related_name="payees")
    customer_id = models.BigIntegerField()
    number = models.PositiveIntegerField(_("number"))
    name = models.CharField(_("payee"), max_length=120)
    account = EncryptedText(_("payee account"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    purpose = models.CharField(_("purpose"), max_length=200)
    payment = models.OneToOneField(PaymentInstruction, models.PROTECT, null=True, related_name="payee")

    class Meta:
        verbose_name = _("payee")
        verbose_name_plural = _("payees")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["drawdown", "number"], name="payee_number_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payee_amount_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_paid(self) -> bool:
        return self.payment is not None and self.payment.state == "succeeded"
