from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Subject
from customers.models.lead import Lead


class LeadVisit(Subject):
    """Somebody went to see a lead: when, where, what came of it. Photos are its attachments."""

    #: Notes of a visit are about people.
    PERSONAL = frozenset({"note", "place", "latitude", "longitude"})

    class Outcome(models.TextChoices):
        INTERESTED = "interested", _("interested")
        THINKING = "thinking", _("thinks it over")
        NOT_INTERESTED = "not_interested", _("not interested")
        NOBODY_THERE = "nobody_there", _("nobody was there")

    lead = models.ForeignKey(Lead, models.PROTECT, related_name="visits", verbose_name=_("lead"))
    visitor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("visited by")
    )
    visited_at = models.DateTimeField(_("visited at"))
    place = models.CharField(_("place"), max_length=200)
    latitude = models.DecimalField(_("latitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    longitude = models.DecimalField(_("longitude"), max_digits=9, decimal_places=6, null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=20, choices=Outcome.choices)
    note = models.TextField(_("note"), default="", blank=True)

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [models.Index(fields=["lead", "-visited_at"], name="visits_of_lead")]
        constraints = [
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="lead_visit_place_on_earth",
            )
        ]

    def __str__(self) -> str:
        return f"{self.lead} {self.visited_at:%Y-%m-%d}"

    @property
    def subject_label(self) -> str:
        return f"lead {self.lead_id} {self.visited_at:%Y-%m-%d}"

    @property
    def subject_owner_id(self) -> int | None:
        return self.lead.owner_id
