"""Keeping the registry of metrics. Those that ship are there from the start; the bank adds and adjusts."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, connections, transaction
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.services.events import record, snapshot
from branch.services.transition import lock
from branch.services.use_case import use_case
from customers.domain.metrics import CODE, SHIPPED
from customers.models import Metric
from customers.services.record_sources import KEEPERS

CHANGEABLE = frozenset({"own_name", "unit", "places", "least", "most", "roll_up", "words", "is_active"})


def ensure_metrics(sender: object = None, using: str = "default", **kwargs: object) -> None:
    """Add the metrics that ship and are not there. Runs after every migrate; what the bank changed stays."""
    if Metric._meta.db_table not in connections[using].introspection.table_names():
        return
    Metric.objects.using(using).bulk_create(
        [
            Metric(
                code=one.code, unit=one.unit, words=list(one.words), places=one.places, least=one.least,
                roll_up=one.roll_up.value,
            )
            for one in SHIPPED
        ],
        ignore_conflicts=True,
    )  # fmt: skip


@use_case("create_metric")
def create_metric(*, actor: Actor, code: str, own_name: str, **values: Any) -> Metric:
    """A metric of the bank's own. Raises InvalidInput for a code that is taken or no code."""
    _require(actor, "create")
    if not CODE.fullmatch(code):
        raise InvalidInput(fields={"code": [_("A small letter, then small letters, digits and _; at most 30.")]})
    metric = _with(Metric(code=code), {"own_name": own_name} | values)
    try:
        with transaction.atomic():
            metric.save(force_insert=True)
    except IntegrityError as error:
        raise InvalidInput(fields={"code": [_("There is a metric of this code already.")]}) from error
    record("metric.create", metric, actor=actor)
    return metric


@use_case("update_metric")
def update_metric(*, actor: Actor, metric_id: int, expected_version: int | None = None, **values: Any) -> Metric:
    """Change what it takes and what files call it; figures taken in before stay as they are."""
    _require(actor, "update")
    metric = lock(Metric, metric_id, actor, expected_version)
    before = snapshot(metric)
    _with(metric, values)
    metric.version += 1
    metric.save()
    record("metric.update", metric, actor=actor, before=before)
    return metric


def _require(actor: Actor, event: str) -> None:
    if not actor.holds_bank_wide(KEEPERS):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)


def _with(metric: Metric, values: dict[str, Any]) -> Metric:
    if unknown := set(values) - CHANGEABLE:
        raise TypeError(f"a metric has no {', '.join(sorted(unknown))}")
    for name, value in values.items():
        setattr(metric, name, value)
    errors: dict[str, list[str]] = {}
    metric.words = list(dict.fromkeys(word.strip().lower() for word in metric.words if word.strip()))
    if any(len(word) > 40 for word in metric.words):
        errors["words"] = [_("At most %(count)d characters.") % {"count": 40}]
    if taken := sorted(set(metric.words) & _words_of_others(metric)):
        errors["words"] = [_("Another metric is called so: %(words)s.") % {"words": ", ".join(taken)}]
    if metric.least is not None and metric.most is not None and metric.least > metric.most:
        errors["most"] = [_("The largest value is below the smallest.")]
    if errors:
        raise InvalidInput(fields=errors)
    return metric


def _words_of_others(metric: Metric) -> set[str]:
    rows = Metric.objects.exclude(pk=metric.pk).values_list("words", "code")
    return {word for words, code in rows for word in (*words, code, code.replace("_", " "))}
