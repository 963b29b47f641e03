"""Roles as they are held: by whom, where, from when to when."""

from __future__ import annotations

from datetime import timedelta

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.models import RoleAssignment
from branch.nouns.offices import ADMINISTRATOR
from branch.queries.business_date import business_date
from branch.queries.visibility_branch import STAFF_READERS
from branch.services import staff
from branch.web.forms import DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable


class EndForm(ReasonForm):
    end_date = DateField(label=_("Last day"), help_text=_("Yesterday ends it at once."))
    field_order = ("end_date", "reason")


class AssignmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = RoleAssignment
        fields = ("id", "user", "role", "office", "start_date", "end_date")
        read_only_fields = fields


class AssignmentTable(NounTable):
    user = LinkColumn()
    role = tables.Column()
    office = tables.Column()
    start_date = DateColumn()
    end_date = DateColumn()

    class Meta(NounTable.Meta):
        model = RoleAssignment
        fields = ("user", "role", "office", "start_date", "end_date")


class AssignmentFilter(FilterSet):
    class Meta:
        model = RoleAssignment
        fields = {"role": ["exact"], "office": ["exact"], "user": ["exact"], "start_date": ["gte"], "end_date": ["lte"]}


def _not_over(assignment: RoleAssignment) -> bool:
    return assignment.end_date is None or assignment.end_date >= business_date()


register(
    Noun(
        name="role_assignment",
        plural="role-assignments",
        model=RoleAssignment,
        readers=STAFF_READERS,
        serializer=AssignmentSerializer,
        table=AssignmentTable,
        filterset=AssignmentFilter,
        section="account_for",
        icon="id-badge-2",
        search=lambda rows, text: rows.filter(user__display_name__icontains=text),
        related=("user",),
        api_ordering=("id", "start_date"),
        facts=lambda assignment, actor: [
            (_("Person"), assignment.user),
            (_("Role"), assignment.get_role_display()),
            (_("Office"), assignment.office),
            (_("From"), assignment.start_date),
            (_("Until"), assignment.end_date),
        ],
        actions=(
            Action(
                "end",
                _("End the role"),
                staff.end_role,
                form=EndForm,
                roles=ADMINISTRATOR,
                tone="danger",
                id_argument="assignment_id",
                when=_not_over,
                initial=lambda actor, assignment: {"end_date": business_date() - timedelta(days=1)},
            ),
        ),
    )
)
