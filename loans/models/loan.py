from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.domain.machines import LOAN
from loans.models.application import Application
from loans.models.contract import Drawdown
from loans.models.product import Product


class AssetClass(models.TextChoices):
    NORMAL = "normal", _("Normal")
    SPECIAL_MENTION = "special_mention", _("Special mention")
    SUBSTANDARD = "substandard", _("Substandard")
    DOUBTFUL = "doubtful", _("Doubtful")
    LOSS = "loss", _("Loss")


class Loan(Stateful):
    """One drawdown outstanding. Balances equal the sums of its entries; amounts in yuan, rates per year."""

    MACHINE = LOAN

    state = state_field(LOAN)
    number = models.CharField(_("loan number"), max_length=24, unique=True)
    drawdown = models.OneToOneField(Drawdown, models.PROTECT, related_name="loan")
    application = models.ForeignKey(Application, models.PROTECT, related_name="loans")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="loans")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="loans")
    #: Of its product, for life: what the posting rules go by.
    product_family = models.CharField(_("family"), max_length=20, choices=Product.Family.choices)
    principal = models.DecimalField(_("principal"), max_digits=16, decimal_places=2)
    annual_rate = models.DecimalField(_("annual rate"), max_digits=8, decimal_places=6)
    penalty_rate = models.DecimalField(_("annual penalty rate when overdue"), max_digits=8, decimal_places=6)
    day_count = models.CharField(_("day count"), max_length=15)
    #: The contract's terms: loans.domain.product_terms.ProductTerms
    terms = models.JSONField(_("terms"), default=dict)
    start_date = models.DateField(_("paid out on"))
    maturity_date = models.DateField(_("matures on"))
    outstanding_principal = models.DecimalField(_("outstanding principal"), max_digits=16, decimal_places=2)
    penalty_due = models.DecimalField(_("penalty interest due"), max_digits=16, decimal_places=2, default=0)
    suspense_amount = models.DecimalField(_("held for the borrower"), max_digits=16, decimal_places=2, default=0)
    days_past_due = models.PositiveIntegerField(_("days past due"), default=0)
    asset_class = models.CharField(_("class"), max_length=20, choices=AssetClass.choices, default=AssetClass.NORMAL)
    class_rule = models.CharField(_("rule behind the class"), max_length=40, default="")
    restructured_date = models.DateField(_("restructured on"), null=True)
    settled_date = models.DateField(_("settled on"), null=True)
    #: Which part of the portfolio a night's worker takes: customer_id modulo the number of shards.
    shard_key = models.PositiveIntegerField(editable=False)

    class Meta:
        verbose_name = _("loan")
        verbose_name_plural = _("loans")
        indexes = [models.Index(fields=["shard_key"], condition=Q(state__in=["active", "called_in"]), name="loan_live")]
        constraints = [
            state_is_known(LOAN),
            models.CheckConstraint(
                condition=Q(outstanding_principal__gte=0, outstanding_principal__lte=F("principal")),
                name="outstanding_in_range",
            ),
            models.CheckConstraint(
                condition=Q(penalty_due__gte=0, suspense_amount__gte=0), name="loan_dues_not_negative"
            ),
            models.CheckConstraint(
                condition=~Q(state="settled") | Q(outstanding_principal=0, penalty_due=0), name="settled_owes_nothing"
            ),
        ]

    def __str__(self) -> str:
        return self.number


class Instalment(models.Model):
    """One row of the schedule. What is paid on it never exceeds what is due."""

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="instalments")
    customer_id = models.BigIntegerField()
    number = models.PositiveIntegerField(_("number"))
    start_date = models.DateField(_("from"))
    due_date = models.DateField(_("due on"))
    principal = models.DecimalField(_("principal"), max_digits=16, decimal_places=2)
    interest = models.DecimalField(_("interest"), max_digits=16, decimal_places=2)
    principal_paid = models.DecimalField(_("principal paid"), max_digits=16, decimal_places=2, default=0)
    interest_paid = models.DecimalField(_("interest paid"), max_digits=16, decimal_places=2, default=0)
    balance_after = models.DecimalField(_("balance after"), max_digits=16, decimal_places=2)

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ["number"]
        indexes = [
            # What the night needs of the running period stands in the index, so schedules long over are not read.
            models.Index(
                fields=["due_date", "loan"],
                include=["start_date", "principal", "interest", "balance_after"],
                name="instalment_due",
            ),
            models.Index(
                fields=["due_date"],
                condition=Q(principal_paid__lt=F("principal")) | Q(interest_paid__lt=F("interest")),
                name="instalment_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["loan", "number"], name="instalment_number_once"),
            models.CheckConstraint(
                condition=Q(principal_paid__gte=0, principal_paid__lte=F("principal"))
                & Q(interest_paid__gte=0, interest_paid__lte=F("interest")),
                name="instalment_not_overpaid",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.loan_id}/{self.number}"


class Repayment(models.Model):
    """Money that came in for a loan. Append-only; `reference` is booked once."""

    APPEND_ONLY = True

    class Channel(models.TextChoices):
        COUNTER = "counter", _("Counter")
        DEBIT = "debit", _("Debit of the repayment account")

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="repayments")
    customer_id = models.BigIntegerField()
    reference = models.CharField(_("reference"), max_length=60, unique=True)
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    value_date = models.DateField(_("value date"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel.choices)
    is_payoff = models.BooleanField(_("pays the loan off"), default=False)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField(_("booked at"), db_default=Now())

    class Meta:
        verbose_name = _("repayment")
        verbose_name_plural = _("repayments")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="repayment_amount_positive")]

    def __str__(self) -> str:
        return self.reference


class LoanEntry(models.Model):
    """A money event of a loan by kind: what the stored balances must add up to. Append-only."""

    APPEND_ONLY = True

    class Kind(models.TextChoices):
        DISBURSEMENT = "disbursement", _("Paid out")
        PRINCIPAL = "principal", _("Principal repaid")
        INTEREST = "interest", _("Interest repaid")
        PENALTY = "penalty", _("Penalty interest repaid")
        SUSPENSE = "suspense", _("Held for the borrower")
        SUSPENSE_USED = "suspense_used", _("Taken from what was held")

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="entries")
    customer_id = models.BigIntegerField()
    kind = models.CharField(max_length=14, choices=Kind.choices)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    value_date = models.DateField()
    instalment_number = models.PositiveIntegerField(null=True)
    repayment = models.ForeignKey(Repayment, models.PROTECT, null=True, related_name="entries")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="entry_amount_positive")]
        indexes = [models.Index(fields=["loan", "id"], name="entry_of_loan")]

    def __str__(self) -> str:
        return f"{self.loan_id} {self.kind} {self.amount}"


class Accrual(models.Model):
    """Interest and penalty of one loan for one day, to the cent. Append-only; one row a day."""

    APPEND_ONLY = True

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="accruals")
    customer_id = models.BigIntegerField()
    date = models.DateField(_("day"))
    interest = models.DecimalField(_("interest"), max_digits=16, decimal_places=2)
    penalty = models.DecimalField(_("penalty interest"), max_digits=16, decimal_places=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["loan", "date"], name="one_accrual_a_day")]
        # Days are written in their order, so one block range tells which are there already.
        indexes = [BrinIndex(fields=["date"], name="accrual_day")]

    def __str__(self) -> str:
        return f"{self.loan_id} {self.date}"
