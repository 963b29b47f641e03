"""The branch in ten seconds: what is late, what is lent, what is overdue, what was warned of. Amounts in yuan.

Every figure is the count or the sum of one entry of ROWS, so whoever opens its rows finds exactly those. The number
of queries is fixed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from approvals.models import ReviewStage
from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.queries.visibility import visible
from customers.models import Lead
from desk.queries.clocks import Clocks
from desk.queries.open_work import counts
from loans.models import Application, Loan
from loans.models.loan import AssetClass
from postloan.models import WarningCase
from postloan.models.warning import Level

Text = Any  # a str or a lazy translation

#: From here on a loan counts as a risk to the book (PAR30).
PAR_DAYS = 30
#: Open stages looked at for late ones; a queue longer than this is late as a whole.
MOST_STAGES = 500


# --- the rows behind every figure ----------------------------------------------------------------------


@dataclass(frozen=True)
class Rows:
    """What a figure counts: its words, the noun whose table shows it, and the rows that began since a day."""

    title: Text
    noun: str
    of: Callable[[Actor, date], QuerySet]


def _leads(*states: str) -> Callable[[Actor, date], QuerySet]:
    return lambda actor, since: visible(Lead, actor).filter(created_at__date__gte=since, state__in=states)


def _files(*states: str) -> Callable[[Actor, date], QuerySet]:
    return lambda actor, since: visible(Application, actor).filter(submitted_at__date__gte=since, state__in=states)


def _live_loans(**facts: Any) -> Callable[[Actor, date], QuerySet]:
    return lambda actor, since: visible(Loan, actor).filter(state__in=("active", "called_in"), **facts)


def _cases(**facts: Any) -> Callable[[Actor, date], QuerySet]:
    return lambda actor, since: visible(WarningCase, actor).exclude(state="closed").filter(**facts)


def _approved(actor: Actor, since: date) -> QuerySet:
    rows = visible(ReviewStage, actor).filter(kind=ReviewStage.Kind.DECISION, state="done", outcome="approved")
    return rows.filter(finished_at__date__gte=since)


def _late(actor: Actor, since: date) -> QuerySet:
    """Stages over their clock, the oldest first; the clock counts working time, which SQL does not know."""
    clocks = Clocks()
    rows = visible(ReviewStage, actor).filter(state__in=("waiting", "claimed"), opened_at__isnull=False)
    late = [row.pk for row in rows.order_by("opened_at")[:MOST_STAGES] if (clock := clocks.of(row)) and clock.over]
    return visible(ReviewStage, actor).filter(pk__in=late).order_by("opened_at")


_AFTER_APPROVAL = ("approved", "offer_accepted", "contracted", "expired")
_UNDECIDED = ("submitted", "investigating", "in_review", "returned", "declined", "withdrawn")
ROWS: dict[str, Rows] = {
    "leads": Rows(_("Leads"), "lead", _leads("new", "contacted", "qualified", "converted", "lost")),
    "contacted": Rows(_("Contacted"), "lead", _leads("contacted", "qualified", "converted")),
    "qualified": Rows(_("Qualified"), "lead", _leads("qualified", "converted")),
    "applied": Rows(_("Applied"), "application", _files(*_UNDECIDED, *_AFTER_APPROVAL)),
    "approved": Rows(pgettext_lazy("applications", "Approved"), "application", _files(*_AFTER_APPROVAL)),
    "contracted": Rows(_("Contracted"), "application", _files("contracted")),
    "paid_out": Rows(_("Paid out"), "loan", lambda actor, since: visible(Loan, actor).filter(start_date__gte=since)),
    "late": Rows(_("Files over their clock"), "review_stage", _late),
    "approvals": Rows(pgettext_lazy("decisions", "Approvals"), "review_stage", _approved),
    "live": Rows(_("Running loans"), "loan", _live_loans()),
    "overdue": Rows(_("Overdue loans"), "loan", _live_loans(days_past_due__gt=0)),
    "par30": Rows(_("Past 30 days (PAR30)"), "loan", _live_loans(days_past_due__gt=PAR_DAYS)),
    "cases": Rows(_("Open warnings"), "warning_case", _cases()),
    "loose_cases": Rows(_("Warnings without an owner"), "warning_case", _cases(officer=None)),
    **{f"class_{c.value}": Rows(c.label, "loan", _live_loans(asset_class=c.value)) for c in AssetClass},
}
FUNNEL = ("leads", "contacted", "qualified", "applied", "approved", "contracted", "paid_out")


# --- the figures -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A step of the funnel: how many got at least this far; `share` of the longest bar in percent."""

    code: str
    word: Text
    count: int
    share: float


@dataclass(frozen=True)
class ClassLine:
    code: str
    word: Text
    loans: int
    balance: Decimal
    share: float


@dataclass(frozen=True)
class OwnerLine:
    """Open cases of one person by level, most severe first; no name for those nobody has."""

    name: str
    counts: tuple[tuple[str, range], ...]
    total: int


@dataclass(frozen=True)
class Portfolio:
    loans: int
    balance: Decimal
    overdue_loans: int
    overdue_balance: Decimal
    par_balance: Decimal

    @property
    def overdue_share(self) -> Decimal:
        return self.overdue_balance / self.balance if self.balance else ZERO

    @property
    def par_share(self) -> Decimal:
        return self.par_balance / self.balance if self.balance else ZERO


@dataclass(frozen=True)
class Dashboard:
    late_files: int
    oldest_late: ReviewStage | None
    portfolio: Portfolio
    classes: tuple[ClassLine, ...]
    funnel: tuple[Step, ...]
    owners: tuple[OwnerLine, ...]
    open_cases: int
    loose_cases: int
    approvals: int
    approved_amount: Decimal


def dashboard(actor: Actor, since: date) -> Dashboard:
    """The branch as this person may see it; the funnel and the approvals count from `since`."""
    late = list(_late(actor, since).select_related("customer", "claimed_by"))
    owners = _owners(actor, since)
    approved = _approved(actor, since).aggregate(n=Count("pk"), amount=Sum("amount"))
    return Dashboard(
        late_files=len(late),
        oldest_late=late[0] if late else None,
        portfolio=_portfolio(actor, since),
        classes=_classes(actor, since),
        funnel=_funnel(actor, since),
        owners=owners,
        open_cases=sum(line.total for line in owners),
        loose_cases=sum(line.total for line in owners if not line.name),
        approvals=approved["n"],
        approved_amount=approved["amount"] or ZERO,
    )


def _funnel(actor: Actor, since: date) -> tuple[Step, ...]:
    """From lead to money paid out, over what began since then."""
    found = counts({code: ROWS[code].of(actor, since) for code in FUNNEL}, limit=None)
    longest = max(found.values()) or 1
    return tuple(Step(code, ROWS[code].title, found[code], round(100 * found[code] / longest, 1)) for code in FUNNEL)


def _portfolio(actor: Actor, since: date) -> Portfolio:
    late, par = Q(days_past_due__gt=0), Q(days_past_due__gt=PAR_DAYS)
    found = (
        ROWS["live"]
        .of(actor, since)
        .aggregate(
            loans=Count("pk"),
            balance=Sum("outstanding_principal", default=ZERO),
            overdue_loans=Count("pk", filter=late),
            overdue_balance=Sum("outstanding_principal", filter=late, default=ZERO),
            par_balance=Sum("outstanding_principal", filter=par, default=ZERO),
        )
    )
    return Portfolio(**found)


def _classes(actor: Actor, since: date) -> tuple[ClassLine, ...]:
    """The five classes in their order, those without a loan too."""
    rows = ROWS["live"].of(actor, since).order_by().values_list("asset_class")
    found = {code: (n, amount) for code, n, amount in rows.annotate(n=Count("pk"), amount=Sum("outstanding_principal"))}
    whole = sum((amount for _n, amount in found.values()), ZERO) or Decimal(1)
    lines = []
    for asset_class in AssetClass:
        loans, amount = found.get(asset_class.value, (0, ZERO))
        share = round(float(amount / whole) * 100, 1)
        lines.append(ClassLine(f"class_{asset_class.value}", asset_class.label, loans, amount, share))
    return tuple(lines)


def _owners(actor: Actor, since: date) -> tuple[OwnerLine, ...]:
    """Open cases by person: those nobody has first, then the longest lists."""
    rows = ROWS["cases"].of(actor, since).order_by().values_list("officer", "officer__display_name", "level")
    found: dict[tuple[int | None, str], Counter[str]] = {}
    for officer, name, level, count in rows.annotate(n=Count("pk")):
        found.setdefault((officer, name or ""), Counter())[level] = count
    levels = [level.value for level in reversed(Level)]
    lines = [
        OwnerLine(name, tuple((level, range(tally[level])) for level in levels), sum(tally.values()))
        for (_officer, name), tally in found.items()
    ]
    return tuple(sorted(lines, key=lambda line: (line.name != "", -line.total, line.name)))
