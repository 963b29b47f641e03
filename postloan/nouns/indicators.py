"""Indicators as a person reads them: words, values with their unit, evidence, a course with its threshold bands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from postloan.domain.indicators import INDICATORS, Level
from postloan.domain.thresholds import Rule
from postloan.models import Signal
from postloan.queries.case_page import course_of, rule_of

Text = Any  # a str or a lazy translation


def _days(value: Decimal) -> str:
    days = int(value)
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def _drop(value: Decimal) -> str:
    """A drop is kept above zero and shown below it."""
    return f"{-value * 100:+.1f}%".replace("-", "−")


@dataclass(frozen=True)
class Look:
    """How an indicator is shown. `scale` turns its value into the chart's; `unit` stands behind it there."""

    label: Text
    formula: Text
    show: Callable[[Decimal], str]
    scale: int
    unit: str
    kind: str
    source: Text
    inputs: Mapping[str, Text]


LOOKS: Mapping[str, Look] = {
    "overdue": Look(
        label=_("Days past due"),
        formula=_("Days since the oldest instalment that is not fully paid fell due"),
        show=_days,
        scale=1,
        unit="",
        kind="bar",
        source=_("Schedule and repayments"),
        inputs={
            "days_past_due": _("Days past due"),
            "overdue_amount": _("Overdue amount"),
            "oldest_unpaid_due_date": _("Oldest unpaid due date"),
        },
    ),
    "electricity_down": Look(
        label=_("Electricity against its own average"),
        formula=_("(average of the months before − latest month) ÷ average"),
        show=_drop,
        scale=-100,
        unit="%",
        kind="line",
        source=_("Meter figures, kWh by month"),
        inputs={"average": _("Average of the months before")},
    ),
}
CHOICES = [(code, LOOKS[code].label) for code in INDICATORS]


def label_of(code: str) -> Text:
    return LOOKS[code].label if code in LOOKS else code.replace("_", " ")


def shown(code: str, value: Decimal) -> str:
    """A value with its unit: 8 days, −43.8%."""
    return LOOKS[code].show(value) if code in LOOKS else str(value)


def limit_shown(code: str, limit: Decimal) -> str:
    """A threshold as a reader compares it: ≥ 8 days, ≤ −25.0%."""
    sign = "≤" if code in LOOKS and LOOKS[code].scale < 0 else "≥"
    return f"{sign} {shown(code, limit)}"


@dataclass(frozen=True)
class Moved:
    """One indicator of a case, ready for the page."""

    signal: Signal
    look: Look
    value: str
    limit: str
    inputs: list[tuple[Text, str]]
    chart: dict[str, Any]
    worse: str

    @property
    def id(self) -> str:
        return f"indicator-{self.signal.pk}"


def moved(signal: Signal, today: date) -> Moved:
    """Everything the page shows of a signal; the course ends on the day the signal was last seen."""
    rule = rule_of(signal)
    look = LOOKS[signal.indicator]
    course = course_of(signal, rule, min(today, signal.seen_on))
    scaled = [None if value is None else float(value * look.scale) for value in course.values]
    chart = {
        "kind": look.kind,
        "unit": look.unit,
        "x": course.labels,
        "series": [{"name": str(look.label), "data": scaled}],
        "bands": bands(rule, look, [value for value in scaled if value is not None]),
    }
    return Moved(
        signal=signal,
        look=look,
        value=shown(signal.indicator, signal.value),
        limit=limit_shown(signal.indicator, signal.threshold),
        inputs=inputs_of(signal),
        chart=chart,
        worse=next_level(signal, rule),
    )


def inputs_of(signal: Signal) -> list[tuple[Text, str]]:
    """The figures behind a signal in a reader's words, months in their order."""
    look, found = LOOKS[signal.indicator], dict(signal.evidence.get("inputs", {}))
    named = [(word, found.pop(name)) for name, word in look.inputs.items() if name in found]
    return [*sorted(found.items()), *named]


def bands(rule: Rule, look: Look, values: list[float]) -> list[dict[str, Any]]:
    """Where each level begins and ends on the chart's axis; the worst one ends beyond the last value."""
    limits = [(level, float(limit * look.scale)) for level, limit in rule.thresholds.limits.items()]
    far = max([abs(limit) for _level, limit in limits] + [abs(value) for value in values]) * 1.15
    ends = [limit for _level, limit in limits[1:]] + [far if look.scale > 0 else -far]
    return [
        {"from": start, "to": end, "level": level.value, "label": ""}
        for (level, start), end in zip(limits, ends, strict=True)
    ]


def next_level(signal: Signal, rule: Rule) -> str:
    """ "red from 31 days"; empty at the worst level."""
    steps = list(rule.thresholds.limits.items())
    for (level, _limit), (worse, limit) in pairwise(steps):
        if level == signal.level:
            return gettext("%(level)s from %(value)s") % {
                "level": LEVEL_WORDS[worse],
                "value": shown(signal.indicator, limit),
            }
    return ""


LEVEL_WORDS: Mapping[Level, Text] = {
    Level.BLUE: _("Blue"),
    Level.YELLOW: _("Yellow"),
    Level.ORANGE: _("Orange"),
    Level.RED: _("Red"),
}
