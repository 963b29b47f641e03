from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from approvals.domain.machines import REVIEW, STAGE
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.models import Customer
from loans.models import Application


class Outcome(models.TextChoices):
    APPROVED = "approved", _("Approved")
    DECLINED = "declined", _("Declined")
    RETURNED = "returned", _("Returned")


class Review(Stateful):
    """One pass of a file through approval."""

    MACHINE = REVIEW

    state = state_field(REVIEW)
    application = models.ForeignKey(Application, models.PROTECT, related_name="reviews")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    pass_number = models.PositiveIntegerField(_("pass"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default="")
    #: The facts in force when it was decided: grade, deviations, quote, authority.
    facts = models.JSONField(default=dict)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            state_is_known(REVIEW),
            models.UniqueConstraint(fields=["application"], condition=Q(state="open"), name="one_open_review"),
            models.UniqueConstraint(fields=["application", "pass_number"], name="review_pass_once"),
            models.CheckConstraint(condition=~Q(state="decided") | ~Q(outcome=""), name="decided_has_outcome"),
        ]

    def __str__(self) -> str:
        return f"{self.application.number}/{self.pass_number}"


class ReviewStage(Stateful):
    """One person's part of a review: an opinion, or the decision."""

    MACHINE = STAGE

    class Kind(models.TextChoices):
        OPINION = "opinion", _("Risk review")
        DECISION = "decision", _("Decision")

    state = state_field(STAGE)
    review = models.ForeignKey(Review, models.PROTECT, related_name="stages")
    application = models.ForeignKey(Application, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="+")
    order = models.PositiveSmallIntegerField(_("order"))
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices)
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    claimed_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(_("waiting since"), null=True)
    finished_at = models.DateTimeField(null=True)
    outcome = models.CharField(_("opinion"), max_length=10, choices=Outcome.choices, default="")
    amount = models.DecimalField(_("amount"), max_digits=16, decimal_places=2, null=True)
    reason = models.TextField(_("reason"), default="")
    conditions = models.JSONField(_("conditions"), default=list)

    class Meta:
        verbose_name = _("review stage")
        verbose_name_plural = _("review stages")
        ordering = ["review", "order"]
        constraints = [
            state_is_known(STAGE),
            models.UniqueConstraint(fields=["review", "order"], name="stage_order_once"),
        ]

    def __str__(self) -> str:
        return f"{self.review} {self.get_kind_display()}"

    @property
    def subject_label(self) -> str:
        """In no language: it stays on the record."""
        return f"{self.review}.{self.order}"

    @property
    def subject_owner_id(self) -> int | None:
        return self.review.owner_id
