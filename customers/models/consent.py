from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Subject
from customers.models.customer import Customer


class ConsentScope(models.TextChoices):
    """What a customer may allow the bank to ask elsewhere."""

    CREDIT_BUREAU = "credit_bureau", _("credit bureau")
    TAX = "tax", _("tax and invoices")
    ACCOUNTS = "accounts", _("accounts at other banks")
    UTILITIES = "utilities", _("electricity, water and gas")
    COURTS = "courts", _("courts and registries")


class Consent(Subject):
    """A customer's leave to ask a kind of source for data, from a day to a day; the signed paper is attached."""

    PERSONAL = frozenset({"given_by_name"})

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="consents")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("recorded by"))
    scope = models.CharField(_("what for"), max_length=20, choices=ConsentScope.choices)
    given_by_name = models.CharField(_("given by"), max_length=60)
    given_on = models.DateField(_("given on"))
    expires_on = models.DateField(_("expires on"))
    withdrawn_on = models.DateField(_("withdrawn on"), null=True, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        indexes = [models.Index(fields=["customer", "scope"], name="consent_of_customer")]
        constraints = [
            models.CheckConstraint(condition=Q(scope__in=ConsentScope.values), name="consent_scope_known"),
            models.CheckConstraint(condition=Q(expires_on__gte=F("given_on")), name="consent_runs_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()} {self.given_on:%Y-%m-%d}"
