"""How long personal data is kept, and from which day it may be overwritten: rules, periods and what stands against it.

A period counts from the day its ground ended, and its last day is still kept: what ended on 2 March 2026 and is kept
ten years may be erased from 3 March 2036 on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any


class Rule(StrEnum):
    LOST_LEAD = "lost_lead"
    DUPLICATE_LEAD = "duplicate_lead"
    IDLE_LEAD = "idle_lead"
    CONVERTED_LEAD = "converted_lead"
    NEVER_BORROWED = "never_borrowed"
    REFUSED_APPLICATION = "refused_application"
    IDENTIFICATION = "identification"
    BAD_CREDIT = "bad_credit"
    #: Nothing but the bank's own periods kept it, and the person asked.
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Period:
    """`parameter` holds the number of `unit`s. One that is law is not shortened by the person's wish."""

    parameter: str
    unit: str
    is_law: bool = False


PERIODS: dict[Rule, Period] = {
    Rule.LOST_LEAD: Period("retention.lost_lead_days", "days"),
    Rule.DUPLICATE_LEAD: Period("retention.duplicate_lead_days", "days"),
    Rule.IDLE_LEAD: Period("retention.idle_lead_days", "days"),
    Rule.NEVER_BORROWED: Period("retention.never_borrowed_days", "days"),
    Rule.REFUSED_APPLICATION: Period("retention.refused_application_days", "days"),
    Rule.IDENTIFICATION: Period("retention.identification_years", "years", is_law=True),
    Rule.BAD_CREDIT: Period("retention.bad_credit_years", "years"),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Kept by `rule` from the day its ground ended; `since` is None while it has not ended."""

    rule: Rule
    length: int
    since: date | None

    @property
    def period(self) -> Period:
        return PERIODS[self.rule]

    @property
    def until(self) -> date | None:
        """The last day it is kept."""
        if self.since is None:
            return None
        if self.period.unit == "days":
            return self.since + timedelta(days=self.length)
        return _years_later(self.since, self.length)


def _years_later(day: date, years: int) -> date:
    """The same day so many years on; 29 February becomes 1 March, or it would be kept a day too short."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


@dataclass(frozen=True, slots=True)
class LeadFacts:
    """`dealt_on`: the last day a person did something about it."""

    state: str
    dealt_on: date
    lost_on: date | None = None
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class CustomerFacts:
    """What lending knows. `has_borrowed`: a contract was signed. Days on which things ended, None where they did not.

    `dealings_ended_on` is the last day of any loan, line or payment; None with `has_borrowed` while one is open.
    """

    dealt_on: date
    has_borrowed: bool = False
    application_ended_on: date | None = None
    dealings_ended_on: date | None = None
    bad_credit_ended_on: date | None = None


def lead_spans(facts: LeadFacts, lengths: Mapping[str, int]) -> tuple[Span, ...]:
    """By which rules a lead is kept. `lengths` are the parameters by their codes."""
    if facts.state == "converted":
        return ()
    rule, since = Rule.IDLE_LEAD, facts.dealt_on
    if facts.state == "lost":
        rule = Rule.DUPLICATE_LEAD if facts.is_duplicate else Rule.LOST_LEAD
        since = facts.lost_on or facts.dealt_on
    return (_span(rule, since, lengths),)


def customer_spans(facts: CustomerFacts, lengths: Mapping[str, int]) -> tuple[Span, ...]:
    """By which rules a customer is kept; the longest counts."""
    if facts.has_borrowed:
        spans = [_span(Rule.IDENTIFICATION, facts.dealings_ended_on, lengths)]
        if facts.bad_credit_ended_on is not None:
            spans.append(_span(Rule.BAD_CREDIT, facts.bad_credit_ended_on, lengths))
        return tuple(spans)
    if facts.application_ended_on is not None:
        return (_span(Rule.REFUSED_APPLICATION, max(facts.application_ended_on, facts.dealt_on), lengths),)
    return (_span(Rule.NEVER_BORROWED, facts.dealt_on, lengths),)


def _span(rule: Rule, since: date | None, lengths: Mapping[str, int]) -> Span:
    return Span(rule, lengths[PERIODS[rule].parameter], since)


def erasable_from(spans: Iterable[Span], *, is_asked: bool = False) -> date | None:
    """The first day no period keeps it; None while a ground has not ended, or where there is none.

    Where the person asked (`is_asked`), only the law's periods count, and one that is none of these ends at once.
    """
    found = list(spans)
    ends = [span.until for span in found if span.period.is_law or not is_asked]
    if not found or None in ends:
        return None
    if not ends:
        return date.min
    return max(end for end in ends if end is not None) + timedelta(days=1)


def leading(spans: Iterable[Span]) -> Span | None:
    """The rule that keeps it longest; one that has not begun to run outlasts all."""
    return max(spans, key=lambda span: span.until or date.max, default=None)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One thing that forbids erasing now. `facts` fill the words of `code`; `until` is the last day, where known.

    A `period` of the bank's own goes away when the person asks; one of the law, or an open dealing, does not.
    """

    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    until: date | None = None

    @property
    def is_period(self) -> bool:
        return self.code in (LAW_PERIOD, OWN_PERIOD)

    def as_json(self) -> dict[str, Any]:
        return {"code": self.code, "facts": self.facts, "until": self.until.isoformat() if self.until else None}


LAW_PERIOD = "law_period"
OWN_PERIOD = "own_period"


def period_obstacles(spans: Iterable[Span], today: date, *, is_asked: bool = False) -> list[Obstacle]:
    """An obstacle for each period that is not over on `today`; while one has not begun, what is open forbids it."""
    return [
        Obstacle(
            LAW_PERIOD if span.period.is_law else OWN_PERIOD,
            {"rule": span.rule.value, "length": span.length, "since": (span.since or today).isoformat()},
            span.until,
        )
        for span in spans
        if span.until is not None and span.until >= today and (span.period.is_law or not is_asked)
    ]


def only_periods(obstacles: Iterable[Obstacle]) -> bool:
    """Whether nothing but time stands against it: then the data is kept, and used for nothing else."""
    found = list(obstacles)
    return bool(found) and all(one.is_period for one in found)
