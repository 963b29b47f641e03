"""The registry of metrics: what each takes, and what files call it."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import LinkColumn, NounTable, NumberColumn
from customers.models import Metric
from customers.queries.visibility import SOURCE_READERS
from customers.services import metrics
from customers.services.record_sources import KEEPERS


class WordsField(forms.CharField):
    """Words divided by commas; over the API also a list."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [str(word) for word in value]
        return [word for word in str(value or "").replace("，", ",").replace("、", ",").split(",") if word.strip()]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise forms.ValidationError(self.error_messages["required"], code="required")

    def run_validators(self, value: Any) -> None:
        """Words are checked by the service."""


class MetricForm(ActionForm):
    own_name = forms.CharField(label=_("Name"), max_length=60, required=False)
    unit = forms.CharField(label=_("Unit"), max_length=12, required=False)
    places = forms.IntegerField(label=_("Decimal places"), min_value=0, max_value=3)
    least = forms.DecimalField(
        label=_("Smallest value"), required=False, max_digits=18, decimal_places=3, help_text=_("Empty: no bound.")
    )
    most = forms.DecimalField(
        label=_("Largest value"), required=False, max_digits=18, decimal_places=3, help_text=_("Empty: no bound.")
    )
    roll_up = forms.ChoiceField(label=_("A month's details are"), choices=Metric.Combines.choices)
    words = WordsField(
        label=_("What files call it"), required=False, help_text=_("Divided by commas: 用电量, electricity.")
    )


class NewMetricForm(MetricForm):
    code = forms.CharField(label=_("Code"), max_length=30)
    own_name = forms.CharField(label=_("Name"), max_length=60)
    field_order = ("code",)


class ChangeMetricForm(MetricForm):
    is_active = forms.BooleanField(label=_("In use"), required=False)


class MetricSerializer(serializers.ModelSerializer):
    name = serializers.CharField()

    class Meta:
        model = Metric
        fields = ("id", "version", "code", "name", "unit", "places", "least", "most", "roll_up", "words", "is_active")
        read_only_fields = fields


class MetricTable(NounTable):
    name = LinkColumn(order_by="code", verbose_name=_("Metric"))
    code = tables.Column()
    unit = tables.Column()
    least = NumberColumn()
    most = NumberColumn()
    roll_up = tables.Column()
    is_active = tables.BooleanColumn()

    class Meta(NounTable.Meta):
        model = Metric
        fields = ("name", "code", "unit", "least", "most", "roll_up", "is_active")


class MetricFilter(FilterSet):
    class Meta:
        model = Metric
        fields = ("is_active",)


register(
    Noun(
        name="metric",
        plural="metrics",
        model=Metric,
        readers=SOURCE_READERS,
        serializer=MetricSerializer,
        table=MetricTable,
        filterset=MetricFilter,
        section="account_for",
        icon="ruler-measure",
        ordering=("id",),
        api_ordering=("id",),
        facts=lambda metric, actor: [
            (_("Code"), metric.code),
            (_("Unit"), metric.unit),
            (_("Decimal places"), metric.places),
            (_("Smallest value"), metric.least),
            (_("Largest value"), metric.most),
            (_("A month's details are"), metric.get_roll_up_display()),
            (_("What files call it"), ", ".join(metric.words)),
            (_("In use"), metric.is_active),
        ],
        actions=(
            Action(
                "create",
                _("New metric"),
                metrics.create_metric,
                form=NewMetricForm,
                on="list",
                bank_wide=True,
                roles=KEEPERS,
                tone="primary",
                initial=lambda actor, obj: {"places": 2, "least": 0, "roll_up": "sum"},
            ),
            Action(
                "update",
                _("Edit"),
                metrics.update_metric,
                form=ChangeMetricForm,
                bank_wide=True,
                roles=KEEPERS,
                method="PATCH",
                partial=True,
                initial=lambda actor, metric: {name: getattr(metric, name) for name in ChangeMetricForm.base_fields},
            ),
        ),
    )
)
