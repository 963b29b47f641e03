"""What keeps the data of customers and leads, until when, and what forbids erasing them now; for one or for many.

Apps above tell what they know through `facts_source` and `obstacle_source`, each asked once for all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import reduce
from typing import Any

from django.db import connection
from django.db.models import Count
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.queries.business_date import business_date
from branch.queries.parameters import parameters
from customers.domain.retention import (
    LAW_PERIOD,
    OWN_PERIOD,
    PERIODS,
    CustomerFacts,
    LeadFacts,
    Obstacle,
    Rule,
    Span,
    customer_spans,
    erasable_from,
    lead_spans,
    leading,
    only_periods,
    period_obstacles,
)
from customers.models import Customer, ErasureRequest, Lead, ScreeningHit
from customers.queries.merges import kept_by_file
from customers.queries.screening import STOPPING

Ids = Collection[int]
#: What an app knows of some customers: {id: {"has_borrowed": True, "dealings_ended_on": …}}; of days the latest counts.
FactsSource = Callable[[Ids], Mapping[int, Mapping[str, Any]]]
#: What forbids erasing some customers: (id, obstacle) pairs.
ObstacleSource = Callable[[Ids], Iterable[tuple[int, Obstacle]]]
#: Numbers told by name in an obstacle.
MOST_NAMED = 5
_FACTS: list[FactsSource] = []
_OBSTACLES: list[ObstacleSource] = []

RULE_WORDS: dict[str, Any] = {
    Rule.LOST_LEAD: _("lost lead"),
    Rule.DUPLICATE_LEAD: _("lead that was a duplicate"),
    Rule.IDLE_LEAD: _("lead nobody works on"),
    Rule.CONVERTED_LEAD: _("with the customer the lead became"),
    Rule.NEVER_BORROWED: _("customer who never applied"),
    Rule.REFUSED_APPLICATION: _("applications that came to nothing"),
    Rule.IDENTIFICATION: _("identification data and transaction records of a borrower"),
    Rule.BAD_CREDIT: _("arrears of more than 90 days"),
    Rule.REQUEST: _("at the person's own request"),
}
_OWN = _("the bank's own period; Personal Information Protection Law (个人信息保护法), art. 19: no longer than needed")
SOURCE_WORDS: dict[str, Any] = {
    **dict.fromkeys(Rule, _OWN),
    Rule.REQUEST: _("Personal Information Protection Law (个人信息保护法), art. 47"),
    Rule.IDENTIFICATION: _("Anti-Money-Laundering Law (反洗钱法, 2024), art. 34: at least ten years"),
    Rule.BAD_CREDIT: _("the bank's own period, the five years credit bureaus have by 征信业管理条例, art. 16"),
}
#: What an obstacle says; apps above add theirs.
OBSTACLE_WORDS: dict[str, Any] = {
    LAW_PERIOD: _("The law keeps it until %(until)s: %(source)s."),
    OWN_PERIOD: _(
        "It is kept until %(until)s by the bank's own period (%(rule)s). At the person's own request it can go sooner."
    ),
    "held": _("Somebody had it kept since %(since)s. The hold must be lifted first."),
    "open_hit": _("Screening hits not settled yet: %(count)s."),
    "confirmed_hit": _("It was confirmed to stand on a watchlist (hits: %(count)s), which has to stay provable."),
    "merged": _("This file was merged into another one of the customer; it goes when that one goes."),
    "became_customer": _("The lead became a customer: its data goes when the customer's goes."),
}
#: The same in a word or two, for lists of many.
OBSTACLE_SHORT: dict[str, Any] = {
    "held": _("held"),
    "open_hit": _("open screening hit"),
    "confirmed_hit": _("confirmed screening hit"),
}


def facts_source(function: FactsSource) -> FactsSource:
    """Register what an app above knows of customers."""
    _FACTS.append(function)
    return function


def obstacle_source(function: ObstacleSource) -> ObstacleSource:
    """Register what an app above has against erasing customers."""
    _OBSTACLES.append(function)
    return function


def numbered(code: str, pairs: Iterable[tuple[int, str]]) -> list[tuple[int, Obstacle]]:
    """An obstacle for each customer of the (id, number) pairs, with the first of its numbers and how many there are."""
    numbers: dict[int, list[str]] = defaultdict(list)
    for pk, number in pairs:
        numbers[pk].append(number)
    return [(pk, Obstacle(code, {"numbers": _shortened(found), "count": len(found)})) for pk, found in numbers.items()]


def _shortened(numbers: list[str]) -> str:
    more = len(numbers) - MOST_NAMED
    return ", ".join(numbers[:MOST_NAMED]) + (f" +{more}" if more > 0 else "")


@dataclass(frozen=True)
class Standing:
    """How the data of one customer or lead stands on a day. `open` is what is not a period; `request` the open one."""

    today: date
    spans: tuple[Span, ...]
    open: tuple[Obstacle, ...]
    request: ErasureRequest | None = None

    @property
    def is_asked(self) -> bool:
        """Whether the person asked: then the bank's own periods no longer count."""
        return self.request is not None and self.request.is_of_person

    @property
    def obstacles(self) -> tuple[Obstacle, ...]:
        """All that forbids erasing it today."""
        return self.obstacles_where(is_asked=self.is_asked)

    def obstacles_where(self, *, is_asked: bool) -> tuple[Obstacle, ...]:
        """The same, were it asked for by the person or not."""
        return (*self.open, *period_obstacles(self.spans, self.today, is_asked=is_asked))

    @property
    def is_over(self) -> bool:
        """Whether every period is over, whoever asked or did not."""
        return not period_obstacles(self.spans, self.today) and erasable_from(self.spans) is not None

    @property
    def rule(self) -> Rule:
        """By which it would be erased today."""
        if self.is_asked and not self.is_over:
            return Rule.REQUEST
        span = leading(self.spans)
        return span.rule if span else Rule.CONVERTED_LEAD

    @property
    def erasable_from(self) -> date | None:
        return erasable_from(self.spans)

    def day_free(self, *, is_asked: bool) -> date | None:
        """The first day no period keeps it, were it asked for or not; None while that can't be said."""
        day = erasable_from(self.spans, is_asked=is_asked)
        return None if day is None else max(day, self.today)

    @property
    def is_kept_only(self) -> bool:
        """Whether nothing but time stands against a request: then the data is kept and used for nothing else."""
        return self.is_asked and only_periods(self.obstacles)


def standings_of_customers(ids: Ids, today: date | None = None) -> dict[int, Standing]:
    """By id. The number of queries does not grow with that of the customers.

    A customer's files are one: what keeps any of them keeps all. A file merged into another goes with that one.
    """
    today = today or business_date()
    kept = kept_by_file(ids)
    rows = Customer.objects.filter(pk__in=list(kept)).values("pk", "created_at", "held_on")
    dealt = _last_dealt("customer_id", list(kept))
    by_file = {row["pk"]: CustomerFacts(dealt.get(row["pk"]) or timezone.localdate(row["created_at"])) for row in rows}
    known: dict[int, CustomerFacts] = {}
    for file, facts in by_file.items():
        known[kept[file]] = _joined(known.get(kept[file], facts), {"dealt_on": facts.dealt_on})
    told_of: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for source in _FACTS:
        for file, told in source(list(kept)).items():
            told_of[kept[file]].append(told)
    known = {pk: reduce(_joined, told_of[pk], facts) for pk, facts in known.items()}
    found: dict[int, list[Obstacle]] = defaultdict(list)
    for ask in _OBSTACLES:
        for file, obstacle in ask(list(kept)):
            found[kept[file]].append(obstacle)
    for file, obstacle in (*_held(rows), *_hits("customer_id", kept)):
        found[kept[file]].append(obstacle)
    lengths, requests = _lengths(), _requests("customer_id", kept)
    standings = {}
    for pk in ids:
        if pk in kept:
            spans = customer_spans(known[kept[pk]], lengths)
            merged = (Obstacle("merged", {"into": kept[pk]}),) if kept[pk] != pk else ()
            standings[pk] = Standing(today, spans, (*merged, *found[kept[pk]]), requests.get(pk))
    return standings


def standings_of_leads(ids: Ids, today: date | None = None) -> dict[int, Standing]:
    """By id, in a fixed number of queries."""
    today = today or business_date()
    rows = Lead.objects.filter(pk__in=ids).values("pk", "created_at", "held_on", "state", "lost_on", "lost_reason_code")
    dealt = _last_dealt("lead", [row["pk"] for row in rows])
    known = {
        row["pk"]: LeadFacts(
            row["state"],
            dealt.get(row["pk"]) or timezone.localdate(row["created_at"]),
            row["lost_on"],
            row["lost_reason_code"] == Lead.LostReason.DUPLICATE,
        )
        for row in rows
    }
    found: dict[int, list[Obstacle]] = defaultdict(list)
    for pk, obstacle in (*_held(rows), *_hits("lead_id", known)):
        found[pk].append(obstacle)
    for pk, facts in known.items():
        if facts.state == "converted":
            found[pk].append(Obstacle("became_customer"))
    lengths, requests = _lengths(), _requests("lead_id", known)
    return {
        pk: Standing(today, lead_spans(facts, lengths), tuple(found[pk]), requests.get(pk))
        for pk, facts in known.items()
    }


def standing_of(subject: Customer | Lead, today: date | None = None) -> Standing:
    """The same of one."""
    of = standings_of_customers if isinstance(subject, Customer) else standings_of_leads
    return of([subject.pk], today)[subject.pk]


def _joined(facts: CustomerFacts, told: Mapping[str, Any]) -> CustomerFacts:
    """What one more app told: of two days the later one, and borrowed is borrowed."""
    merged = {}
    for name, value in told.items():
        before = getattr(facts, name)
        merged[name] = value if before is None else before if value is None else max(before, value)
    return replace(facts, **merged)


def _lengths() -> dict[str, int]:
    return parameters(*(period.parameter for period in PERIODS.values()))


def _last_dealt(of: str, ids: list[int]) -> dict[int, date]:
    """The last day a person did something: changed it, looked at it with a reason, filed something."""
    if not ids:
        return {}
    by = "e.customer_id = o.id" if of == "customer_id" else "e.subject_type = 'lead' AND e.subject_id = o.id::text"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT o.id, last.business_date FROM unnest(%s::bigint[]) AS o(id)
            CROSS JOIN LATERAL (
                SELECT e.business_date FROM branch_event e
                WHERE {by} AND e.actor_id IS NOT NULL AND e.name <> ALL(%s) ORDER BY e.id DESC LIMIT 1
            ) last
            """,
            [ids, list(NO_DEALING)],
        )
        return dict(cursor.fetchall())


#: What is done about the data itself keeps it no longer.
NO_DEALING = (
    "customer.hold", "customer.lift_hold", "lead.hold", "lead.lift_hold", "customer.reassign", "lead.reassign",
    "erasure_request.create", "erasure_request.withdraw", "customer.reveal", "attachment.download",
)  # fmt: skip


def _held(rows: Iterable[Mapping[str, Any]]) -> list[tuple[int, Obstacle]]:
    return [(row["pk"], Obstacle("held", {"since": row["held_on"].isoformat()})) for row in rows if row["held_on"]]


def _hits(owner: str, ids: Collection[int]) -> list[tuple[int, Obstacle]]:
    rows = ScreeningHit.objects.filter(**{f"{owner}__in": list(ids)}, state__in=STOPPING).order_by()
    counts: dict[tuple[int, str], int] = defaultdict(int)
    for pk, state, count in rows.values_list(owner, "state").annotate(count=Count("pk")):
        counts[pk, "confirmed_hit" if state == "confirmed" else "open_hit"] += count
    return [(pk, Obstacle(code, {"count": count})) for (pk, code), count in sorted(counts.items())]


def _requests(owner: str, ids: Collection[int]) -> dict[int, ErasureRequest]:
    rows = ErasureRequest.objects.filter(**{f"{owner}__in": list(ids)}, state="open")
    return {getattr(row, owner): row for row in rows}


# --- in words


def rule_word(rule: str) -> str:
    return str(RULE_WORDS.get(rule, rule))


def source_word(rule: str) -> str:
    return str(SOURCE_WORDS.get(rule, ""))


def obstacle_words(code: str, facts: Mapping[str, Any], until: date | str | None) -> str:
    """An obstacle in a sentence, in the reader's language; also one stored as JSON."""
    rule = str(facts.get("rule", ""))
    words = {**facts, "until": str(until or ""), "rule": rule_word(rule), "source": source_word(rule)}
    return gettext(OBSTACLE_WORDS[code]) % words if code in OBSTACLE_WORDS else code


#: What the person may not hear, lest they learn that the bank looks into them.
UNSPOKEN = frozenset({"held", "open_hit", "confirmed_hit", "open_case"})


def answer_to_person(obstacles: Iterable[Mapping[str, Any]]) -> list[str]:
    """What forbade it, as JSON keeps it, in sentences for the person who asked."""
    found = list(obstacles)
    said = [obstacle_words(**one) for one in found if one["code"] not in UNSPOKEN]
    hidden = any(one["code"] in UNSPOKEN for one in found)
    return [*said, gettext("The bank has to keep it by law for now.")] if hidden and not said else said


def told(obstacle: Obstacle) -> str:
    return obstacle_words(obstacle.code, obstacle.facts, obstacle.until)


def length_word(span: Span) -> str:
    """How long, as a person says it."""
    if span.period.unit == "years":
        return gettext("%(count)d years") % {"count": span.length}
    return gettext("%(count)d days") % {"count": span.length}
