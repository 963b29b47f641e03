"""Visits to leads."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.web.forms import ActionForm, DateField
from branch.web.noun import Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable
from customers.models import LeadVisit


class VisitForm(ActionForm):
    visited_at = forms.DateTimeField(
        label=_("Visited at"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=[
            "%Y-%m-%dT%H:%M",
            "%Y-%m-%dT%H:%M:%S",
            "%Y-%m-%d %H:%M",
            "%Y-%m-%dT%H:%M%z",
            "%Y-%m-%dT%H:%M:%S%z",
        ],
    )
    place = forms.CharField(label=_("Place"), max_length=200)
    latitude = forms.DecimalField(
        label=_("Latitude"), max_digits=9, decimal_places=6, required=False, widget=forms.HiddenInput()
    )
    longitude = forms.DecimalField(
        label=_("Longitude"), max_digits=9, decimal_places=6, required=False, widget=forms.HiddenInput()
    )
    outcome = forms.ChoiceField(label=_("What came of it"), choices=LeadVisit.Outcome.choices)
    note = forms.CharField(
        label=_("What was said and seen"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    photo = forms.FileField(
        label=_("Photo"),
        required=False,
        help_text=_("Further ones can be added on the visit's page."),
        widget=forms.FileInput(attrs={"accept": "image/*", "capture": "environment"}),
    )
    next_action = forms.CharField(label=_("Next action"), max_length=200, required=False)
    next_action_date = DateField(label=_("Next action on"), required=False)


class VisitSerializer(serializers.ModelSerializer):
    class Meta:
        model = LeadVisit
        fields = (
            "id", "version", "lead", "visitor", "visited_at", "place", "latitude", "longitude", "outcome", "note",
            "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class VisitTable(NounTable):
    visited_at = LinkColumn()
    lead = tables.Column()
    place = tables.Column()
    outcome = tables.Column()
    visitor = tables.Column()

    class Meta(NounTable.Meta):
        model = LeadVisit
        fields = ("visited_at", "lead", "place", "outcome", "visitor")

    def render_visited_at(self, value: Any) -> str:
        return DateColumn().render(value)


class VisitFilter(FilterSet):
    class Meta:
        model = LeadVisit
        fields = {
            "outcome": ["exact"],
            "visitor": ["exact"],
            "lead": ["exact"],
            "visited_at": ["date__gte", "date__lte"],
        }


def _facts(visit: LeadVisit, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Lead"), visit.lead),
        (_("Visited at"), visit.visited_at),
        (_("Visited by"), visit.visitor),
        (_("Place"), visit.place),
        (_("Position"), f"{visit.latitude}, {visit.longitude}" if visit.latitude is not None else ""),
        (_("What came of it"), visit.get_outcome_display()),
        (_("What was said and seen"), visit.note),
    ]


VISIT_NOUN = register(
    Noun(
        name="lead_visit",
        plural="lead-visits",
        model=LeadVisit,
        readers=frozenset({Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER, Role.AUDITOR}),
        serializer=VisitSerializer,
        table=VisitTable,
        filterset=VisitFilter,
        section="find",
        icon="map-pin",
        related=("lead", "lead__office", "visitor"),
        ordering=("-visited_at", "-id"),
        api_ordering=("visited_at", "id"),
        in_navigation=False,
        facts=_facts,
        attachment_kinds=(("photo", _("Photo")), ("document", _("Document"))),
    )
)
