"""Campaigns and the links they are spread by."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from customers.domain.machines import CAMPAIGN
from customers.models import Campaign, Customer, Lead, ReferralLink
from customers.queries.campaigns import Reached, reached_by
from customers.services import campaigns, referrals

READERS = frozenset({Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER, Role.AUDITOR})
LINKS_SHOWN, COSTS_SHOWN = 10, 20


class _Words(forms.CharField):
    """A list of words, typed with commas between or sent as a list."""

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [str(one) for one in value]
        return [one.strip() for one in str(value or "").replace("，", ",").replace("、", ",").split(",") if one.strip()]

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def validate(self, value: Any) -> None:
        return None

    def run_validators(self, value: Any) -> None:
        return None


class CampaignForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Campaign.Kind.choices)
    target = forms.CharField(
        label=_("Whom it is for"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
    target_kinds = forms.MultipleChoiceField(
        label=_("Kinds of customers"),
        choices=Customer.Kind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    target_industries = _Words(label=_("Industries"), required=False, help_text=_("With commas between."))
    channel = forms.CharField(
        label=_("Channel"),
        max_length=120,
        required=False,
        help_text=_("Leaflets, a market's loudspeaker, a chat group…"),
    )
    budget = MoneyField(label=_("Budget"), min_value=0)
    starts_on = DateField(label=_("Starts on"))
    ends_on = DateField(label=_("Ends on"))


class CostForm(ActionForm):
    amount = MoneyField(label=_("Amount"), min_value=None, help_text=_("A negative amount takes a wrong one back."))
    spent_on = DateField(label=_("Spent on"), required=False)
    note = forms.CharField(label=_("What for"), max_length=200)


class EndForm(ActionForm):
    reason = forms.CharField(label=_("Note"), max_length=2000, required=False)


class ReachedSerializer(serializers.Serializer):
    leads = serializers.IntegerField()
    contacted = serializers.IntegerField()
    qualified = serializers.IntegerField()
    converted = serializers.IntegerField()
    spent = serializers.DecimalField(max_digits=16, decimal_places=2)
    cost_per_lead = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)


class CampaignSerializer(serializers.ModelSerializer):
    results = serializers.SerializerMethodField(help_text=_("Leads by how far they came at least, and what they cost."))

    class Meta:
        model = Campaign
        fields = (
            "id", "state", "version", "kind", "name", "target", "target_kinds", "target_industries", "channel",
            "budget", "starts_on", "ends_on", "results", "owner", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("results",)

    @extend_schema_field(ReachedSerializer)
    def get_results(self, campaign: Campaign) -> Any:
        return ReachedSerializer(reached_by([campaign.pk])[campaign.pk]).data


class CampaignTable(NounTable):
    name = LinkColumn()
    kind = tables.Column()
    state = StateColumn()
    starts_on = DateColumn()
    ends_on = DateColumn()
    budget = MoneyColumn()
    owner = tables.Column()

    class Meta(NounTable.Meta):
        model = Campaign
        fields = ("name", "kind", "state", "starts_on", "ends_on", "budget", "owner")


class CampaignFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(CAMPAIGN), label=_("State"))

    class Meta:
        model = Campaign
        fields = {"kind": ["exact"], "owner": ["exact"], "ends_on": ["gte", "lte"]}


def _facts(campaign: Campaign, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Kind"), campaign.get_kind_display()),
        (_("Whom it is for"), campaign.target),
        (_("Kinds of customers"), "、".join(str(Customer.Kind(kind).label) for kind in campaign.target_kinds)),
        (_("Industries"), "、".join(campaign.target_industries)),
        (_("Channel"), campaign.channel),
        (_("Starts on"), campaign.starts_on),
        (_("Ends on"), campaign.ends_on),
        (_("Run by"), campaign.owner),
        (_("Office"), campaign.office),
    ]


def stages(reached: Reached, campaign: Campaign) -> list[tuple[Any, int, str]]:
    """Word, count and the list behind it."""
    url = f"{reverse('lead-list')}?campaign={campaign.pk}"
    words = (
        (_("Leads"), "new"),
        (_("Contacted"), "contacted"),
        (_("Qualified"), "qualified"),
        (_("Converted"), "converted"),
    )
    numbers = (reached.leads, reached.contacted, reached.qualified, reached.converted)
    return [(word, number, f"{url}&reached_from={code}") for (word, code), number in zip(words, numbers, strict=True)]


def _context(campaign: Campaign, actor: Actor) -> dict[str, Any]:
    reached = reached_by([campaign.pk])[campaign.pk]
    return {
        "reached": reached,
        "stages": stages(reached, campaign),
        "over_budget": reached.spent > campaign.budget,
        "costs": campaign.costs.select_related("recorded_by").order_by("-spent_on", "-pk")[:COSTS_SHOWN],
        "links": visible(ReferralLink, actor)
        .filter(campaign=campaign)
        .select_related("owner")
        .order_by("-pk")[:LINKS_SHOWN],
        "is_late": campaign.state == "running" and campaign.ends_on < business_date(),
        "panels": panels_of("campaign", campaign, actor),
    }


def _known(campaign: Campaign) -> dict[str, Any]:
    return {field: getattr(campaign, field) for field in CampaignForm.base_fields}


CAMPAIGN_NOUN = register(
    Noun(
        name="campaign",
        plural="campaigns",
        model=Campaign,
        readers=READERS,
        serializer=CampaignSerializer,
        table=CampaignTable,
        filterset=CampaignFilter,
        section="find",
        icon="speakerphone",
        search=lambda rows, text: rows.filter(name__icontains=text),
        related=("owner",),
        template="customers/campaign.html",
        facts=_facts,
        context=_context,
        open_work=lambda rows, actor: rows.filter(state="running", owner=actor.user_id),
        actions=(
            Action(
                "create",
                _("New campaign"),
                campaigns.create_campaign,
                form=CampaignForm,
                on="list",
                roles=campaigns.RUNNERS,
                tone="primary",
            ),
            Action("launch", _("Start"), campaigns.launch_campaign, event="launch", tone="primary"),
            Action(
                "cost",
                _("Record a cost"),
                campaigns.record_cost,
                form=CostForm,
                roles=campaigns.RUNNERS,
                tone="primary",
            ),
            Action(
                "update",
                _("Edit"),
                campaigns.update_campaign,
                form=CampaignForm,
                roles=campaigns.RUNNERS,
                method="PATCH",
                partial=True,
                when=lambda campaign: campaign.state in ("planned", "running"),
                initial=lambda actor, campaign: _known(campaign),
            ),
            Action("end", _("End"), campaigns.end_campaign, form=EndForm, event="end"),
            Action("cancel", _("Call off"), campaigns.cancel_campaign, form=ReasonForm, event="cancel", tone="danger"),
        ),
    )
)


# --- referral links


class LinkForm(ActionForm):
    title = forms.CharField(
        label=_("Title"), max_length=120, help_text=_("For you alone: where it will hang or whom it goes to.")
    )
    campaign_id = forms.ModelChoiceField(queryset=Campaign.objects.none(), label=_("Campaign"), required=False)
    expires_on = DateField(label=_("Last day"))
    max_uses = forms.IntegerField(label=_("Uses at most"), min_value=1, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = visible(Campaign, self.actor).filter(state="running").order_by("name")
        self.fields["campaign_id"].queryset = rows  # type: ignore[attr-defined]


class CloseForm(ActionForm):
    reason = forms.CharField(label=_("Note"), max_length=2000, required=False)


class LinkSerializer(serializers.ModelSerializer):
    path = serializers.SerializerMethodField(help_text=_("Where its public page is."))

    class Meta:
        model = ReferralLink
        fields = (
            "id", "version", "title", "path", "campaign", "expires_on", "max_uses", "uses", "is_active", "owner",
            "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_path(self, link: ReferralLink) -> str:
        return reverse("referral", args=[link.token])


class LinkTable(NounTable):
    title = LinkColumn()
    campaign = tables.Column()
    uses = NumberColumn()
    max_uses = NumberColumn()
    expires_on = DateColumn()
    is_active = tables.BooleanColumn()
    owner = tables.Column()

    class Meta(NounTable.Meta):
        model = ReferralLink
        fields = ("title", "campaign", "uses", "max_uses", "expires_on", "is_active", "owner")


class LinkFilter(FilterSet):
    class Meta:
        model = ReferralLink
        fields = {"is_active": ["exact"], "owner": ["exact"], "campaign": ["exact"]}


def _link_facts(link: ReferralLink, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Campaign"), link.campaign),
        (_("Last day"), link.expires_on),
        (_("Uses"), f"{link.uses} / {link.max_uses}" if link.max_uses else link.uses),
        (_("In use"), link.is_active),
        (_("Account manager"), link.owner),
        (_("Office"), link.office),
    ]


LINK_NOUN = register(
    Noun(
        name="referral_link",
        plural="referral-links",
        model=ReferralLink,
        readers=READERS,
        serializer=LinkSerializer,
        table=LinkTable,
        filterset=LinkFilter,
        section="find",
        icon="qrcode",
        search=lambda rows, text: rows.filter(title__icontains=text),
        related=("owner", "campaign"),
        template="customers/referral_link.html",
        facts=_link_facts,
        context=lambda link, actor: {
            "is_taking": referrals.is_taking(link),
            "leads": Lead.objects.filter(referral_link=link).count(),
        },
        actions=(
            Action(
                "create",
                _("New link"),
                referrals.create_link,
                form=LinkForm,
                on="list",
                roles=referrals.MANAGER,
                tone="primary",
            ),
            Action(
                "close",
                _("Close"),
                referrals.close_link,
                form=CloseForm,
                roles=referrals.KEEPERS,
                tone="danger",
                when=lambda link: link.is_active,
                confirm=_("Whoever follows it from then on is told that it is closed. It can't be opened again."),
            ),
        ),
    )
)
