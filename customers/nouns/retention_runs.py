"""Nights of erasure: what went, and who was left with what keeps them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_filters import DateFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.queries.visibility import visible
from branch.web.noun import Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable, NumberColumn
from customers.models import Customer, Lead, RetentionRun
from customers.queries.retention import OBSTACLE_SHORT
from customers.queries.visibility import NIGHT_READERS


class RetentionRunSerializer(serializers.ModelSerializer):
    class Meta:
        model = RetentionRun
        fields = (
            "id", "business_date", "lead_count", "customer_count", "restricted_count", "file_count", "answer_count",
            "set_aside_count", "set_aside", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("set_aside",)


class RunTable(NounTable):
    business_date = LinkColumn()
    lead_count = NumberColumn()
    customer_count = NumberColumn()
    restricted_count = NumberColumn()
    set_aside_count = NumberColumn()
    finished_at = DateColumn()

    class Meta(NounTable.Meta):
        model = RetentionRun
        fields = (
            "business_date", "lead_count", "customer_count", "restricted_count", "set_aside_count", "finished_at",
        )  # fmt: skip


class RunFilter(FilterSet):
    business_date = DateFilter(label=_("Business day"))

    class Meta:
        model = RetentionRun
        fields: list[str] = []


def _facts(run: RetentionRun, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Leads erased"), run.lead_count),
        (_("Customers erased"), run.customer_count),
        (_("Kept and not used from now on"), run.restricted_count),
        (_("Files of lists removed"), run.file_count),
        (_("Answers kept for repeats removed"), run.answer_count),
        (_("Set aside"), run.set_aside_count),
        (_("Started at"), run.started_at),
        (_("Finished at"), run.finished_at),
    ]


def _context(run: RetentionRun, actor: Actor) -> dict[str, Any]:
    """Whom the night had to leave; those the reader sees lead to their page."""
    kinds: tuple[tuple[str, type[Customer] | type[Lead]], ...] = (("customer", Customer), ("lead", Lead))
    named: dict[str, dict[int, Any]] = {
        kind: visible(model, actor).in_bulk([one["id"] for one in run.set_aside if one["kind"] == kind])
        for kind, model in kinds
    }
    return {
        "left": [
            (
                named[one["kind"]].get(one["id"]),
                one,
                [OBSTACLE_SHORT.get(code, code) for code in one["reason"].split(", ")],
            )
            for one in run.set_aside
        ]
    }


register(
    Noun(
        name="retention_run",
        plural="retention-runs",
        model=RetentionRun,
        readers=NIGHT_READERS,
        serializer=RetentionRunSerializer,
        table=RunTable,
        filterset=RunFilter,
        section="account_for",
        icon="eraser",
        ordering=("-business_date",),
        api_ordering=("id", "business_date"),
        template="customers/retention_run.html",
        facts=_facts,
        context=_context,
    )
)
