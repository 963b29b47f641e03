from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.models import Loan
from postloan.domain.machines import CASE, COLLECTION, INSPECTION, SIGNAL


class Level(models.TextChoices):
    BLUE = "blue", _("Blue")
    YELLOW = "yellow", _("Yellow")
    ORANGE = "orange", _("Orange")
    RED = "red", _("Red")


class WarningCase(Stateful):
    """What a person works to its end when signals were raised for a customer."""

    MACHINE = CASE

    class Outcome(models.TextChoices):
        RESOLVED = "resolved", _("Resolved")
        FALSE_ALARM = "false_alarm", _("False alarm")
        TRANSFERRED = "transferred_to_collection", _("Transferred to collection")

    state = state_field(CASE)
    number = models.CharField(_("case number"), max_length=20, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="warning_cases")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="warning_cases")
    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    opened_on = models.DateField(_("opened on"))
    findings = models.TextField(_("what was found"), default="")
    action = models.TextField(_("what was done"), default="")
    outcome = models.CharField(_("outcome"), max_length=30, choices=Outcome.choices, default="")
    closed_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("warning case")
        verbose_name_plural = _("warning cases")
        constraints = [
            state_is_known(CASE),
            models.UniqueConstraint(fields=["customer"], condition=~Q(state="closed"), name="one_open_case"),
            models.CheckConstraint(condition=~Q(state="closed") | ~Q(outcome=""), name="closed_case_has_outcome"),
        ]

    def __str__(self) -> str:
        return self.number


class Signal(Stateful):
    """One indicator breached for one loan, with the evidence it rests on."""

    MACHINE = SIGNAL

    state = state_field(SIGNAL)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="signals")
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="signals")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    indicator = models.CharField(_("indicator"), max_length=40)
    level = models.CharField(_("level"), max_length=10, choices=Level.choices)
    value = models.DecimalField(_("value"), max_digits=18, decimal_places=4)
    threshold = models.DecimalField(_("threshold"), max_digits=18, decimal_places=4)
    threshold_version = models.CharField(_("rule version"), max_length=60)
    evidence = models.JSONField(_("evidence"))
    raised_on = models.DateField(_("raised on"))
    seen_on = models.DateField(_("last seen on"))
    cleared_on = models.DateField(_("cleared on"), null=True)
    case = models.ForeignKey(WarningCase, models.PROTECT, null=True, related_name="signals")

    class Meta:
        verbose_name = _("signal")
        verbose_name_plural = _("signals")
        constraints = [
            state_is_known(SIGNAL),
            # The same breach of the same loan is one signal until it stops, or is worse than its closed case saw.
            models.UniqueConstraint(
                fields=["loan", "indicator"], condition=Q(cleared_on__isnull=True), name="one_live_signal"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} {self.loan_id}"


class Inspection(Stateful):
    """A look at a borrower after the money is out; falls due by itself."""

    MACHINE = INSPECTION

    state = state_field(INSPECTION)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="inspections")
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="inspections")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    sequence = models.PositiveIntegerField(_("number"))
    due_date = models.DateField(pgettext_lazy("inspection", "due on"))
    funds_used_as_agreed = models.BooleanField(_("funds used as agreed"), null=True)
    business_running = models.BooleanField(_("business is running"), null=True)
    findings = models.TextField(_("findings"), default="")
    inspected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    return_reason = models.TextField(_("why it was returned"), default="")
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        constraints = [
            state_is_known(INSPECTION),
            models.UniqueConstraint(fields=["loan", "sequence"], name="inspection_once"),
        ]

    def __str__(self) -> str:
        return f"{self.loan_id}/{self.sequence}"


class CollectionCase(Stateful):
    """Getting overdue money back."""

    MACHINE = COLLECTION

    class Outcome(models.TextChoices):
        PAID = "paid", _("Paid")
        RESTRUCTURED = "restructured", _("Restructured")
        WRITTEN_OFF = "written_off", _("Written off")

    state = state_field(COLLECTION)
    number = models.CharField(_("collection number"), max_length=20, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="collection_cases")
    loan = models.ForeignKey(Loan, models.PROTECT, related_name="collection_cases")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    officer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    opened_on = models.DateField(_("opened on"))
    note = models.TextField(_("note"), default="")
    promised_amount = models.DecimalField(_("amount promised"), max_digits=16, decimal_places=2, null=True)
    promised_on = models.DateField(_("promise given on"), null=True)
    promised_date = models.DateField(_("promised for"), null=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices, default="")

    class Meta:
        verbose_name = _("collection case")
        verbose_name_plural = _("collection cases")
        constraints = [
            state_is_known(COLLECTION),
            models.UniqueConstraint(fields=["loan"], condition=~Q(state="closed"), name="one_open_collection"),
        ]

    def __str__(self) -> str:
        return self.number
