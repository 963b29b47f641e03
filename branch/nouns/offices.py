"""Offices: the tree everything belongs to."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import Office
from branch.queries.visibility import visible
from branch.queries.visibility_branch import STAFF_READERS
from branch.services import offices
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import LinkColumn, NounTable
from branch.words import listed

ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})


def administered(actor: Actor) -> QuerySet[Office]:
    """The offices this person looks after, in the order of the tree."""
    condition = Q(pk__in=[])
    for path in actor.paths(ADMINISTRATOR):
        condition |= Q(path__startswith=path)
    return Office.objects.filter(condition).order_by("path")


class OfficeForm(ActionForm):
    parent_id = forms.ModelChoiceField(queryset=Office.objects.none(), label=_("Under"))
    kind = forms.ChoiceField(label=_("Kind"), choices=[c for c in Office.Kind.choices if c[0] != "head_office"])
    code = forms.CharField(label=_("Code"), max_length=20)
    name = forms.CharField(label=_("Name"), max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parents = administered(self.actor).exclude(kind=Office.Kind.SUB_BRANCH)
        self.fields["parent_id"].queryset = parents  # type: ignore[attr-defined]


class RenameForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=100)


class MoveForm(ReasonForm):
    parent_id = forms.ModelChoiceField(
        queryset=Office.objects.none(),
        label=_("Under"),
        help_text=_("Everything below it moves along. What was recorded before keeps its old place."),
    )
    field_order = ("parent_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = administered(self.actor)
        if isinstance(self.instance, Office):
            wanted = offices.PARENT_KIND.get(Office.Kind(self.instance.kind), "")
            rows = rows.filter(kind=wanted).exclude(path__startswith=self.instance.path)
        self.fields["parent_id"].queryset = rows  # type: ignore[attr-defined]


class OfficeSerializer(serializers.ModelSerializer):
    class Meta:
        model = Office
        fields = ("id", "code", "name", "kind", "parent", "path", "created_at")
        read_only_fields = fields


class OfficeTable(NounTable):
    name = LinkColumn()
    code = tables.Column()
    kind = tables.Column()
    parent = tables.Column()

    class Meta(NounTable.Meta):
        model = Office
        fields = ("name", "code", "kind", "parent")


class OfficeFilter(FilterSet):
    class Meta:
        model = Office
        fields = {"kind": ["exact"], "parent": ["exact"]}


def _facts(office: Office, actor: Actor) -> list[tuple[Any, Any]]:
    below = visible(Office, actor).filter(parent=office).order_by("code")
    return [
        (_("Code"), office.code),
        (_("Kind"), office.get_kind_display()),
        (_("Under"), office.parent),
        (_("Offices below"), listed(below)),
        (_("People"), office.staff.filter(is_active=True).count()),
    ]


register(
    Noun(
        name="office",
        plural="offices",
        model=Office,
        readers=STAFF_READERS,
        serializer=OfficeSerializer,
        table=OfficeTable,
        filterset=OfficeFilter,
        section="account_for",
        icon="sitemap",
        search=lambda rows, text: rows.filter(Q(name__icontains=text) | Q(code__iexact=text)),
        related=("parent",),
        ordering=("path",),
        facts=_facts,
        actions=(
            Action(
                "create",
                _("New office"),
                offices.create_office,
                form=OfficeForm,
                on="list",
                roles=ADMINISTRATOR,
                tone="primary",
            ),
            Action(
                "rename",
                _("Rename"),
                offices.rename_office,
                form=RenameForm,
                roles=ADMINISTRATOR,
                initial=lambda actor, office: {"name": office.name},
            ),
            Action(
                "move",
                _("Move"),
                offices.move_office,
                form=MoveForm,
                roles=ADMINISTRATOR,
                when=lambda office: office.parent_id is not None,
                initial=lambda actor, office: {"parent_id": office.parent_id},
            ),
        ),
    )
)
