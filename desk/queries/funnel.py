"""From lead to money paid out, and why leads were lost: over a time, of a campaign, a source or an account manager.

Every figure is the number of the rows of one entry of ROWS, so whoever opens it finds exactly those. The number of
queries is fixed. Duplicates don't count as leads: they are another lead once more. Amounts in yuan.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.domain.actor import Actor
from branch.domain.money import ZERO
from branch.models import User
from branch.queries.visibility import visible
from customers.models import Campaign, Lead
from customers.queries.campaigns import STAGES, counted, stage_counts
from loans.models import Application, Loan
from loans.queries.campaigns import AFTER_APPROVAL, files_of, loans_of

Text = Any  # a str or a lazy translation
#: What the breakdown may go by, and its word.
DIMENSIONS: dict[str, Text] = {"campaign": _("Campaign"), "source": _("Source"), "owner": _("Account manager")}
#: Lines of the breakdown; there are fewer sources and people than this, and the campaigns with most leads come first.
MOST_LINES = 50


@dataclass(frozen=True)
class Cut:
    """Which leads are looked at: those that came in since a day, of a campaign, a source, an account manager."""

    since: date
    campaign: int | None = None
    source: str = ""
    owner: int | None = None

    def leads(self, actor: Actor) -> QuerySet[Lead]:
        facts = {"campaign": self.campaign, "source": self.source, "owner": self.owner}
        rows = visible(Lead, actor).filter(created_at__date__gte=self.since)
        return rows.filter(**{name: value for name, value in facts.items() if value})


@dataclass(frozen=True)
class Rows:
    """What a figure counts: its words, the noun whose table shows it, and its rows."""

    title: Text
    noun: str
    of: Callable[[Actor, Cut], QuerySet]


def _reached(stage: int) -> Callable[[Actor, Cut], QuerySet]:
    return lambda actor, cut: counted(cut.leads(actor)).filter(reached__in=Lead.Reached.values[stage:])


def _lost(code: str) -> Callable[[Actor, Cut], QuerySet]:
    return lambda actor, cut: cut.leads(actor).filter(state="lost", lost_reason_code=code)


def _files(actor: Actor, cut: Cut) -> QuerySet:
    return _within(files_of(cut.leads(actor)), Application, actor)


def _loans(actor: Actor, cut: Cut) -> QuerySet:
    return _within(loans_of(cut.leads(actor)), Loan, actor)


def _within(rows: QuerySet, model: Any, actor: Actor) -> QuerySet:
    """As far as the person sees them; the figure and the rows it opens are then the same."""
    return rows.filter(pk__in=visible(model, actor).values("pk"))


ROWS: dict[str, Rows] = {
    "leads": Rows(_("Leads"), "lead", _reached(0)),
    "contacted": Rows(_("Contacted"), "lead", _reached(1)),
    "qualified": Rows(_("Qualified"), "lead", _reached(2)),
    "converted": Rows(_("Converted"), "lead", _reached(3)),
    "applied": Rows(_("Applications"), "application", _files),
    "approved": Rows(
        pgettext_lazy("applications", "Approved"),
        "application",
        lambda actor, cut: _files(actor, cut).filter(state__in=AFTER_APPROVAL),
    ),
    "paid_out": Rows(_("Loans paid out"), "loan", _loans),
    **{f"lost_{reason.value}": Rows(reason.label, "lead", _lost(reason.value)) for reason in Lead.LostReason},
}
FUNNEL = ("leads", "contacted", "qualified", "converted", "applied", "approved", "paid_out")


@dataclass(frozen=True)
class Step:
    """`width` of the longest bar and `of_former` of the step before, both in percent; None where that had none."""

    code: str
    word: Text
    count: int
    width: float
    of_former: float | None


@dataclass(frozen=True)
class Line:
    """One campaign, source or account manager: its key, its word, and the stages."""

    key: Any
    word: Text
    counts: tuple[int, ...]
    lost: int
    loans: int
    amount: Decimal


@dataclass(frozen=True)
class Funnel:
    steps: tuple[Step, ...]
    amount: Decimal
    losses: tuple[tuple[str, Text, int], ...]
    lines: tuple[Line, ...]

    @property
    def lost(self) -> int:
        return sum(count for _code, _word, count in self.losses)


def funnel(actor: Actor, cut: Cut, by: str) -> Funnel:
    """The funnel of the cut and its breakdown by one of DIMENSIONS; eight queries."""
    leads = counted(cut.leads(actor)).aggregate(**stage_counts())
    files = _files(actor, cut).aggregate(applied=Count("pk"), approved=Count("pk", filter=Q(state__in=AFTER_APPROVAL)))
    loans = _loans(actor, cut).aggregate(paid_out=Count("pk"), amount=Sum("principal"))
    numbers = {"leads": leads["leads"], **leads, **files, "paid_out": loans["paid_out"]}
    return Funnel(
        _steps([numbers[code] for code in FUNNEL]), loans["amount"] or ZERO, _losses(actor, cut), _lines(actor, cut, by)
    )


def _steps(counts: list[int]) -> tuple[Step, ...]:
    longest = max(counts) or 1
    formers = [None, *counts[:-1]]
    return tuple(
        Step(
            code, ROWS[code].title, count, round(100 * count / longest, 1), round(100 * count / was, 1) if was else None
        )
        for code, count, was in zip(FUNNEL, counts, formers, strict=True)
    )


def _losses(actor: Actor, cut: Cut) -> tuple[tuple[str, Text, int], ...]:
    """Reasons somebody gave, the most frequent first."""
    rows = cut.leads(actor).filter(state="lost").exclude(lost_reason_code="")
    found = rows.values_list("lost_reason_code").annotate(n=Count("pk")).order_by("-n", "lost_reason_code")
    return tuple((f"lost_{code}", Lead.LostReason(code).label, count) for code, count in found)


def _lines(actor: Actor, cut: Cut, by: str) -> tuple[Line, ...]:
    lost = Count("pk", filter=Q(state="lost"))
    grouped: Any = counted(cut.leads(actor)).values(key=F(by)).annotate(**stage_counts(), lost=lost)
    rows = list(grouped.order_by("-leads", "key")[:MOST_LINES])
    won: Any = _loans(actor, cut).values("won").annotate(n=Count("pk"), paid=Sum("principal")).order_by()
    booked = {row["won"]: (row["n"], row["paid"]) for row in won}
    key_of = dict(Lead.objects.filter(pk__in=list(booked)).values_list("pk", by))
    words = _words(by, [row["key"] for row in rows])
    lines = []
    for row in rows:
        mine = [booked[lead] for lead, key in key_of.items() if key == row["key"]]
        counts = tuple(row[name] for name in STAGES)
        amount = sum((paid for _n, paid in mine), ZERO)
        word = words.get(row["key"]) or _("none")
        lines.append(Line(row["key"], word, counts, row["lost"], sum(n for n, _paid in mine), amount))
    return tuple(lines)


def _words(by: str, keys: list[Any]) -> dict[Any, Text]:
    if by == "source":
        return {source.value: source.label for source in Lead.Source}
    model: Any = Campaign if by == "campaign" else User
    return {one.pk: str(one) for one in model.objects.filter(pk__in=[key for key in keys if key])}
