"""Leads: captured, called, qualified, made a customer, or lost with a reason."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import mask_phone
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from customers.domain.machines import LEAD
from customers.models import Customer, Lead
from customers.nouns.people import ReassignForm
from customers.nouns.profiles import ProfileForm
from customers.queries.leads import OPEN_STATES
from customers.services import leads

MANAGER = frozenset({Role.ACCOUNT_MANAGER})


class LeadForm(ActionForm):
    name = forms.CharField(label=_("Firm or trade name"), max_length=120)
    contact_name = forms.CharField(label=_("Contact person"), max_length=60)
    phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    source = forms.ChoiceField(label=_("Source"), choices=Lead.Source.choices)
    wanted_amount = MoneyField(label=_("Amount wanted"), required=False)
    next_action_date = DateField(label=_("Next action on"), required=False)
    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))


class ContactForm(ActionForm):
    note = forms.CharField(
        label=_("What was said"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    next_action_date = DateField(label=_("Next action on"), required=False)


class QualifyForm(ActionForm):
    wanted_amount = MoneyField(label=_("Amount wanted"), required=False)
    note = forms.CharField(
        label=_("Why they look able to carry it"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ReopenForm(ActionForm):
    reason = forms.CharField(label=_("Reason"), max_length=2000, required=False)
    next_action_date = DateField(label=_("Next action on"), required=False)


class LinkForm(ActionForm):
    customer_id = forms.ModelChoiceField(
        queryset=Customer.objects.none(),
        label=_("Customer"),
        widget=forms.Select(attrs={"data-search": ""}),
        help_text=_("One of your customers who is on file already."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = visible(Customer, self.actor).filter(owner=self.actor.user_id).order_by("name")
        self.fields["customer_id"].queryset = own  # type: ignore[attr-defined]


class LeadSerializer(serializers.ModelSerializer):
    phone = serializers.SerializerMethodField(help_text=_("Masked."))

    class Meta:
        model = Lead
        fields = (
            "id", "state", "version", "name", "contact_name", "phone", "source", "wanted_amount", "note",
            "next_action_date", "lost_reason", "customer", "owner", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_phone(self, lead: Lead) -> str:
        return mask_phone(lead.phone) if lead.phone else ""


class LeadTable(NounTable):
    name = LinkColumn()
    wanted_amount = MoneyColumn()
    state = StateColumn()
    next_action_date = DateColumn()
    source = tables.Column()
    owner = tables.Column()

    class Meta(NounTable.Meta):
        model = Lead
        fields = ("name", "wanted_amount", "state", "next_action_date", "source", "owner")


class LeadFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(LEAD), label=_("State"))

    class Meta:
        model = Lead
        fields = {"source": ["exact"], "owner": ["exact"], "next_action_date": ["lte"], "wanted_amount": ["gte"]}


def _facts(lead: Lead, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Contact person"), lead.contact_name),
        (_("Phone"), mask_phone(lead.phone) if lead.phone else ""),
        (_("Source"), lead.get_source_display()),
        (_("Amount wanted"), lead.wanted_amount),
        (_("Next action on"), lead.next_action_date),
        (_("Account manager"), lead.owner),
        (_("Customer"), lead.customer),
        (_("Reason for loss"), lead.lost_reason),
        (_("Note"), lead.note),
    ]


def _context(lead: Lead, actor: Actor) -> dict[str, Any]:
    # Who is to call needs the number; everybody else sees the mask.
    return {"call_number": lead.phone if lead.owner_id == actor.user_id and lead.state in OPEN_STATES else ""}


def _known(lead: Lead) -> dict[str, Any]:
    fields = ("name", "contact_name", "phone", "source", "wanted_amount", "next_action_date", "note")
    return {field: getattr(lead, field) for field in fields}


LEAD_NOUN = register(
    Noun(
        name="lead",
        plural="leads",
        model=Lead,
        readers=MANAGER | {Role.BRANCH_MANAGER, Role.AUDITOR},
        serializer=LeadSerializer,
        table=LeadTable,
        filterset=LeadFilter,
        section="find",
        icon="user-plus",
        search=lambda rows, text: rows.filter(name__icontains=text) | rows.filter(contact_name__icontains=text),
        related=("owner", "customer"),
        template="customers/lead.html",
        facts=_facts,
        context=_context,
        open_work=lambda rows, actor: rows.filter(state__in=OPEN_STATES),
        attachment_kinds=(("photo", _("Photo")), ("document", _("Document"))),
        actions=(
            Action(
                "create", _("New lead"), leads.capture_lead, form=LeadForm, on="list", roles=MANAGER, tone="primary"
            ),
            Action(
                "contact", _("Mark contacted"), leads.contact_lead, form=ContactForm, event="contact", tone="primary"
            ),
            Action(
                "qualify",
                _("Mark qualified"),
                leads.qualify_lead,
                form=QualifyForm,
                event="qualify",
                tone="primary",
                initial=lambda actor, lead: {"wanted_amount": lead.wanted_amount},
            ),
            Action(
                "convert",
                _("Make a customer"),
                leads.convert_lead,
                form=ProfileForm,
                event="convert",
                tone="primary",
                initial=lambda actor, lead: {"name": lead.name, "contact_name": lead.contact_name, "phone": lead.phone},
            ),
            Action("link", _("Link to a customer on file"), leads.convert_lead, form=LinkForm, event="convert"),
            Action(
                "update",
                _("Edit"),
                leads.update_lead,
                form=LeadForm,
                roles=MANAGER,
                method="PATCH",
                partial=True,
                when=lambda lead: lead.state in OPEN_STATES,
                initial=lambda actor, lead: _known(lead),
            ),
            Action(
                "reassign",
                _("Hand over"),
                leads.reassign_lead,
                form=ReassignForm,
                roles=frozenset({Role.BRANCH_MANAGER}),
                when=lambda lead: lead.state != "converted",
            ),
            Action("lose", _("Mark lost"), leads.lose_lead, form=ReasonForm, event="lose", tone="danger"),
            Action("reopen", _("Reopen"), leads.reopen_lead, form=ReopenForm, event="reopen", tone="primary"),
        ),
    )
)
