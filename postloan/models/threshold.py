from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, state_field
from loans.domain.machines import POLICY


class ThresholdSet(Stateful):
    """The thresholds of an indicator in one version. Written by one person, activated by another."""

    MACHINE = POLICY

    state = state_field(POLICY)
    indicator = models.CharField(_("indicator"), max_length=40)
    number = models.PositiveIntegerField(_("version"))
    #: {"blue": "…", "yellow": "…", "orange": "…", "red": "…", …the indicator's own settings}
    values = models.JSONField(_("thresholds"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    active_from_date = models.DateField(_("active from"), null=True)

    class Meta:
        verbose_name = _("threshold set")
        verbose_name_plural = _("threshold sets")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=POLICY.states), name="threshold_state_known"),
            models.UniqueConstraint(fields=["indicator", "number"], name="threshold_version_once"),
            models.UniqueConstraint(fields=["indicator"], condition=Q(state="active"), name="one_active_threshold"),
        ]

    def __str__(self) -> str:
        return f"{self.indicator} v{self.number}"
