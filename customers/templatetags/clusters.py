"""What lists of pre-screening results show of their run."""

from __future__ import annotations

from typing import Any

from django import template

from branch.middleware import actor_of
from branch.queries.visibility import visible
from customers.models import PrescreenRun
from customers.nouns.clusters import CLUSTER_NOUN
from customers.nouns.prescreens import outcome_cells

register = template.Library()


@register.simple_tag(takes_context=True)
def prescreen_run_of(context: Any, filterset: Any) -> PrescreenRun | None:
    """The run a list is narrowed to; None where it is narrowed to none, or to one that is not this person's to see."""
    if "_prescreen_run" not in context.render_context:
        number = str(filterset.data.get("run", ""))
        rows = visible(PrescreenRun, actor_of(context["request"])).select_related("cluster__office", "cluster")
        known = number.isdecimal() and len(number) < 19
        context.render_context["_prescreen_run"] = rows.filter(pk=number).first() if known else None
    run: PrescreenRun | None = context.render_context["_prescreen_run"]
    return run


@register.simple_tag
def outcomes_of(run: PrescreenRun) -> list[dict[str, Any]]:
    return outcome_cells(run)


@register.simple_tag(takes_context=True)
def may_make_leads(context: Any, run: PrescreenRun) -> bool:
    """Whether this person may make leads of members now."""
    return CLUSTER_NOUN.action("make-leads").offered(actor_of(context["request"]), run.cluster)
