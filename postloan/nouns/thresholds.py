"""Threshold sets: the limits of each indicator, written by one person and activated by another."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.web.forms import ActionForm
from branch.web.noun import Noun, register
from branch.web.policies import policy_actions, version_facts, waiting_for
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, StateColumn
from loans.domain.machines import POLICY
from postloan.domain.indicators import Level
from postloan.models import ThresholdSet
from postloan.nouns.indicators import CHOICES, LEVEL_WORDS, label_of
from postloan.queries.visibility import RULE_READERS
from postloan.services import thresholds

#: Settings of single indicators, in the words of the form.
SETTING_WORDS = {"months": _("Months in the average"), "fresh_months": _("Oldest month that still counts, in months")}


class LimitsForm(ActionForm):
    """A limit by level; the indicator's own settings keep their defaults where they are left empty."""

    blue = forms.DecimalField(
        label=_("Blue from"),
        required=False,
        help_text=_("Days, or a share as a fraction: 0.25 is a quarter. Levels left empty are not used."),
    )
    yellow = forms.DecimalField(label=_("Yellow from"), required=False)
    orange = forms.DecimalField(label=_("Orange from"), required=False)
    red = forms.DecimalField(label=_("Red from"), required=False)
    months = forms.IntegerField(label=SETTING_WORDS["months"], required=False)
    fresh_months = forms.IntegerField(label=SETTING_WORDS["fresh_months"], required=False)

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """`values` as the service takes them, over those that stand where only some were sent."""
        found = super().values(only)
        names = set(LimitsForm.base_fields)
        sent = {name: value for name, value in found.items() if name in names}
        kept = dict(self.instance.values) if self.instance is not None and only is not None else {}  # type: ignore[attr-defined]
        merged = {name: value for name, value in (kept | sent).items() if value is not None}
        rest = {name: value for name, value in found.items() if name not in names}
        return rest | {"values": merged}


class DraftThresholdsForm(LimitsForm):
    indicator = forms.ChoiceField(label=_("Indicator"), choices=CHOICES)
    field_order = ("indicator",)


class ThresholdSerializer(serializers.ModelSerializer):
    class Meta:
        model = ThresholdSet
        fields = (
            "id", "state", "version", "indicator", "number", "values", "drafted_by", "activated_by",
            "active_from_date", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ThresholdTable(NounTable):
    indicator = LinkColumn()
    number = tables.Column(attrs={"td": {"class": "text-end num"}, "th": {"class": "text-end"}})
    active_from_date = DateColumn()
    drafted_by = tables.Column(verbose_name=_("drafted by"))
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = ThresholdSet
        fields = ("indicator", "number", "state", "active_from_date", "drafted_by")

    def render_indicator(self, value: str) -> Any:
        return label_of(value)


class ThresholdFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(POLICY), label=_("State"))
    indicator = ChoiceFilter(choices=CHOICES, label=_("Indicator"))

    class Meta:
        model = ThresholdSet
        fields: list[str] = []


def _facts(row: ThresholdSet, actor: Actor) -> list[tuple[Any, Any]]:
    limits = [(LEVEL_WORDS[level], row.values.get(level.value)) for level in Level]
    settings = [(word, row.values[name]) for name, word in SETTING_WORDS.items() if name in row.values]
    return [
        (_("Indicator"), label_of(row.indicator)),
        (_("Version"), row.number),
        *limits,
        *settings,
        *version_facts(row),
    ]


def _search(rows: QuerySet, text: str) -> QuerySet:
    codes = [code for code, label in CHOICES if text.lower() in f"{code} {label}".lower()]
    return rows.filter(indicator__in=codes)


register(
    Noun(
        name="threshold_set",
        plural="threshold-sets",
        model=ThresholdSet,
        readers=RULE_READERS,
        serializer=ThresholdSerializer,
        table=ThresholdTable,
        filterset=ThresholdFilter,
        section="account_for",
        icon="adjustments",
        search=_search,
        related=("drafted_by", "activated_by"),
        facts=_facts,
        open_work=waiting_for,
        actions=policy_actions(
            label=_("Draft thresholds"),
            confirm=_("The nightly close uses them from that day on; the former version is retired."),
            drafters=thresholds.DRAFTERS,
            draft=thresholds.draft_threshold_set,
            submit=thresholds.submit_threshold_set,
            activate=thresholds.activate_threshold_set,
            update=thresholds.update_threshold_set,
            reject=thresholds.reject_threshold_set,
            form=LimitsForm,
            initial=lambda actor, row: dict(row.values),
            draft_form=DraftThresholdsForm,
        ),
    )
)
