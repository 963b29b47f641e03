from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.domain.machines import LOAN
from loans.domain.transactions import TransactionKind
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
    #: A person's judgement, confirmed by another: the class is at least this one until that is lifted.
    judged_class = models.CharField(
        _("class judged"), max_length=20, choices=AssetClass.choices, default="", blank=True
    )
    restructured_date = models.DateField(_("restructured on"), null=True)
    misused_date = models.DateField(_("misuse of funds since"), null=True)
    #: Its nights can't be told by one rate (misuse, a penalty rate that changed): they replay it instead.
    is_replayed_nightly = models.BooleanField(default=False, editable=False)
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
    fee = models.DecimalField(_("fees"), max_digits=16, decimal_places=2, default=0)
    fee_paid = models.DecimalField(_("fees paid"), max_digits=16, decimal_places=2, default=0)
    balance_after = models.DecimalField(_("balance after"), max_digits=16, decimal_places=2)
    # What the night needs to accrue without the loan's history (loans.domain.owed.ScheduleRow says how).
    end_date = models.DateField(_("interest runs to"))
    counted_days = models.PositiveIntegerField(_("days counted"))
    earned_interest = models.DecimalField(_("interest of its period"), max_digits=16, decimal_places=2)
    brought_interest = models.DecimalField(_("interest of earlier periods"), max_digits=16, decimal_places=2, default=0)
    bearing_principal = models.DecimalField(_("principal that bears interest"), max_digits=16, decimal_places=2)
    bearing_from = models.DateField(_("and does so from"))
    interest_before = models.DecimalField(_("interest before that day"), max_digits=30, decimal_places=14, default=0)
    is_spread = models.BooleanField(_("interest spread over the days"), default=False)

    class Meta:
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ["number"]
        indexes = [
            # What the night needs of the running period stands in the index, so schedules long over are not read.
            models.Index(
                fields=["end_date", "loan"],
                include=[
                    "start_date",
                    "counted_days",
                    "earned_interest",
                    "bearing_principal",
                    "bearing_from",
                    "interest_before",
                    "is_spread",
                ],
                name="instalment_running",
            ),
            models.Index(fields=["due_date", "loan"], name="instalment_due"),
            models.Index(
                fields=["due_date"],
                condition=Q(principal_paid__lt=F("principal"))
                | Q(interest_paid__lt=F("interest"))
                | Q(fee_paid__lt=F("fee")),
                name="instalment_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["loan", "number"], name="instalment_number_once"),
            models.CheckConstraint(
                condition=Q(principal_paid__gte=0, principal_paid__lte=F("principal"))
                & Q(interest_paid__gte=0, interest_paid__lte=F("interest"))
                & Q(fee_paid__gte=0, fee_paid__lte=F("fee")),
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


class KindWord(models.TextChoices):
    """The words for loans.domain.transactions.TransactionKind."""

    DISBURSEMENT = TransactionKind.DISBURSEMENT.value, _("Paid out")
    REPAYMENT = TransactionKind.REPAYMENT.value, _("Repayment")
    PREPAYMENT = TransactionKind.PREPAYMENT.value, _("Early repayment")
    PAYOFF = TransactionKind.PAYOFF.value, _("Pay-off")
    RATE_CHANGE = TransactionKind.RATE_CHANGE.value, _("Change of rate")
    INTEREST_PAUSE = TransactionKind.INTEREST_PAUSE.value, _("Interest pause")
    EXTENSION = TransactionKind.EXTENSION.value, _("Extension")
    PRINCIPAL_GRACE = TransactionKind.PRINCIPAL_GRACE.value, _("Principal grace")
    RESTRUCTURING = TransactionKind.RESTRUCTURING.value, _("Restructuring")
    FEE = TransactionKind.FEE.value, _("Fee")
    WAIVER = TransactionKind.WAIVER.value, _("Waiver")
    MISUSE = TransactionKind.MISUSE.value, _("Misuse of funds")
    JUDGEMENT = TransactionKind.JUDGEMENT.value, _("Class judged")
    CALL_IN = TransactionKind.CALL_IN.value, _("Called in")
    WRITE_OFF = TransactionKind.WRITE_OFF.value, _("Write-off")
    RECOVERY = TransactionKind.RECOVERY.value, _("Recovery")
    RENEWAL = TransactionKind.RENEWAL.value, _("Renewal")
    REVERSAL = TransactionKind.REVERSAL.value, _("Reversal")


class LoanTransaction(models.Model):
    """One thing that happened to a loan. Append-only: taken back only by a row that reverses it.

    The loan's schedule, balances and entries follow from its contract and its transactions that were not reversed,
    played in order of value date (loans.services.projection).
    """

    APPEND_ONLY = True

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="transactions")
    customer_id = models.BigIntegerField()
    kind = models.CharField(_("kind"), max_length=20, choices=KindWord.choices)
    reference = models.CharField(_("reference"), max_length=60, unique=True)
    value_date = models.DateField(_("value date"))
    booked_date = models.DateField(_("booked on"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2, null=True)
    #: What it asks for besides, as loans.domain.transactions reads it; decimals and dates as text.
    parameters = models.JSONField(_("terms"), default=dict)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    repayment = models.OneToOneField(Repayment, models.PROTECT, null=True, related_name="transaction")
    reason = models.TextField(_("reason"), default="")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField(_("booked at"), db_default=Now())

    class Meta:
        verbose_name = _("loan transaction")
        verbose_name_plural = _("loan transactions")
        indexes = [models.Index(fields=["loan", "value_date", "id"], name="transaction_of_loan")]
        constraints = [
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gt=0), name="transaction_amount_positive"),
            models.CheckConstraint(
                condition=Q(kind="reversal", reverses__isnull=False) | (~Q(kind="reversal") & Q(reverses=None)),
                name="reversal_names_what_it_reverses",
            ),
            models.CheckConstraint(condition=Q(value_date__lte=F("booked_date")), name="nothing_is_booked_ahead"),
        ]

    def __str__(self) -> str:
        return self.reference


class LoanEntry(models.Model):
    """A money event of a loan by kind: what the stored balances must add up to. Append-only.

    An amount below zero takes back part of an earlier entry: something booked since, `moved_by`, changed what the
    money went to.
    """

    APPEND_ONLY = True

    class Kind(models.TextChoices):
        DISBURSEMENT = "disbursement", _("Paid out")
        PRINCIPAL = "principal", _("Principal repaid")
        INTEREST = "interest", _("Interest repaid")
        PENALTY = "penalty", _("Penalty interest repaid")
        FEE = "fee", _("Fee paid")
        FEE_CHARGED = "fee_charged", _("Fee charged")
        INTEREST_WAIVED = "interest_waived", _("Interest waived")
        PENALTY_WAIVED = "penalty_waived", _("Penalty interest waived")
        FEE_WAIVED = "fee_waived", _("Fee waived")
        PRINCIPAL_WRITTEN_OFF = "principal_written_off", _("Principal written off")
        INTEREST_WRITTEN_OFF = "interest_written_off", _("Interest written off")
        PENALTY_WRITTEN_OFF = "penalty_written_off", _("Penalty interest written off")
        FEE_WRITTEN_OFF = "fee_written_off", _("Fee written off")
        RECOVERED = "recovered", _("Recovered after the write-off")
        SUSPENSE = "suspense", _("Held for the borrower")
        SUSPENSE_USED = "suspense_used", _("Taken from what was held")

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="entries")
    customer_id = models.BigIntegerField()
    kind = models.CharField(max_length=24, choices=Kind.choices)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    value_date = models.DateField()
    instalment_number = models.PositiveIntegerField(null=True)
    repayment = models.ForeignKey(Repayment, models.PROTECT, null=True, related_name="entries")
    #: Whose money it is; none where held money was put to what fell due.
    transaction = models.ForeignKey(LoanTransaction, models.PROTECT, null=True, related_name="entries")
    moved_by = models.ForeignKey(LoanTransaction, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(amount=0), name="entry_of_an_amount")]
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


class AccrualCorrection(models.Model):
    """What the nights up to `date` (out) should have accrued besides, once something booked for an earlier day is
    known. Append-only, like the accruals it adds to; amounts may be below zero."""

    APPEND_ONLY = True

    loan = models.ForeignKey(Loan, models.PROTECT, related_name="accrual_corrections")
    customer_id = models.BigIntegerField()
    date = models.DateField(_("day"))
    interest = models.DecimalField(_("interest"), max_digits=16, decimal_places=2)
    penalty = models.DecimalField(_("penalty interest"), max_digits=16, decimal_places=2)
    transaction = models.OneToOneField(LoanTransaction, models.PROTECT, related_name="correction")

    class Meta:
        indexes = [models.Index(fields=["loan", "date"], name="correction_of_loan")]

    def __str__(self) -> str:
        return f"{self.loan_id} {self.date}"


class Movement(models.Model):
    """What a transaction moved: the loan before and after it, as loans.queries.servicing.picture_of tells."""

    APPEND_ONLY = True

    transaction = models.OneToOneField(LoanTransaction, models.PROTECT, related_name="movement")
    before = models.JSONField()
    after = models.JSONField()

    def __str__(self) -> str:
        return str(self.transaction_id)
