"""Changes to the working calendar."""

from __future__ import annotations

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.models import CalendarOverride
from branch.nouns.offices import ADMINISTRATOR
from branch.queries.visibility_branch import STAFF_READERS
from branch.services.calendar import set_calendar_override
from branch.web.forms import DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import LinkColumn, NounTable


class CalendarForm(ReasonForm):
    date = DateField(label=_("Day"), help_text=_("A day to come."))
    is_working = forms.BooleanField(
        label=_("It is a working day"), required=False, help_text=_("Not ticked: a day off.")
    )
    field_order = ("date", "is_working", "reason")


class CalendarSerializer(serializers.ModelSerializer):
    class Meta:
        model = CalendarOverride
        fields = ("id", "date", "is_working_day", "reason")
        read_only_fields = fields


class CalendarTable(NounTable):
    date = LinkColumn()
    reason = tables.Column()

    class Meta(NounTable.Meta):
        model = CalendarOverride
        fields = ("date", "is_working_day", "reason")


class CalendarFilter(FilterSet):
    class Meta:
        model = CalendarOverride
        fields = {"date": ["gte", "lte"], "is_working_day": ["exact"]}


register(
    Noun(
        name="calendar_override",
        plural="calendar",
        model=CalendarOverride,
        readers=STAFF_READERS,
        serializer=CalendarSerializer,
        table=CalendarTable,
        filterset=CalendarFilter,
        section="account_for",
        icon="calendar-event",
        ordering=("-date",),
        api_ordering=("id", "date"),
        facts=lambda row, actor: [
            (_("Day"), row.date),
            (_("Working day"), _("yes") if row.is_working_day else _("no")),
            (_("Reason"), row.reason),
        ],
        actions=(
            Action(
                "create",
                _("Change the calendar"),
                set_calendar_override,
                form=CalendarForm,
                on="list",
                bank_wide=True,
                roles=ADMINISTRATOR,
                tone="primary",
            ),
        ),
    )
)
