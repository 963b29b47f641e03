from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.domain.machines import APPLICATION, INVESTIGATION
from loans.models.product import FrequencyUnit, GuaranteeMode, ProductVersion, RepaymentMethod


class Application(Stateful):
    """A customer asks for credit. The file: everything later belongs to one application. Amounts in yuan."""

    MACHINE = APPLICATION

    state = state_field(APPLICATION)
    number = models.CharField(_("application number"), max_length=20, unique=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="applications")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="applications", verbose_name=_("account manager")
    )
    product_version = models.ForeignKey(ProductVersion, models.PROTECT, verbose_name=_("product"))
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2)
    instalments = models.PositiveIntegerField(_("instalments"))
    frequency_unit = models.CharField(_("instalment unit"), max_length=5, choices=FrequencyUnit.choices)
    frequency_every = models.PositiveIntegerField(_("units per instalment"), default=1)
    repayment_method = models.CharField(_("repayment method"), max_length=20, choices=RepaymentMethod.choices)
    guarantee_mode = models.CharField(_("guarantee"), max_length=20, choices=GuaranteeMode.choices)
    principal_grace = models.PositiveSmallIntegerField(_("instalments without principal"), default=0)
    interest_grace = models.PositiveSmallIntegerField(_("instalments with deferred interest"), default=0)
    due_day = models.PositiveSmallIntegerField(_("due day of the month"), null=True)
    #: The agreed plan, where that is the method: [{"due_date", "principal"}]
    plan = models.JSONField(_("agreed plan"), default=list)
    purpose = models.CharField(_("purpose"), max_length=200)
    stated_annual_sales = models.DecimalField(
        _("stated sales of last year"), max_digits=16, decimal_places=2, null=True
    )
    #: The price when filed: {"annual_rate", "components": [{"code", "bp", "source"}], "apr_simple", "apr_irr", "terms"}
    quote = models.JSONField(_("quote"), default=dict)
    #: The loan whose principal the new contract takes over, where it is a renewal.
    renews = models.ForeignKey(
        "loans.Loan", models.PROTECT, null=True, related_name="renewals", verbose_name=_("renews")
    )
    #: {"lawful_business": …, "going_concern": …}: what the account manager found for it.
    renewal_statement = models.JSONField(_("statement for the renewal"), default=dict)
    submitted_at = models.DateTimeField(_("submitted on"), null=True)
    approved_amount = models.DecimalField(_("approved amount"), max_digits=16, decimal_places=2, null=True)
    approved_rate = models.DecimalField(_("approved annual rate"), max_digits=8, decimal_places=6, null=True)
    offer_expires_date = models.DateField(_("offer stands until"), null=True)
    outcome_reason = models.TextField(_("reason"), default="")

    class Meta:
        verbose_name = _("application")
        verbose_name_plural = _("applications")
        constraints = [
            state_is_known(APPLICATION),
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_amount_positive"),
            models.CheckConstraint(condition=Q(instalments__gt=0), name="application_instalments_positive"),
            models.CheckConstraint(
                condition=Q(approved_amount__isnull=True) | Q(approved_amount__gt=0), name="approved_amount_positive"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def file_key(self) -> str:
        return str(self.pk) if self.pk else ""


class Investigation(Stateful):
    """What two investigators found and signed: three grades, three tables. Editing a fact voids the signatures."""

    MACHINE = INVESTIGATION

    class Rating(models.IntegerChoices):
        NOT_SEEN = 0, _("Not met")
        PARTLY = 1, _("Partly")
        FULLY = 2, _("Fully")

    state = state_field(INVESTIGATION)
    application = models.OneToOneField(Application, models.PROTECT, related_name="investigation")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    visited_on = models.DateField(_("visited on"), null=True)
    visit_place = models.CharField(_("place"), max_length=200, default="")
    visit_latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True)
    visit_longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True)
    # Three grades, each from observed facts.
    repays_on_time = models.PositiveSmallIntegerField(_("repays other debts on time"), choices=Rating, null=True)
    known_in_trade = models.PositiveSmallIntegerField(_("good name among suppliers"), choices=Rating, null=True)
    family_stable = models.PositiveSmallIntegerField(_("settled family and residence"), choices=Rating, null=True)
    product_sells = models.PositiveSmallIntegerField(_("orders in hand"), choices=Rating, null=True)
    margin_holds = models.PositiveSmallIntegerField(_("margin at or above the trade's"), choices=Rating, null=True)
    buyers_spread = models.PositiveSmallIntegerField(_("no buyer above a third of sales"), choices=Rating, null=True)
    title_clear = models.PositiveSmallIntegerField(_("clear title to assets"), choices=Rating, null=True)
    assets_cover = models.PositiveSmallIntegerField(_("assets cover the loan"), choices=Rating, null=True)
    assets_sellable = models.PositiveSmallIntegerField(_("assets can be sold quickly"), choices=Rating, null=True)
    # Three tables: a year's use, and the sales one unit stands for in this trade.
    electricity_kwh = models.DecimalField(_("electricity, kWh a year"), max_digits=14, decimal_places=2, null=True)
    sales_per_kwh = models.DecimalField(_("sales per kWh"), max_digits=12, decimal_places=4, null=True)
    water_m3 = models.DecimalField(_("water, m³ a year"), max_digits=14, decimal_places=2, null=True)
    sales_per_m3 = models.DecimalField(_("sales per m³"), max_digits=12, decimal_places=4, null=True)
    taxed_sales = models.DecimalField(_("sales declared for tax"), max_digits=16, decimal_places=2, null=True)
    deviation_note = models.TextField(_("explanation of deviations"), default="")
    opinion = models.TextField(_("opinion"), default="")
    #: Derived from the facts when they were last saved: {"grades": …, "tables": …, "risk_grade": …}
    findings = models.JSONField(_("findings"), default=dict)
    signed_by_owner_at = models.DateTimeField(null=True)
    second = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    signed_by_second_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("investigation")
        verbose_name_plural = _("investigations")
        constraints = [state_is_known(INVESTIGATION)]

    def __str__(self) -> str:
        return self.application.number
