from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from loans.domain.machines import POLICY
from loans.domain.servicing.events import DEFAULT_ALLOCATION


class RepaymentMethod(models.TextChoices):
    EQUAL_INSTALMENT = "equal_instalment", _("Equal instalments")
    EQUAL_PRINCIPAL = "equal_principal", _("Equal principal")
    INTEREST_ONLY = "interest_only", _("Interest first, principal at maturity")
    BULLET = "bullet", _("All at maturity")
    FLAT = "flat", _("Flat: interest on the original principal")
    AGREED_PLAN = "agreed_plan", _("Agreed plan")
    PAY_AS_YOU_USE = "pay_as_you_use", _("Pay as you use")


class FrequencyUnit(models.TextChoices):
    DAY = "day", pgettext_lazy("unit", "day")
    WEEK = "week", pgettext_lazy("unit", "week")
    MONTH = "month", pgettext_lazy("unit", "month")


class GuaranteeMode(models.TextChoices):
    CREDIT = "credit", _("Pure credit")
    JOINT_LIABILITY = "joint_liability", _("Joint liability")
    MORTGAGE = "mortgage", _("Mortgage")
    PLEDGE = "pledge", _("Pledge")
    GUARANTEE_COMPANY = "guarantee_company", _("Guarantee company")


class DayCount(models.TextChoices):
    ACT_360 = "actual/360", "ACT/360"
    ACT_365 = "actual/365", "ACT/365"
    ACT_ACT = "actual/actual", "ACT/ACT (ISDA)"
    THIRTY_360 = "30/360", "30/360"


class MonthEnd(models.TextChoices):
    CLAMP = "clamp", _("Last day of the month")
    ROLL = "roll", _("1st of the next month")


class DueDayRule(models.TextChoices):
    START_DAY = "start_day", _("Day of the month the money went out")
    FIXED = "fixed", _("A fixed day of the month")
    CHOSEN = "chosen", _("A day the customer chooses")


class HolidayRoll(models.TextChoices):
    NONE = "none", _("Stays")
    FOLLOWING = "following", _("Next working day")
    MODIFIED_FOLLOWING = "modified_following", _("Next working day, within the month")
    PRECEDING = "preceding", _("Working day before")


class AllocationSequence(models.TextChoices):
    BUCKET_FIRST = "bucket_first", _("Kind by kind, over all instalments")
    INSTALMENT_FIRST = "instalment_first", _("Instalment by instalment, over all kinds")


class Surplus(models.TextChoices):
    SHORTEN_TERM = "shorten_term", _("Shortens the term")
    LOWER_INSTALMENT = "lower_instalment", _("Lowers the instalments")
    NEXT_INSTALMENT = "next_instalment", _("Pays the next instalment")
    LAST_INSTALMENT = "last_instalment", _("Pays the last instalment")
    SPREAD_EVENLY = "spread_evenly", _("Is spread evenly over what is left")
    HOLD = "hold", _("Is held for what falls due next")


class PayoffInterest(models.TextChoices):
    TO_DATE = "to_date", _("To the day of payment")
    TO_PERIOD_END = "to_period_end", _("To the end of the interest period")


class RateKind(models.TextChoices):
    FIXED = "fixed", _("Fixed")
    FLOATING = "floating", _("Floating with the prime rate")


class Repricing(models.TextChoices):
    EVERY_MONTHS = "every_months", _("Every so many months")
    EACH_JANUARY = "each_january", _("Each 1 January")


class Product(models.Model):
    """A product line; what it offers stands in its versions."""

    class Family(models.TextChoices):
        REVOLVING = "revolving", _("Revolving micro line")
        SHORT_TERM = "short_term", _("Short-term loan")
        TERM = "term", _("Term loan")
        SECURED = "secured", _("Secured loan")
        SUPPLY_CHAIN = "supply_chain", _("Supply-chain loan")
        RENEWAL = "renewal", _("Renewal without repaying principal")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name_zh = models.CharField(_("name (Chinese)"), max_length=80)
    name_en = models.CharField(_("name (English)"), max_length=80)
    family = models.CharField(_("family"), max_length=20, choices=Family.choices)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        """The name in the reader's language."""
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en

    @property
    def subject_label(self) -> str:
        # The record says the same whoever caused it.
        return self.name_zh


def allocation_order() -> list[str]:
    return [kind.value for kind in DEFAULT_ALLOCATION]


class ProductVersion(Stateful):
    """What a product offers from a date on. Amounts in yuan, rates per year, margins in basis points.

    An empty list of customer kinds, size classes, industries, clusters, grades or frequencies leaves them open.
    """

    MACHINE = POLICY

    state = state_field(POLICY)
    product = models.ForeignKey(Product, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    active_from_date = models.DateField(_("active from"), null=True)
    # Who may have it.
    customer_kinds = models.JSONField(_("customer kinds"), default=list)
    size_classes = models.JSONField(_("size classes"), default=list)
    industries = models.JSONField(_("industries"), default=list)
    clusters = models.JSONField(_("clusters"), default=list)
    risk_grades = models.JSONField(_("risk grades"), default=list)
    # How much, for how long, repaid how.
    min_amount = models.DecimalField(_("smallest amount"), max_digits=16, decimal_places=2)
    max_amount = models.DecimalField(_("largest amount"), max_digits=16, decimal_places=2)
    min_term_days = models.PositiveIntegerField(_("shortest term, days"), default=1)
    max_term_days = models.PositiveIntegerField(_("longest term, days"))
    repayment_methods = models.JSONField(_("repayment methods"))
    #: As `unit:every`, such as month:3.
    frequencies = models.JSONField(_("instalments fall due"), default=list)
    day_count = models.CharField(_("day count"), max_length=15, choices=DayCount.choices, default=DayCount.ACT_360)
    month_end = models.CharField(_("missing day"), max_length=5, choices=MonthEnd.choices, default=MonthEnd.CLAMP)
    due_day_rule = models.CharField(
        _("due day"), max_length=10, choices=DueDayRule.choices, default=DueDayRule.START_DAY
    )
    due_day = models.PositiveSmallIntegerField(_("day of the month"), null=True)
    holiday_roll = models.CharField(
        _("due day on a day off"), max_length=20, choices=HolidayRoll.choices, default=HolidayRoll.NONE
    )
    interest_follows_holiday = models.BooleanField(_("interest period moves with it"), default=False)
    max_principal_grace = models.PositiveSmallIntegerField(_("instalments without principal, at most"), default=0)
    max_interest_grace = models.PositiveSmallIntegerField(_("instalments with deferred interest, at most"), default=0)
    instalment_rounding = models.DecimalField(
        _("instalments rounded to"), max_digits=10, decimal_places=2, default=Decimal("0.01")
    )
    # Security and papers.
    guarantee_modes = models.JSONField(_("guarantee modes"))
    #: {mode: {"share": "0.70" of the amount, "max_amount": "500000.00"}}, either of them.
    guarantee_caps = models.JSONField(_("caps by guarantee"), default=dict)
    required_documents = models.JSONField(_("documents required before release"), default=list)
    # Price.
    margin_bp = models.IntegerField(_("product margin, bp"), default=0)
    grade_margins_bp = models.JSONField(_("margin by risk grade, bp"), default=dict)
    guarantee_discounts_bp = models.JSONField(_("discount by guarantee, bp"), default=dict)
    repeat_discount_bp = models.PositiveIntegerField(_("discount from the second loan on, bp"), default=0)
    cluster_discounts_bp = models.JSONField(_("discount by cluster, bp"), default=dict)
    rate_floor = models.DecimalField(_("lowest rate"), max_digits=8, decimal_places=6)
    rate_cap = models.DecimalField(_("highest rate"), max_digits=8, decimal_places=6)
    rate_kind = models.CharField(_("rate"), max_length=8, choices=RateKind.choices, default=RateKind.FIXED)
    repricing = models.CharField(_("priced anew"), max_length=12, choices=Repricing.choices, default="", blank=True)
    repricing_months = models.PositiveSmallIntegerField(_("months between two prices"), null=True)
    #: [{"name_zh", "name_en", "kind": fixed or percent, "value", "on": start or each}]
    fees = models.JSONField(_("fees"), default=list)
    offer_validity_days = models.PositiveSmallIntegerField(_("an offer stands, days"), default=90)
    # When it is paid late, or early.
    overdue_uplift = models.DecimalField(
        _("penalty when overdue"), max_digits=5, decimal_places=4, default=Decimal("0.5")
    )
    misuse_uplift = models.DecimalField(_("penalty for misuse"), max_digits=5, decimal_places=4, default=Decimal(1))
    penalty_compounds = models.BooleanField(_("interest on unpaid interest"), default=True)
    grace_days = models.PositiveSmallIntegerField(_("days of grace"), default=0)
    allocation_order = models.JSONField(_("order in which a repayment is used"), default=allocation_order)
    allocation_sequence = models.CharField(
        _("and goes"), max_length=20, choices=AllocationSequence.choices, default=AllocationSequence.INSTALMENT_FIRST
    )
    prepayment_allowed = models.BooleanField(_("early repayment is allowed"), default=True)
    surplus = models.CharField(
        _("early principal"), max_length=20, choices=Surplus.choices, default=Surplus.SHORTEN_TERM
    )
    payoff_interest = models.CharField(
        _("interest when paid off early"), max_length=15, choices=PayoffInterest.choices, default=PayoffInterest.TO_DATE
    )

    class Meta:
        verbose_name = _("product version")
        verbose_name_plural = _("product versions")
        constraints = [
            state_is_known(POLICY),
            models.UniqueConstraint(fields=["product", "number"], name="product_version_once"),
            models.UniqueConstraint(fields=["product"], condition=Q(state="active"), name="one_active_version"),
            models.CheckConstraint(
                condition=Q(min_amount__gt=0, max_amount__gte=F("min_amount")), name="product_amount_band"
            ),
            models.CheckConstraint(
                condition=Q(min_term_days__gt=0, max_term_days__gte=F("min_term_days")), name="product_term_band"
            ),
            models.CheckConstraint(condition=Q(rate_cap__gte=F("rate_floor")), name="product_rate_band"),
        ]

    def __str__(self) -> str:
        return f"{self.product} v{self.number}"


class LprRate(models.Model):
    """A published Loan Prime Rate announcement; percent as published (3.00)."""

    published_date = models.DateField(_("published on"), primary_key=True)
    one_year = models.DecimalField(_("1Y, percent"), max_digits=5, decimal_places=2)
    five_year = models.DecimalField(_("5Y+, percent"), max_digits=5, decimal_places=2, null=True)
    source = models.CharField(_("source"), max_length=120)

    def __str__(self) -> str:
        return f"{self.published_date} {self.one_year}/{self.five_year}"
