from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.models import Office
from branch.models.stateful import Stateful, state_field
from loans.domain.ledger import MoneyEvent
from loans.domain.machines import POLICY
from loans.models.loan import Loan


class EventWord(models.TextChoices):
    """The words for loans.domain.ledger.MoneyEvent."""

    DISBURSEMENT = MoneyEvent.DISBURSEMENT.value, _("Paid out")
    REPAYMENT = MoneyEvent.REPAYMENT.value, pgettext_lazy("bookkeeping", "Repayment")
    HELD_MONEY_USED = MoneyEvent.HELD_MONEY_USED.value, _("Held money put to what is due")
    ADJUSTMENT = MoneyEvent.ADJUSTMENT.value, _("Earlier money put elsewhere")
    ACCRUAL = MoneyEvent.ACCRUAL.value, _("Interest of the day")
    PROVISION = MoneyEvent.PROVISION.value, _("Change of provisions")
    FEE_CHARGED = MoneyEvent.FEE_CHARGED.value, _("Fee charged")
    WAIVER = MoneyEvent.WAIVER.value, _("Waiver")
    WRITE_OFF = MoneyEvent.WRITE_OFF.value, _("Write-off")
    RECOVERY = MoneyEvent.RECOVERY.value, _("Recovery of a loan written off")
    RENEWED = MoneyEvent.RENEWED.value, _("Ended by a renewal")
    RENEWAL = MoneyEvent.RENEWAL.value, _("Opened by a renewal")
    REVERSAL = MoneyEvent.REVERSAL.value, _("Reversal")


class JournalEntry(models.Model):
    """What one money event did to the books of one office; its lines balance. Append-only, corrected by reversal.

    A night's sweep makes one entry per part of the portfolio and office, with lines by product family; `source` then
    names step and part, and there is no loan. Triggers hold debits = credits = `total` (migration 0006).
    """

    APPEND_ONLY = True

    business_date = models.DateField(_("booked on"))
    value_date = models.DateField(_("value date"))
    event = models.CharField(_("event"), max_length=20, choices=EventWord.choices)
    office = models.ForeignKey(Office, models.PROTECT, related_name="+", verbose_name=_("office"))
    loan = models.ForeignKey(Loan, models.PROTECT, null=True, related_name="journal")
    customer_id = models.BigIntegerField(null=True)
    total = models.DecimalField(_("amount"), max_digits=18, decimal_places=2)
    #: The posting rules it followed: "shipped", or the number of the bank's own version.
    rules = models.CharField(_("posting rules"), max_length=20)
    #: What may be posted only once, such as "repayment:17".
    reference = models.CharField(_("reference"), max_length=60, null=True, unique=True)  # noqa: DJ001 - NULLs may repeat
    source = models.CharField(_("source"), max_length=40, default="")
    #: The event in the audit trail that tells of it.
    event_id = models.BigIntegerField(null=True)
    reverses = models.OneToOneField("self", models.PROTECT, null=True, related_name="reversed_by")
    posted_at = models.DateTimeField(_("posted at"), db_default=Now())

    class Meta:
        verbose_name = _("journal entry")
        verbose_name_plural = _("journal")
        indexes = [
            models.Index(fields=["business_date", "office"], name="journal_day"),
            models.Index(fields=["loan", "id"], name="journal_of_loan"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(total__gt=0), name="journal_total_positive"),
            models.CheckConstraint(
                condition=Q(event="reversal", reverses__isnull=False) | (~Q(event="reversal") & Q(reverses=None)),
                name="journal_reversal_names_entry",
            ),
        ]

    def __str__(self) -> str:
        return f"J-{self.pk:08d}"


class JournalLine(models.Model):
    """One side of an entry, in yuan. Partitioned by month of `date`, its entry's business date. Append-only."""

    APPEND_ONLY = True

    entry = models.ForeignKey(JournalEntry, models.PROTECT, related_name="lines", verbose_name=_("journal entry"))
    date = models.DateField(_("booked on"))
    office = models.ForeignKey(Office, models.PROTECT, related_name="+", verbose_name=_("office"))
    family = models.CharField(_("family"), max_length=20)
    account = models.CharField(_("account"), max_length=10)
    debit = models.DecimalField(_("debit"), max_digits=18, decimal_places=2)
    credit = models.DecimalField(_("credit"), max_digits=18, decimal_places=2)

    class Meta:
        verbose_name = _("posting")
        verbose_name_plural = _("postings")
        indexes = [
            models.Index(fields=["entry"], name="line_of_entry"),
            models.Index(fields=["date", "account"], name="line_day_account"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(debit__gt=0, credit=0) | Q(debit=0, credit__gt=0), name="line_one_side"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} {self.account} {self.debit} {self.credit}"


class AccountBalance(models.Model):
    """An account of an office and product family at the end of a day; debits less credits, in yuan. Append-only.

    The night writes every account that ever moved, so a day is read without looking at postings.
    """

    APPEND_ONLY = True

    office = models.ForeignKey(Office, models.PROTECT, related_name="+", verbose_name=_("office"))
    date = models.DateField(_("day"))
    family = models.CharField(_("family"), max_length=20)
    account = models.CharField(_("account"), max_length=10)
    opening = models.DecimalField(_("opening balance"), max_digits=18, decimal_places=2)
    debit = models.DecimalField(_("debit"), max_digits=18, decimal_places=2)
    credit = models.DecimalField(_("credit"), max_digits=18, decimal_places=2)
    closing = models.DecimalField(_("closing balance"), max_digits=18, decimal_places=2)

    class Meta:
        verbose_name = _("account balance")
        verbose_name_plural = _("trial balance")
        constraints = [
            models.UniqueConstraint(fields=["date", "office", "account", "family"], name="one_balance_a_day"),
            models.CheckConstraint(
                condition=Q(closing=F("opening") + F("debit") - F("credit")), name="balance_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.office_id} {self.account} {self.closing}"


class LedgerDay(models.Model):
    """A day whose books are closed, with the totals its file for the general ledger is checked by. Append-only."""

    APPEND_ONLY = True

    date = models.DateField(_("day"), unique=True)
    entries = models.PositiveIntegerField(_("journal entries"))
    lines = models.PositiveIntegerField(_("postings"))
    debit = models.DecimalField(_("debit"), max_digits=18, decimal_places=2)
    credit = models.DecimalField(_("credit"), max_digits=18, decimal_places=2)
    #: SHA-256 of the file for the general ledger.
    digest = models.CharField(_("digest"), max_length=64)
    closed_at = models.DateTimeField(_("closed at"), db_default=Now())

    class Meta:
        verbose_name = _("ledger day")
        verbose_name_plural = _("general ledger files")
        constraints = [models.CheckConstraint(condition=Q(debit=F("credit")), name="ledger_day_balances")]

    def __str__(self) -> str:
        return self.date.isoformat()


class PostingRuleSet(Stateful):
    """A bank's own posting rules in one version. Written by one person, activated by another."""

    MACHINE = POLICY

    state = state_field(POLICY)
    number = models.PositiveIntegerField(_("version"), unique=True)
    #: {"loan_accounts": {family: code}, "rules": [[event, kind, family, debit, credit], …]}
    values = models.JSONField(_("rules"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    active_from_date = models.DateField(_("active from"), null=True)

    class Meta:
        verbose_name = _("posting rules")
        verbose_name_plural = _("posting rules")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=POLICY.states), name="posting_rules_state_known"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="one_active_posting_rules"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"
