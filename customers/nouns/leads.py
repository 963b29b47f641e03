"""Leads: captured, called, qualified, made a customer, or lost with a reason."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import mask_phone, mask_resident_id
from branch.domain.roles import Role
from branch.models import User
from branch.queries.timeline import events_about
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField
from branch.web.noun import Action, Noun, register
from branch.web.panels import Panel, panel, panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from customers.domain.machines import LEAD
from customers.models import Campaign, Customer, Lead
from customers.nouns.people import ReassignForm
from customers.nouns.profiles import ProfileForm
from customers.nouns.visits import VisitForm
from customers.queries.campaigns import counted
from customers.queries.duplicates import duplicates_of
from customers.queries.leads import OPEN_STATES, visits_of
from customers.queries.merges import files_of
from customers.queries.screening import with_hits
from customers.queries.visibility import open_customers
from customers.services import lead_lists, leads, visits

MANAGER = frozenset({Role.ACCOUNT_MANAGER})


class LeadForm(ActionForm):
    name = forms.CharField(label=_("Firm or trade name"), max_length=120)
    uscc = forms.CharField(
        label=_("Unified social credit code"), max_length=30, required=False, help_text=_("Where it is known already.")
    )
    contact_name = forms.CharField(label=_("Contact person"), max_length=60)
    identity_number = forms.CharField(
        label=_("Resident identity number"),
        max_length=30,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    phone = forms.CharField(
        label=_("Phone"), max_length=30, required=False, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    source = forms.ChoiceField(label=_("Source"), choices=Lead.Source.choices)
    campaign_id = forms.ModelChoiceField(queryset=Campaign.objects.none(), label=_("Campaign"), required=False)
    district = forms.CharField(label=_("District"), max_length=60, required=False)
    wanted_amount = MoneyField(label=_("Amount wanted"), required=False)
    next_action = forms.CharField(label=_("Next action"), max_length=200, required=False)
    next_action_date = DateField(label=_("Next action on"), required=False)
    note = forms.CharField(label=_("Note"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_campaigns(self)


def offer_campaigns(form: ActionForm) -> None:
    """The running ones this person sees, and the one that stands there already."""
    standing = getattr(form.instance, "campaign_id", None) or 0
    rows = visible(Campaign, form.actor).filter(Q(state="running") | Q(pk=standing)).order_by("name")
    form.fields["campaign_id"].queryset = rows  # type: ignore[attr-defined]


class NewLeadForm(LeadForm):
    """What may be on file already is asked about once it is found: a page shows the question then and not before."""

    capture_anyway = forms.BooleanField(
        label=_("It is another one; take it in"), required=False, widget=forms.HiddenInput()
    )
    anyway_reason = forms.CharField(
        label=_("Why it is another one"), max_length=500, required=False, widget=forms.HiddenInput()
    )

    def add_error(self, field: str | None, error: Any) -> None:
        if field in ("capture_anyway", "anyway_reason"):
            self.fields["capture_anyway"].widget = forms.CheckboxInput()
            self.fields["anyway_reason"].widget = forms.TextInput()
        super().add_error(field, error)


class ChangeLeadForm(LeadForm):
    """The identity number does not stand in the form: an empty field leaves it as it is."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.instance, Lead) and self.instance.identity_number:
            field = self.fields["identity_number"]
            field.widget.attrs["placeholder"] = mask_resident_id(self.instance.identity_number)
            field.help_text = _("Leave empty to keep what is on file.")

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        given = super().values(only)
        return {name: value for name, value in given.items() if value or name != "identity_number"}


class ListForm(ActionForm):
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("CSV or Excel, at most 5,000 leads. You see its first rows before anything is taken in."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.gz,.xlsx"}),
    )
    rows = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_("In place of a file: a list of objects, by column; they start at once."),
    )
    source = forms.ChoiceField(
        label=_("Source"), choices=Lead.Source.choices, help_text=_("Of those whose row names none.")
    )
    campaign_id = forms.ModelChoiceField(queryset=Campaign.objects.none(), label=_("Campaign"), required=False)
    by_load = forms.BooleanField(
        label=_("Share them out among the account managers of the office, by load"), required=False
    )
    mapping = forms.JSONField(
        label=_("Columns"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_('{"name": "店名", …}; left out, the headings are recognised.'),
    )
    sha256 = forms.CharField(label=_("SHA-256"), max_length=64, required=False, widget=forms.HiddenInput())
    start = forms.BooleanField(label=_("Start at once"), required=False, widget=forms.HiddenInput())

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer_campaigns(self)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("file") and not cleaned.get("rows") and not {"file", "rows"} & set(self.errors):
            self.add_error("file", _("Choose a file."))
        return cleaned


class AssignForm(ActionForm):
    owner_id = forms.ModelChoiceField(queryset=User.objects.none(), label=_("Whose new leads"))
    reason = forms.CharField(label=_("Reason"), max_length=2000, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        having = visible(Lead, self.actor).filter(state="new").values("owner")
        self.fields["owner_id"].queryset = User.objects.filter(pk__in=having)  # type: ignore[attr-defined]


class AssignedSerializer(serializers.Serializer):
    assigned = serializers.IntegerField()


class ContactForm(ActionForm):
    note = forms.CharField(
        label=_("What was said"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    next_action = forms.CharField(label=_("Next action"), max_length=200, required=False)
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
    next_action = forms.CharField(label=_("Next action"), max_length=200, required=False)
    next_action_date = DateField(label=_("Next action on"), required=False)


class LoseForm(ActionForm):
    code = forms.ChoiceField(label=_("Why lost"), choices=Lead.LostReason.choices, required=False)
    reason = forms.CharField(
        label=_("In their words"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    duplicate_lead_id = forms.ModelChoiceField(
        queryset=Lead.objects.none(),
        label=_("Duplicate of the lead"),
        required=False,
        help_text=_("One of those found to be like it."),
    )
    duplicate_customer_id = forms.ModelChoiceField(
        queryset=Customer.objects.none(),
        label=_("Duplicate of the customer"),
        required=False,
        help_text=_("One of those found to be like it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not isinstance(self.instance, Lead):
            return
        found = [match for match in duplicates_of(self.instance, self.actor) if match.is_visible]
        for name, model in (("duplicate_lead_id", Lead), ("duplicate_customer_id", Customer)):
            ids = [match.thing.pk for match in found if isinstance(match.thing, model)]
            if ids:
                self.fields[name].queryset = model.objects.filter(pk__in=ids)  # type: ignore[attr-defined]
            else:
                self.fields[name].widget = forms.HiddenInput()


class LinkForm(ActionForm):
    customer_id = forms.ModelChoiceField(
        queryset=Customer.objects.none(),
        label=_("Customer"),
        widget=forms.Select(attrs={"data-search": ""}),
        help_text=_("One of your customers who is on file already."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = open_customers(self.actor).filter(owner=self.actor.user_id).order_by("name")
        self.fields["customer_id"].queryset = own  # type: ignore[attr-defined]


class LeadSerializer(serializers.ModelSerializer):
    identity_number = serializers.SerializerMethodField(help_text=_("Masked."))
    phone = serializers.SerializerMethodField(help_text=_("Masked."))

    class Meta:
        model = Lead
        fields = (
            "id", "state", "version", "name", "uscc", "contact_name", "identity_number", "phone", "source", "origin",
            "campaign", "referral_link", "district", "wanted_amount", "note", "next_action", "next_action_date",
            "reached", "looks_known", "consent_text", "consent_version", "consented_at", "lost_reason_code",
            "lost_reason", "duplicate_of", "customer", "owner", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_identity_number(self, lead: Lead) -> str:
        return mask_resident_id(lead.identity_number) if lead.identity_number else ""

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
    reached_from = ChoiceFilter(choices=Lead.Reached.choices, label=_("Came at least as far as"), method="narrow_stage")

    class Meta:
        model = Lead
        fields = {
            "source": ["exact"],
            "origin": ["exact"],
            "lost_reason_code": ["exact"],
            "looks_known": ["exact"],
            "campaign": ["exact"],
            "referral_link": ["exact"],
            "owner": ["exact"],
            "next_action_date": ["lte"],
            "wanted_amount": ["gte"],
            "created_at": ["date__gte", "date__lte"],
        }

    def narrow_stage(self, rows: QuerySet[Lead], name: str, value: str) -> QuerySet[Lead]:
        """How many came this far, as a campaign and the funnel count them."""
        stages = Lead.Reached.values
        return counted(rows.filter(reached__in=stages[stages.index(value) :]))


def _facts(lead: Lead, actor: Actor) -> list[tuple[Any, Any]]:
    always = [
        (_("Contact person"), lead.contact_name),
        (_("Phone"), mask_phone(lead.phone) if lead.phone else ""),
        (_("Source"), f"{lead.get_source_display()} · {lead.get_origin_display()}"),
        (_("Amount wanted"), lead.wanted_amount),
        (_("Next action"), lead.next_action),
        (_("Next action on"), lead.next_action_date),
        (_("Account manager"), lead.owner),
        (_("Customer"), lead.customer),
    ]
    where_known = [
        (_("Unified social credit code"), lead.uscc),
        (_("Resident identity number"), mask_resident_id(lead.identity_number) if lead.identity_number else ""),
        (_("District"), lead.district),
        (_("Campaign"), lead.campaign),
        (_("Referral link"), lead.referral_link),
        (_("Why lost"), lead.get_lost_reason_code_display()),
        (_("In their words"), lead.lost_reason),
        (_("Duplicate of"), lead.duplicate_of),
        (_("Note"), lead.note),
        (_("Consented at"), lead.consented_at),
        (_("Consent"), f"{lead.consent_version}: {lead.consent_text}" if lead.consent_version else ""),
    ]
    return always + [(label, value) for label, value in where_known if value]


def _context(lead: Lead, actor: Actor) -> dict[str, Any]:
    # Who is to call needs the number; everybody else sees the mask.
    is_open = lead.state in OPEN_STATES
    return {
        "call_number": lead.phone if lead.owner_id == actor.user_id and is_open else "",
        "visits": visits_of(lead),
        "panels": panels_of("lead", lead, actor),
        "duplicates": [(match, leads.told(match)) for match in duplicates_of(lead, actor)] if is_open else [],
    }


def _known(lead: Lead) -> dict[str, Any]:
    return {field: getattr(lead, field) for field in LeadForm.base_fields if field != "identity_number"}


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
        related=("owner", "customer", "duplicate_of", "campaign", "referral_link"),
        events=lambda lead: with_hits(events_about(lead), lead),
        template="customers/lead.html",
        facts=_facts,
        context=_context,
        open_work=lambda rows, actor: rows.filter(state__in=OPEN_STATES),
        attachment_kinds=(("photo", _("Photo")), ("document", _("Document"))),
        actions=(
            Action(
                "create", _("New lead"), leads.capture_lead, form=NewLeadForm, on="list", roles=MANAGER, tone="primary"
            ),
            Action(
                "import",
                _("Take in a list"),
                lead_lists.receive_leads,
                form=ListForm,
                on="list",
                roles=lead_lists.SENDERS,
            ),
            Action(
                "assign",
                _("Share out new leads"),
                leads.assign_leads,
                form=AssignForm,
                on="list",
                roles=frozenset({Role.BRANCH_MANAGER}),
                answer=lambda number: {"assigned": number},
                answer_serializer=AssignedSerializer,
            ),
            Action(
                "contact", _("Mark contacted"), leads.contact_lead, form=ContactForm, event="contact", tone="primary"
            ),
            Action(
                "visit",
                _("Record a visit"),
                visits.record_visit,
                form=VisitForm,
                roles=MANAGER,
                when=lambda lead: lead.state in OPEN_STATES,
                template="customers/visit_form.html",
                full_page=True,
                initial=lambda actor, lead: {"visited_at": timezone.localtime(), "place": lead.district},
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
                initial=lambda actor, lead: {
                    field: getattr(lead, field) for field in ("name", "uscc", "contact_name", "phone")
                },
            ),
            Action("link", _("Link to a customer on file"), leads.convert_lead, form=LinkForm, event="convert"),
            Action(
                "update",
                _("Edit"),
                leads.update_lead,
                form=ChangeLeadForm,
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
            Action("lose", _("Mark lost"), leads.lose_lead, form=LoseForm, event="lose", tone="danger"),
            Action("reopen", _("Reopen"), leads.reopen_lead, form=ReopenForm, event="reopen", tone="primary"),
        ),
    )
)


@panel("customer")
def leads_of_customer(customer: Customer, actor: Actor) -> Panel | None:
    """Every lead that led to this customer or was found to be the same, newest first, as far as one may see them."""
    if not actor.roles & LEAD_NOUN.readers:
        return None
    rows = (
        visible(Lead, actor).filter(customer__in=files_of(customer)).select_related("campaign", "owner").order_by("-pk")
    )
    found = list(rows.annotate(visit_count=Count("visits")))
    return Panel(_("Leads"), "customers/view/leads.html", {"leads": found}, "leads") if found else None
