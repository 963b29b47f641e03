from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.domain.policy import POLICY
from branch.models.office import Office
from branch.models.stateful import Stateful, state_field, state_is_known
from customers.domain import prescreen as domain
from customers.domain.machines import PRESCREEN_RUN
from customers.models.cluster import Cluster, ClusterMember

AMOUNT: dict[str, Any] = {"max_digits": 16, "decimal_places": 2}


class PrescreenModel(Stateful):
    """The decision table members are pre-screened by, in one version. Written by one person, activated by another."""

    MACHINE = POLICY

    state = state_field(POLICY)
    number = models.PositiveIntegerField(_("version"), unique=True)
    #: GoRules JDM; what it is asked and must answer: customers.domain.prescreen.
    values = models.JSONField(_("decision table"))
    drafted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    active_from_date = models.DateField(_("active from"), null=True)

    class Meta:
        verbose_name = _("pre-screening model")
        verbose_name_plural = _("pre-screening models")
        constraints = [
            models.CheckConstraint(condition=Q(state__in=POLICY.states), name="prescreen_model_state_known"),
            models.UniqueConstraint(fields=["state"], condition=Q(state="active"), name="one_active_prescreen_model"),
        ]

    def __str__(self) -> str:
        return f"v{self.number}"


class PrescreenRun(Stateful):
    """One pass of all present members of a cluster through the decision table, and how far it has come.

    What it rests on (table, grade, cap per member) is kept as it was at its start.
    """

    MACHINE = PRESCREEN_RUN

    state = state_field(PRESCREEN_RUN)
    cluster = models.ForeignKey(Cluster, models.PROTECT, related_name="prescreen_runs", verbose_name=_("cluster"))
    #: None for the table as shipped.
    prescreen_model = models.ForeignKey(
        PrescreenModel, models.PROTECT, null=True, related_name="+", verbose_name=_("pre-screening model")
    )
    values = models.JSONField(editable=False)
    grade = models.CharField(_("grade"), max_length=1)
    member_cap = models.DecimalField(_("cap per member"), **AMOUNT)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("started by")
    )
    members_total = models.PositiveIntegerField(_("members"))
    members_done = models.PositiveIntegerField(_("members done"), default=0)
    chunks_done = models.PositiveIntegerField(default=0, editable=False)
    #: The member done last, and the last there was at the start, in the order of their keys.
    last_member_id = models.BigIntegerField(default=0, editable=False)
    until_member_id = models.BigIntegerField(editable=False)
    #: Members by outcome: {"fit": …, "refer": …, "unfit": …}.
    counts = models.JSONField(_("outcome"), default=dict)
    amount_total = models.DecimalField(_("pre-approved in all"), max_digits=18, decimal_places=2, default=0)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    next_attempt_at = models.DateTimeField(db_default=Now(), editable=False)
    last_error = models.TextField(default="", editable=False)
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("pre-screening")
        verbose_name_plural = _("pre-screenings")
        constraints = [
            state_is_known(PRESCREEN_RUN),
            models.UniqueConstraint(fields=["cluster"], condition=Q(state="running"), name="one_prescreening_at_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cluster} #{self.pk}"

    @property
    def subject_customer_id(self) -> int | None:
        return None

    @property
    def subject_owner_id(self) -> int | None:
        return self.cluster.owner_id

    @property
    def percent_done(self) -> int:
        return 100 * self.members_done // self.members_total if self.members_total else 100


class PrescreenResult(models.Model):
    """What a pre-screening found about one member. Amounts in yuan; earlier results are kept."""

    class Outcome(models.TextChoices):
        FIT = domain.Outcome.FIT.value, _("fit")
        REFER = domain.Outcome.REFER.value, _("to be looked at")
        UNFIT = domain.Outcome.UNFIT.value, _("unfit")

    run = models.ForeignKey(PrescreenRun, models.PROTECT, related_name="results", verbose_name=_("pre-screening"))
    member = models.ForeignKey(ClusterMember, models.PROTECT, related_name="results", verbose_name=_("member"))
    outcome = models.CharField(_("outcome"), max_length=5, choices=Outcome.choices)
    amount = models.DecimalField(_("pre-approved amount"), **AMOUNT)
    #: [{"code", "value"}]
    reasons = models.JSONField(_("reasons"), default=list)
    #: What the table was asked with.
    facts = models.JSONField(_("facts"), default=dict)

    class Meta:
        verbose_name = _("pre-screening result")
        verbose_name_plural = _("pre-screening results")
        constraints = [
            models.UniqueConstraint(fields=["run", "member"], name="prescreened_once"),
            models.CheckConstraint(condition=Q(amount=0) | Q(amount__gt=0, outcome="fit"), name="only_fit_has_amount"),
        ]
        indexes = [models.Index(fields=["run", "outcome", "-amount"], name="result_by_outcome")]

    def __str__(self) -> str:
        return str(self.member)

    @property
    def office(self) -> Office:
        return self.run.office
