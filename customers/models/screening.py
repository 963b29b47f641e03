from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from branch.models.stateful import Stateful, Subject, state_field, state_is_known
from customers.domain.machines import SCREENING_HIT
from customers.models.about import AboutOne, is_about_one
from customers.models.customer import Customer
from customers.models.lead import Lead
from customers.models.record_import import RecordImport
from customers.models.record_source import RecordSource


class Watchlist(Subject):
    """A list of people and firms the bank must know of before it lends. Its files come in as imports of its source."""

    class Kind(models.TextChoices):
        WANTED = "wanted", _("wanted")
        DISHONEST_DEBTOR = "dishonest_debtor", _("dishonest debtor")
        SANCTIONS = "sanctions", _("sanctions")
        INTERNAL = "internal", _("bank-internal")
        STAFF_CONFLICT = "staff_conflict", _("staff conflict of interest")

    code = models.CharField(_("code"), max_length=35, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind.choices)
    source = models.OneToOneField(
        RecordSource, models.PROTECT, related_name="watchlist", verbose_name=_("record source"), editable=False
    )
    is_active = models.BooleanField(_("in use"), default=True)
    is_complete = models.BooleanField(_("each file is the whole list"), default=True)

    class Meta:
        verbose_name = _("watchlist")
        verbose_name_plural = _("watchlists")

    def __str__(self) -> str:
        return self.name


class ScreeningRun(models.Model):
    """One comparison of the whole book: what is new on the lists with everybody, whoever changed with every list.

    The row coordinates: it says how far the comparison has come, in the transaction that got there.
    """

    #: Compares everybody with every entry: the first run, and the one after the lowest score changed.
    is_full = models.BooleanField(_("everybody with every entry"))
    lowest_score = models.PositiveSmallIntegerField(_("lowest score of a hit"))
    #: Subjects changed since then are compared with every entry.
    changed_since = models.DateTimeField(null=True, editable=False)
    #: Which kind of subject is on, and up to which id it is done.
    stage = models.CharField(max_length=10, default="customer", editable=False)
    after_id = models.BigIntegerField(default=0, editable=False)
    entry_count = models.PositiveIntegerField(_("new entries"), default=0)
    subject_count = models.PositiveIntegerField(_("customers and leads"), default=0)
    hit_count = models.PositiveIntegerField(_("new hits"), default=0)
    started_at = models.DateTimeField(_("started at"), db_default=Now())
    finished_at = models.DateTimeField(_("finished at"), null=True)

    class Meta:
        verbose_name = _("comparison of the whole book")
        verbose_name_plural = _("comparisons of the whole book")
        constraints = [
            models.UniqueConstraint(
                models.Value(1), condition=Q(finished_at__isnull=True), name="screening_run_one_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class WatchlistEntry(models.Model):
    """One line of a list. Never overwritten: a changed line is a new row that supersedes the former one.

    The identity number stands nowhere, only its keyed digest.
    """

    watchlist = models.ForeignKey(Watchlist, models.PROTECT, related_name="entries", verbose_name=_("watchlist"))
    name = models.CharField(_("name"), max_length=120)
    name_key = models.CharField(max_length=120, editable=False)
    core_key = models.CharField(max_length=120, editable=False)
    spelling = models.CharField(max_length=600, editable=False)
    uscc = models.CharField(_("unified social credit code"), max_length=18, default="", blank=True)
    identity_digest = models.CharField(max_length=64, default="", editable=False)
    reason = models.CharField(_("reason"), max_length=500, default="", blank=True)
    reference = models.CharField(_("reference"), max_length=100, default="", blank=True)
    listed_on = models.DateField(_("listed on"), null=True)
    #: Which line of the list this is, whatever else stands in it: a digest of reference and number, or name.
    line_key = models.CharField(max_length=64, editable=False)
    #: A hash over everything a line says.
    content = models.BigIntegerField(editable=False)
    record_import = models.ForeignKey(
        RecordImport, models.PROTECT, related_name="+", db_index=False, verbose_name=_("import")
    )
    #: The last import it stood in.
    seen_import_id = models.BigIntegerField(editable=False)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by", editable=False)
    #: The comparison of the whole book it was new to; None until then.
    screening_run = models.ForeignKey(ScreeningRun, models.PROTECT, null=True, related_name="+", editable=False)
    listed_at = models.DateTimeField(_("taken in at"), db_default=Now())
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("watchlist entry")
        verbose_name_plural = _("watchlist entries")
        constraints = [
            models.UniqueConstraint(
                fields=["watchlist", "line_key"], condition=Q(ended_at__isnull=True), name="watchlist_line_once"
            ),
            models.CheckConstraint(condition=~Q(name_key=""), name="watchlist_entry_named"),
        ]
        indexes = [
            models.Index(fields=["spelling"], condition=Q(ended_at__isnull=True), name="watchlist_spelling"),
            models.Index(
                fields=["identity_digest"], condition=Q(ended_at__isnull=True) & ~Q(identity_digest=""),
                name="watchlist_identity",
            ),
            models.Index(fields=["uscc"], condition=Q(ended_at__isnull=True) & ~Q(uscc=""), name="watchlist_uscc"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class WatchlistPiece(models.Model):
    """Two neighbouring characters of the core of an entry in force: by these, names nearly alike find one another."""

    entry = models.ForeignKey(WatchlistEntry, models.CASCADE, related_name="+", db_constraint=False)
    piece = models.CharField(max_length=2)
    #: Where it stands in the core, from 1, and how long that is.
    position = models.PositiveSmallIntegerField()
    length = models.PositiveSmallIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["piece", "length", "position"], include=["entry"], name="watchlist_pieces"),
        ]

    def __str__(self) -> str:
        return f"{self.piece} {self.position}/{self.length}"


class ScreeningHit(AboutOne, Stateful):
    """A customer or lead who looks like an entry of a watchlist; two people say whether it is."""

    MACHINE = SCREENING_HIT

    class Match(models.TextChoices):
        IDENTITY = "identity", _("identity number")
        USCC = "uscc", _("unified social credit code")
        NAME = "name", _("name")

    class Side(models.TextChoices):
        FIRM = "firm", _("the firm")
        PERSON = "person", _("its person")

    class Moment(models.TextChoices):
        LEAD = "lead", _("lead")
        CUSTOMER = "customer", _("customer's data")
        APPLICATION = "application", _("application")
        REVIEW = "review", _("review")
        CONTRACT = "contract", _("signing of the contract")
        LINE = "line", _("credit line")
        DRAWDOWN = "drawdown", _("drawdown")
        LOAN = "loan", _("change of a loan's terms")
        BOOK = "book", _("comparison of the whole book")

    class Outcome(models.TextChoices):
        CLEAR = "clear", _("somebody else")
        CONFIRM = "confirm", _("the one on the list")

    state = state_field(SCREENING_HIT)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="screening_hits", verbose_name=_("customer")
    )
    lead = models.ForeignKey(Lead, models.PROTECT, null=True, related_name="screening_hits", verbose_name=_("lead"))
    entry = models.ForeignKey(WatchlistEntry, models.PROTECT, related_name="hits", verbose_name=_("entry"))
    match = models.CharField(_("found by"), max_length=8, choices=Match.choices)
    side = models.CharField(_("who is alike"), max_length=6, choices=Side.choices)
    score = models.PositiveSmallIntegerField(_("likeness"))
    #: A digest of what was compared on both sides: another one, and the hit says something new.
    compared = models.CharField(max_length=64, editable=False)
    at_event = models.CharField(_("found at"), max_length=12, choices=Moment.choices)
    found_at = models.DateTimeField(_("found on"), db_default=Now())
    proposal = models.CharField(_("proposal"), max_length=7, choices=Outcome.choices, default="", blank=True)
    proposal_reason = models.TextField(_("why"), default="", blank=True)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("proposed by")
    )
    proposed_at = models.DateTimeField(_("proposed on"), null=True)
    decision_reason = models.TextField(_("why it was decided so"), default="", blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("decided by")
    )
    decided_at = models.DateTimeField(_("decided on"), null=True)

    class Meta:
        verbose_name = _("screening hit")
        verbose_name_plural = _("screening hits")
        constraints = [
            state_is_known(SCREENING_HIT),
            is_about_one("screening_hit_one_subject"),
            models.UniqueConstraint(fields=["customer", "entry"], name="screening_hit_customer_once"),
            models.UniqueConstraint(fields=["lead", "entry"], name="screening_hit_lead_once"),
            models.CheckConstraint(condition=Q(score__lte=100), name="screening_hit_score"),
        ]

    def __str__(self) -> str:
        return str(self.subject)
