from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.fields import EncryptedText
from branch.models.office import Office
from branch.models.stateful import Stateful, Subject, state_field, state_is_known
from customers.domain.machines import PULL_RUN
from customers.models.customer import Customer
from customers.models.record_import import RecordImport
from customers.models.record_source import RecordSource


class Feed(Subject):
    """Where and how a source's data are pulled from: an HTTP address that answers JSON, asked by a schedule."""

    class Auth(models.TextChoices):
        NONE = "none", _("none")
        BEARER = "bearer", _("bearer token")
        HEADER = "header", _("a header of its own")

    class Paging(models.TextChoices):
        NONE = "none", _("one page")
        NUMBER = "number", _("page numbers, until a page is empty")
        NEXT = "next", _("the answer names the next page")

    name = models.CharField(_("name"), max_length=120, unique=True)
    source = models.ForeignKey(RecordSource, models.PROTECT, related_name="feeds", verbose_name=_("record source"))
    #: One of RecordImport.Layout.
    layout = models.CharField(_("what it holds"), max_length=30)
    #: {uscc} makes it one call for each customer; {month} is the last whole month.
    url = models.CharField(_("address"), max_length=500)
    auth = models.CharField(_("signs in with"), max_length=10, choices=Auth.choices, default=Auth.NONE)
    header_name = models.CharField(_("header"), max_length=60, default="", blank=True)
    secret = EncryptedText(_("token"), default="")
    rows_path = models.CharField(_("where the rows are"), max_length=120, default="", blank=True)
    paging = models.CharField(_("pages"), max_length=10, choices=Paging.choices, default=Paging.NONE)
    #: The query parameter of the page number, or where the answer names the next page.
    paging_name = models.CharField(_("page parameter, or where the next page is named"), max_length=60, default="")
    #: Column of the layout → where in a row its value is.
    columns = models.JSONField(_("columns"), default=dict)
    every_hours = models.PositiveSmallIntegerField(_("every so many hours"), default=24)
    next_run_at = models.DateTimeField(_("next run"), db_default=Now())
    is_active = models.BooleanField(_("in use"), default=True)
    #: The breaker: after so many failures in a row nobody asks until then.
    failures_in_row = models.PositiveSmallIntegerField(_("failures in a row"), default=0, editable=False)
    open_until = models.DateTimeField(_("not asked before"), null=True, editable=False)
    last_answer_at = models.DateTimeField(_("last answer"), null=True, editable=False)

    class Meta:
        verbose_name = _("feed")
        verbose_name_plural = _("feeds")
        constraints = [
            models.CheckConstraint(condition=Q(every_hours__gt=0), name="feed_every"),
            models.CheckConstraint(condition=Q(auth__in=["none", "bearer", "header"]), name="feed_auth"),
            models.CheckConstraint(condition=Q(paging__in=["none", "number", "next"]), name="feed_paging"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def layout_word(self) -> str:
        return str(RecordImport.Layout(self.layout).label)

    @property
    def asks_by_customer(self) -> bool:
        return "{uscc}" in self.url


class PullRun(Stateful):
    """One round of a feed: its calls, and the import their rows came in by."""

    MACHINE = PULL_RUN

    state = state_field(PULL_RUN)
    feed = models.ForeignKey(Feed, models.PROTECT, related_name="runs")
    #: Customers who did not allow it.
    without_consent = models.PositiveIntegerField(_("without consent"), default=0)
    record_import = models.ForeignKey(
        RecordImport, models.PROTECT, null=True, related_name="+", verbose_name=_("import")
    )
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("pull")
        verbose_name_plural = _("pulls")
        constraints = [
            state_is_known(PULL_RUN),
            models.UniqueConstraint(fields=["feed"], condition=Q(state="running"), name="pull_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.feed} #{self.pk}"


class PullCall(models.Model):
    """One call of a pull: a page, or a customer's page. What failed for good is a dead letter, to be replayed."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        DEAD = "dead", _("dead letter")

    run = models.ForeignKey(PullRun, models.CASCADE, related_name="calls")
    office = models.ForeignKey(Office, models.PROTECT, related_name="+")
    customer = models.ForeignKey(Customer, models.PROTECT, null=True, related_name="+")
    page = models.PositiveIntegerField(_("page"), default=1)
    #: Where the answer before it said the next page is; empty for the first.
    address = models.CharField(_("address"), max_length=1000, default="")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), db_default=Now())
    last_error = models.CharField(_("what went wrong"), max_length=300, default="")
    #: The rows of the answer, until they are in an import.
    rows = models.JSONField(null=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        verbose_name = _("call to a provider")
        verbose_name_plural = _("calls to providers")
        indexes = [
            models.Index(fields=["run", "next_attempt_at"], condition=Q(state="waiting"), name="pull_call_waiting"),
            models.Index(fields=["state"], condition=Q(state="dead"), name="pull_call_dead"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "customer", "page"], name="pull_call_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.pk}"
