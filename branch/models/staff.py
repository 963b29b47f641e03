from datetime import timedelta

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q, Value
from django.utils.translation import gettext_lazy as _

from branch.domain.roles import Role
from branch.models.office import Office

ROLE_LABELS = {
    Role.ACCOUNT_MANAGER: _("Account manager"),
    Role.CO_INVESTIGATOR: _("Co-investigator"),
    Role.RISK_REVIEWER: _("Risk reviewer"),
    Role.APPROVER: _("Approver"),
    Role.COMMITTEE_MEMBER: _("Committee member"),
    Role.COMMITTEE_SECRETARY: _("Committee secretary"),
    Role.DISBURSEMENT_OFFICER: _("Disbursement officer"),
    Role.LOAN_ACCOUNTANT: _("Loan accountant"),
    Role.POST_LOAN_OFFICER: _("Post-loan officer"),
    Role.BRANCH_MANAGER: _("Branch manager"),
    Role.PRODUCT_MANAGER: _("Product manager"),
    Role.POLICY_MANAGER: _("Policy manager"),
    Role.AUDITOR: _("Auditor"),
    Role.ADMINISTRATOR: _("Administrator"),
    Role.BORROWER: _("Borrower"),
    Role.INTEGRATION: _("Integration client"),
}
ROLE_CHOICES = [(role.value, label) for role, label in ROLE_LABELS.items()]


class User(AbstractUser):
    """A person (or a client system) who signs in. What they may do is in their role assignments."""

    #: Fields whose values must not stand in events.
    PERSONAL = frozenset({"password", "email", "first_name", "last_name", "last_login"})

    display_name = models.CharField(_("name"), max_length=60)
    office = models.ForeignKey(Office, models.PROTECT, null=True, related_name="staff", verbose_name=_("office"))
    #: Only `seed_demo` sets this; production refuses to start while one such person exists.
    is_demo = models.BooleanField(default=False, editable=False)

    class Meta(AbstractUser.Meta):
        verbose_name = _("person")  # type: ignore[assignment]
        verbose_name_plural = _("people")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.display_name or self.username


class RoleAssignment(models.Model):
    """A role held at an office from `start_date` to `end_date` (last day included; open when empty).

    One that ends the day before it begins is never held: so a role given by mistake is taken back the same day.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="assignments")
    role = models.CharField(_("role"), max_length=30, choices=ROLE_CHOICES)
    office = models.ForeignKey(Office, models.PROTECT, related_name="assignments")
    start_date = models.DateField(_("from"))
    end_date = models.DateField(_("until"), null=True, blank=True)

    class Meta:
        verbose_name = _("role assignment")
        verbose_name_plural = _("role assignments")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "office", "start_date"],
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
                name="assignment_once",
            ),
            models.CheckConstraint(
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date") - Value(timedelta(days=1))),
                name="assignment_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()} · {self.office}"
