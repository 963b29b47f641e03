from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.models.stateful import Stateful, state_field, state_is_known
from loans.domain.machines import POLICY


class RepaymentMethod(models.TextChoices):
    EQUAL_INSTALMENT = "equal_instalment", _("Equal instalments")
    EQUAL_PRINCIPAL = "equal_principal", _("Equal principal")
    INTEREST_ONLY = "interest_only", _("Interest first, principal at maturity")
    BULLET = "bullet", _("All at maturity")


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
        return self.name_zh


class ProductVersion(Stateful):
    """What a product offers from a date on. Amounts in yuan, rates per year, margins in basis points."""

    MACHINE = POLICY

    state = state_field(POLICY)
    product = models.ForeignKey(Product, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    active_from_date = models.DateField(_("active from"), null=True)
    min_amount = models.DecimalField(_("smallest amount"), max_digits=16, decimal_places=2)
    max_amount = models.DecimalField(_("largest amount"), max_digits=16, decimal_places=2)
    max_term_days = models.PositiveIntegerField(_("longest term, days"))
    repayment_methods = models.JSONField(_("repayment methods"))
    guarantee_modes = models.JSONField(_("guarantee modes"))
    day_count = models.CharField(_("day count"), max_length=15, choices=DayCount.choices, default=DayCount.ACT_360)
    margin_bp = models.IntegerField(_("product margin, bp"), default=0)
    grade_margins_bp = models.JSONField(_("margin by risk grade, bp"), default=dict)
    guarantee_discounts_bp = models.JSONField(_("discount by guarantee, bp"), default=dict)
    repeat_discount_bp = models.PositiveIntegerField(_("discount from the second loan on, bp"), default=0)
    rate_floor = models.DecimalField(_("lowest rate"), max_digits=8, decimal_places=6)
    rate_cap = models.DecimalField(_("highest rate"), max_digits=8, decimal_places=6)
    required_documents = models.JSONField(_("documents required before release"), default=list)
    prepayment_allowed = models.BooleanField(default=True)

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
