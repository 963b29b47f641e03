"""The registry of metrics: which there are, what they take, and the columns of a file that has one for each."""

from __future__ import annotations

from collections.abc import Mapping

from customers.domain.layouts import LAYOUTS, Layout, with_metrics
from customers.domain.records import Limits
from customers.models import Metric, RecordImport


def limits_of_metrics() -> Mapping[str, Limits]:
    """What each metric in use takes, by its code."""
    return {m.code: Limits(m.places, m.least, m.most) for m in Metric.objects.filter(is_active=True)}


def layout_of(code: str) -> Layout:
    """The columns of a layout; those of single metrics are the registry's."""
    layout = LAYOUTS[code]
    if code != RecordImport.Layout.MONTHS:
        return layout
    metrics = Metric.objects.filter(is_active=True)
    return with_metrics(layout, {metric.code: [metric.code.replace("_", " "), *metric.words] for metric in metrics})


def metric_choices() -> list[tuple[str, str]]:
    return [(metric.code, metric.label) for metric in Metric.objects.all()]
