"""How long personal data is kept: a table worked out by hand, and what holds on every day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branch.domain.parameters import PARAMETERS
from customers.domain.retention import (
    PERIODS,
    CustomerFacts,
    LeadFacts,
    Rule,
    Span,
    customer_spans,
    erasable_from,
    lead_spans,
    leading,
    only_periods,
    period_obstacles,
)

LENGTHS = {period.parameter: PARAMETERS[period.parameter].default for period in PERIODS.values()}
MONDAY = date(2026, 3, 2)
#: label → facts, the rule that counts, the first day it may be erased, and that day where the person asked.
LEADS: dict[str, tuple[LeadFacts, Rule | None, date | None, date | None]] = {
    "lost: 180 days": (LeadFacts("lost", MONDAY, MONDAY), Rule.LOST_LEAD, date(2026, 8, 30), date.min),
    "a duplicate: 30 days": (
        LeadFacts("lost", MONDAY, MONDAY, is_duplicate=True),
        Rule.DUPLICATE_LEAD,
        date(2026, 4, 2),
        date.min,
    ),
    "lost long ago, looked into since: counts from its loss": (
        LeadFacts("lost", date(2026, 6, 1), MONDAY),
        Rule.LOST_LEAD,
        date(2026, 8, 30),
        date.min,
    ),
    "lost before days were noted: from the last dealing": (
        LeadFacts("lost", MONDAY),
        Rule.LOST_LEAD,
        date(2026, 8, 30),
        date.min,
    ),
    "open and left alone: a year": (LeadFacts("contacted", MONDAY), Rule.IDLE_LEAD, date(2027, 3, 3), date.min),
    "became a customer: with the customer": (LeadFacts("converted", MONDAY), None, None, None),
}
CUSTOMERS: dict[str, tuple[CustomerFacts, Rule, date | None, date | None]] = {
    "never applied: two years": (CustomerFacts(MONDAY), Rule.NEVER_BORROWED, date(2028, 3, 2), date.min),
    "applied for nothing: three years after it ended": (
        CustomerFacts(MONDAY, application_ended_on=date(2026, 5, 31)),
        Rule.REFUSED_APPLICATION,
        date(2029, 5, 31),
        date.min,
    ),
    "applied for nothing, spoken to since: after that": (
        CustomerFacts(date(2026, 7, 1), application_ended_on=date(2026, 5, 31)),
        Rule.REFUSED_APPLICATION,
        date(2029, 7, 1),
        date.min,
    ),
    "borrowed: ten years after the last dealing, also when asked": (
        CustomerFacts(MONDAY, has_borrowed=True, dealings_ended_on=MONDAY),
        Rule.IDENTIFICATION,
        date(2036, 3, 3),
        date(2036, 3, 3),
    ),
    "the last dealing on 29 February: the 28th would be a day short": (
        CustomerFacts(MONDAY, has_borrowed=True, dealings_ended_on=date(2024, 2, 29)),
        Rule.IDENTIFICATION,
        date(2034, 3, 2),
        date(2034, 3, 2),
    ),
    "borrowed and still owes: cannot be said yet": (
        CustomerFacts(MONDAY, has_borrowed=True),
        Rule.IDENTIFICATION,
        None,
        None,
    ),
    "arrears within the ten years add nothing": (
        CustomerFacts(MONDAY, has_borrowed=True, dealings_ended_on=MONDAY, bad_credit_ended_on=date(2026, 1, 1)),
        Rule.IDENTIFICATION,
        date(2036, 3, 3),
        date(2036, 3, 3),
    ),
}


@pytest.mark.parametrize("label", LEADS)
def test_leads(label: str) -> None:
    facts, rule, free, free_if_asked = LEADS[label]
    spans = lead_spans(facts, LENGTHS)
    assert (getattr(leading(spans), "rule", None), erasable_from(spans)) == (rule, free)
    assert erasable_from(spans, is_asked=True) == free_if_asked


@pytest.mark.parametrize("label", CUSTOMERS)
def test_customers(label: str) -> None:
    facts, rule, free, free_if_asked = CUSTOMERS[label]
    spans = customer_spans(facts, LENGTHS)
    assert (getattr(leading(spans), "rule", None), erasable_from(spans)) == (rule, free)
    assert erasable_from(spans, is_asked=True) == free_if_asked


def test_the_law_s_period_can_be_lengthened_and_not_shortened() -> None:
    years = PARAMETERS["retention.identification_years"]
    assert (years.default, years.lowest, years.grade) == (10, 10, "S")


DAYS = st.dates(date(2000, 1, 1), date(2080, 12, 31))


@given(DAYS, st.integers(0, 99), st.sampled_from(list(PERIODS)))
def test_a_period_never_ends_early(since: date, length: int, rule: Rule) -> None:
    span = Span(rule, length, since)
    end = span.until
    assert end is not None
    if PERIODS[rule].unit == "days":
        assert end - since == timedelta(days=length)
    else:
        assert (end.year - since.year) == length
        assert (end.month, end.day) >= (since.month, since.day)
        assert end - since >= timedelta(days=365 * length)


@given(DAYS, st.none() | DAYS, st.none() | DAYS, st.booleans(), DAYS)
def test_a_day_is_free_when_no_period_is_in_the_way(
    dealt: date, ended: date | None, bad: date | None, borrowed: bool, today: date
) -> None:
    facts = CustomerFacts(dealt, borrowed, ended, ended if borrowed else None, bad)
    spans = customer_spans(facts, LENGTHS)
    free = erasable_from(spans)
    for is_asked in (False, True):
        forbidden = period_obstacles(spans, today, is_asked=is_asked)
        first = erasable_from(spans, is_asked=is_asked)
        if first is not None:
            assert bool(forbidden) == (today < first)
        assert not forbidden or only_periods(forbidden)
    # Whoever asks waits no longer than who doesn't.
    asked = erasable_from(spans, is_asked=True)
    assert free is None or (asked is not None and asked <= free)
