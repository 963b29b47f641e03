"""Inspections: what the account manager saw after the money was out, judged by somebody else."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters import ChoiceFilter, DateFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, StateColumn
from postloan.domain.machines import INSPECTION
from postloan.models import Inspection
from postloan.nouns.signals import READERS, search_by_customer
from postloan.services import inspections

OPEN = ("due", "in_progress", "returned")


class YesNoField(forms.NullBooleanField):
    """Yes, no, or not answered yet."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.RadioSelect(choices=[("True", _("Yes")), ("False", _("No"))]), **kwargs)


class InspectionFactsForm(ActionForm):
    """Any of them may have been saved before; what is still missing is named when it is handed in."""

    funds_used_as_agreed = YesNoField(label=_("Funds used as agreed"), required=False)
    business_running = YesNoField(label=_("Business is running"), required=False)
    findings = forms.CharField(
        label=_("Findings"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
    )

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        found = super().values(only)
        return {name: value for name, value in found.items() if value not in (None, "")}


class InspectionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Inspection
        fields = (
            "id", "state", "version", "customer", "loan", "owner", "office", "sequence", "due_date",
            "funds_used_as_agreed", "business_running", "findings", "inspected_by", "return_reason", "accepted_by",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class InspectionTable(NounTable):
    customer = LinkColumn()
    sequence = tables.Column(attrs={"td": {"class": "text-end num"}, "th": {"class": "text-end"}})
    due_date = DateColumn()
    owner = tables.Column(verbose_name=_("account manager"))
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = Inspection
        fields = ("customer", "loan", "sequence", "due_date", "owner", "state")


class InspectionFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(INSPECTION), label=_("State"))
    due_until = DateFilter(field_name="due_date", lookup_expr="lte", label=_("Due until"))

    class Meta:
        model = Inspection
        fields = {"customer": ["exact"], "loan": ["exact"], "owner": ["exact"]}


def _facts(inspection: Inspection, actor: Actor) -> list[tuple[Any, Any]]:
    late = inspection.state in OPEN and inspection.due_date < business_date()
    return [
        (_("Customer"), inspection.customer),
        (_("Loan"), inspection.loan),
        (pgettext_lazy("inspection", "Number"), inspection.sequence),
        (pgettext_lazy("inspection", "Due on"), inspection.due_date),
        (_("Overdue"), late),
        (_("Account manager"), inspection.owner),
        (_("Funds used as agreed"), inspection.funds_used_as_agreed),
        (_("Business is running"), inspection.business_running),
        (_("Findings"), inspection.findings),
        (_("Made by"), inspection.inspected_by),
        (_("Why it was returned"), inspection.return_reason),
        (_("Accepted by"), inspection.accepted_by),
    ]


def _known(actor: Actor, inspection: Inspection) -> dict[str, Any]:
    return {name: getattr(inspection, name) for name in InspectionFactsForm.base_fields}


def _open_work(rows: QuerySet, actor: Actor) -> QuerySet:
    """What waits for this person: to be made by its owner, to be judged by an officer."""
    to_make = rows.filter(state__in=OPEN, owner=actor.user_id) if Role.ACCOUNT_MANAGER in actor.roles else rows.none()
    to_judge = rows.filter(state="submitted") if Role.POST_LOAN_OFFICER in actor.roles else rows.none()
    return to_make | to_judge


register(
    Noun(
        name="inspection",
        plural="inspections",
        model=Inspection,
        readers=READERS,
        serializer=InspectionSerializer,
        table=InspectionTable,
        filterset=InspectionFilter,
        section="look_after",
        icon="clipboard-check",
        search=search_by_customer,
        related=("customer", "loan", "owner", "inspected_by", "accepted_by"),
        ordering=("due_date", "id"),
        api_ordering=("id", "created_at", "due_date"),
        facts=_facts,
        open_work=_open_work,
        attachment_kinds=(("photo", _("Photo")), ("document", _("Document"))),
        actions=(
            Action("start", _("Start"), inspections.start_inspection, event="start", tone="primary"),
            Action(
                "submit",
                _("Hand in"),
                inspections.submit_inspection,
                form=InspectionFactsForm,
                event="submit",
                tone="primary",
                initial=_known,
            ),
            Action("accept", _("Accept"), inspections.accept_inspection, event="accept", tone="primary"),
            Action("resume", _("Take up again"), inspections.resume_inspection, event="resume", tone="primary"),
            Action(
                "save",
                _("Save for later"),
                inspections.save_inspection,
                form=InspectionFactsForm,
                roles=inspections.INSPECTORS,
                method="PATCH",
                partial=True,
                when=lambda inspection: inspection.state == "in_progress",
                initial=_known,
            ),
            Action(
                "send-back",
                _("Send back"),
                inspections.send_back_inspection,
                form=ReasonForm,
                event="send_back",
                tone="danger",
            ),
        ),
    )
)
