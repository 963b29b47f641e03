"""Bank parameters: what is in force, and every value that was ever set."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.parameters import PARAMETERS
from branch.models import ParameterValue
from branch.nouns.offices import ADMINISTRATOR
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.queries.parameters_in_force import shown
from branch.queries.visibility_branch import STAFF_READERS
from branch.services.parameters import set_parameter
from branch.web.forms import DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable


def _codes() -> list[tuple[str, str]]:
    return [(code, f"{code}: {gettext(definition.meaning)}") for code, definition in PARAMETERS.items()]


class ValueField(forms.CharField):
    """Text as typed on the page; over the API also a number, true or false, or a list."""

    def to_python(self, value: Any) -> str | None:
        return ", ".join(str(part) for part in value) if isinstance(value, list) else super().to_python(value)


class ParameterForm(ReasonForm):
    code = forms.ChoiceField(label=_("Parameter"), choices=_codes)
    value = ValueField(label=_("Value"), max_length=500, help_text=_("Several are separated by commas."))
    effective_date = DateField(label=_("Effective from"), help_text=_("Today or later."))
    field_order = ("code", "value", "effective_date", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        definition = PARAMETERS.get(self.initial.get("code", ""))
        if definition is not None:
            self.initial.setdefault("value", shown(definition, parameter(definition.code)))
        self.initial.setdefault("effective_date", business_date())


class ParameterSerializer(serializers.ModelSerializer):
    value = serializers.JSONField()

    class Meta:
        model = ParameterValue
        fields = ("id", "code", "value", "effective_date", "reason", "set_by_id", "set_by_name", "set_at")
        read_only_fields = fields


class ParameterTable(NounTable):
    code = LinkColumn()
    value = tables.Column()
    effective_date = DateColumn()
    set_by_name = tables.Column()
    set_at = DateColumn()
    reason = tables.Column()

    class Meta(NounTable.Meta):
        model = ParameterValue
        fields = ("code", "value", "effective_date", "set_by_name", "set_at", "reason")

    def render_value(self, value: Any, record: ParameterValue) -> str:
        definition = PARAMETERS.get(record.code)
        return shown(definition, value) if definition else str(value)


class ParameterFilter(FilterSet):
    class Meta:
        model = ParameterValue
        fields = {"code": ["exact"], "effective_date": ["gte", "lte"]}


def _facts(row: ParameterValue, actor: Actor) -> list[tuple[Any, Any]]:
    definition = PARAMETERS.get(row.code)
    return [
        (_("Parameter"), row.code),
        (_("Meaning"), gettext(definition.meaning) if definition else ""),
        (_("Value"), shown(definition, row.value) if definition else row.value),
        (_("Default"), shown(definition, definition.default) if definition else ""),
        (_("Effective from"), row.effective_date),
        (_("Set by"), row.set_by_name),
        (_("Set at"), row.set_at),
        (_("Reason"), row.reason),
    ]


register(
    Noun(
        name="parameter",
        plural="parameters",
        model=ParameterValue,
        readers=STAFF_READERS,
        serializer=ParameterSerializer,
        table=ParameterTable,
        filterset=ParameterFilter,
        section="account_for",
        icon="adjustments",
        search=lambda rows, text: rows.filter(code__icontains=text),
        api_ordering=("id", "effective_date"),
        facts=_facts,
        list_template="branch/parameters.html",
        actions=(
            Action(
                "create",
                _("Set a parameter"),
                set_parameter,
                form=ParameterForm,
                on="list",
                bank_wide=True,
                roles=ADMINISTRATOR,
                tone="primary",
            ),
        ),
    )
)
