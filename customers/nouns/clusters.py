"""Clusters of firms around one anchor: judged, capped by two people, their members taken in and looked at."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Count, Q, Sum
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django_filters import BooleanFilter, ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import mask_phone
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from customers.domain.machines import CLUSTER
from customers.models import ChainDocument, Cluster, ClusterMember, PrescreenRun, RecordImport
from customers.nouns.people import ReassignForm
from customers.queries.clusters import current_members, evaluation_of, waiting_for_caps
from customers.queries.visibility import CLUSTER_READERS
from customers.services import clusters, prescreens
from customers.services.financeable import terms_in_force

CRITERION_WORDS = {
    "anchor_standing": _("Anchor's standing"),
    "anchor_years": _("Anchor's years in business"),
    "members": pgettext_lazy("criterion", "Number of members"),
    "churn": _("Members that left"),
    "defaults": _("Members that defaulted"),
    "years_running": _("Years it has run"),
}
#: Members and imports on the cluster's page; the lists have all.
SHOWN = 8
OPEN = ("draft", "submitted", "active", "suspended")


class IdentityForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Cluster.Kind.choices)
    anchor_name = forms.CharField(
        label=_("Anchor"), max_length=120, help_text=_("The core enterprise, market operator or platform.")
    )
    anchor_uscc = forms.CharField(label=_("Anchor's unified social credit code"), max_length=30, required=False)


class NewClusterForm(IdentityForm):
    code = forms.CharField(
        label=_("Code"),
        max_length=32,
        help_text=_("Products name the clusters they are for by it. Small letters, digits, - and _."),
    )
    field_order = ("name", "code", "kind", "anchor_name", "anchor_uscc")


class EvaluationForm(ActionForm):
    anchor_standing = forms.ChoiceField(label=_("Anchor's standing"), choices=Cluster.Standing.choices)
    anchor_years = forms.IntegerField(label=_("Anchor's years in business"), min_value=0)
    members_count = forms.IntegerField(label=pgettext_lazy("criterion", "Number of members"), min_value=0)
    members_left = forms.IntegerField(label=_("Members left in the last year"), min_value=0)
    defaulted_members = forms.IntegerField(label=_("Members that defaulted"), min_value=0)
    years_running = forms.IntegerField(label=_("Years it has run"), min_value=0)
    proposed_cap = MoneyField(
        label=_("Exposure cap"), help_text=_("What the bank lends to all members together at most, in yuan.")
    )
    proposed_member_cap = MoneyField(label=_("Cap per member"))


class FileForm(ActionForm):
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("CSV (also packed as .gz) or Excel. You see its first rows before anything is taken in."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.gz,.xlsx"}),
    )
    rows = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_("In place of a file: a list of objects, by column; they start at once."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("file") and not cleaned.get("rows") and not {"file", "rows"} & set(self.errors):
            self.add_error("file", _("Choose a file."))
        return cleaned


class ClusterSerializer(serializers.ModelSerializer):
    class Meta:
        model = Cluster
        fields = (
            "id", "state", "version", "kind", "code", "name", "anchor_name", "anchor_uscc", "anchor_customer", "source",
            "anchor_standing", "anchor_years", "members_count", "members_left", "defaulted_members", "years_running",
            "score", "proposed_grade", "proposed_cap", "proposed_member_cap", "proposed_by", "grade", "cap",
            "member_cap", "cap_set_by", "cap_set_on", "owner", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ClusterTable(NounTable):
    name = LinkColumn()
    kind = tables.Column()
    anchor_name = tables.Column()
    grade = tables.Column()
    cap = MoneyColumn()
    state = StateColumn()
    owner = tables.Column()

    class Meta(NounTable.Meta):
        model = Cluster
        fields = ("name", "kind", "anchor_name", "grade", "cap", "state", "owner")


class ClusterFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(CLUSTER), label=_("State"))

    class Meta:
        model = Cluster
        fields = {"kind": ["exact"], "owner": ["exact"]}


def _context(cluster: Cluster, actor: Actor) -> dict[str, Any]:
    members = ClusterMember.objects.filter(cluster=cluster)
    counts = members.aggregate(
        all=Count("pk"),
        present=Count("pk", filter=Q(left_on=None)),
        known=Count("pk", filter=Q(left_on=None, customer__isnull=False)),
        leads=Count("pk", filter=Q(lead__isnull=False)),
        financeable=Sum("financeable_amount", filter=Q(left_on=None)),
    )
    return {
        "evaluation": _lines(cluster),
        "members": members.filter(left_on=None).order_by("name", "pk")[:SHOWN],
        "counts": counts,
        "imports": visible(RecordImport, actor).filter(source_id=cluster.source_id).order_by("-pk")[:SHOWN],
        "run": PrescreenRun.objects.filter(cluster=cluster).order_by("-pk").first(),
        "runs_url": f"{reverse('prescreen_run-list')}?cluster={cluster.pk}",
        "panels": panels_of("cluster", cluster, actor),
    }


def _lines(cluster: Cluster) -> list[dict[str, Any]]:
    """Each criterion with the fact it rests on, its points and weight."""
    score = evaluation_of(cluster)
    if score is None:
        return []
    facts = {
        "anchor_standing": cluster.get_anchor_standing_display(),
        "anchor_years": cluster.anchor_years,
        "members": cluster.members_count,
        "churn": cluster.members_left,
        "defaults": cluster.defaulted_members,
        "years_running": cluster.years_running,
    }
    return [
        {"word": CRITERION_WORDS[line.criterion], "fact": facts[line.criterion], "points": line.points,
         "weight": line.weight}
        for line in score.lines
    ]  # fmt: skip


def _identity(cluster: Cluster) -> dict[str, Any]:
    return {name: getattr(cluster, name) for name in IdentityForm.base_fields}


def _known(cluster: Cluster) -> dict[str, Any]:
    return {name: getattr(cluster, name) for name in EvaluationForm.base_fields}


CLUSTER_NOUN = register(
    Noun(
        name="cluster",
        plural="clusters",
        model=Cluster,
        readers=CLUSTER_READERS | clusters.MANAGER,
        serializer=ClusterSerializer,
        table=ClusterTable,
        filterset=ClusterFilter,
        section="find",
        icon="affiliate",
        search=lambda rows, text: (
            rows.filter(name__icontains=text) | rows.filter(anchor_name__icontains=text) | rows.filter(code=text)
        ),
        related=("owner", "anchor_customer", "proposed_by", "cap_set_by"),
        template="customers/cluster.html",
        context=_context,
        open_work=lambda rows, actor: rows.filter(pk__in=waiting_for_caps(actor).values("pk")),
        attachment_kinds=(("document", _("Document")),),
        actions=(
            Action(
                "create",
                _("New cluster"),
                clusters.create_cluster,
                form=NewClusterForm,
                on="list",
                roles=clusters.MANAGER,
                tone="primary",
            ),
            Action(
                "submit",
                _("Submit"),
                clusters.submit_cluster,
                event="submit",
                tone="primary",
                when=lambda cluster: bool(cluster.proposed_grade),
            ),
            Action(
                "prescreen",
                _("Pre-screen members"),
                prescreens.start_prescreen,
                roles=clusters.MANAGER,
                when=lambda cluster: cluster.state == "active" and current_members(cluster).exists(),
                tone="primary",
                confirm=_("All present members go through the decision table in force. Earlier results stay on file."),
            ),
            Action(
                "take-in-members",
                _("Take in members"),
                clusters.take_in_members,
                form=FileForm,
                roles=clusters.MANAGER,
                when=lambda cluster: cluster.state in OPEN,
                tone="primary",
            ),
            Action(
                "evaluate",
                _("Evaluate and propose caps"),
                clusters.evaluate_cluster,
                form=EvaluationForm,
                roles=clusters.MANAGER,
                when=lambda cluster: cluster.state in clusters.JUDGED_IN,
                initial=lambda actor, cluster: _known(cluster),
                tone="primary",
            ),
            Action(
                "activate",
                _("Set caps in force"),
                clusters.activate_cluster,
                event="activate",
                tone="primary",
                confirm=_("Grade and caps are in force from today, as proposed."),
                for_whom=lambda actor, cluster: cluster.proposed_by_id != actor.user_id,
            ),
            Action(
                "approve-cap",
                _("Set new caps in force"),
                clusters.approve_cluster_cap,
                roles=clusters.JUDGES,
                tone="primary",
                when=lambda cluster: cluster.state in ("active", "suspended") and cluster.has_proposal,
                for_whom=lambda actor, cluster: cluster.proposed_by_id != actor.user_id,
                confirm=_("Grade and caps are in force from today, as proposed."),
            ),
            Action(
                "take-in-documents",
                _("Take in orders and receivables"),
                clusters.take_in_documents,
                form=FileForm,
                roles=clusters.MANAGER,
                when=lambda cluster: cluster.state in OPEN,
            ),
            Action(
                "update",
                _("Edit"),
                clusters.update_cluster,
                form=IdentityForm,
                roles=clusters.MANAGER,
                method="PATCH",
                partial=True,
                when=lambda cluster: cluster.state == "draft",
                initial=lambda actor, cluster: _identity(cluster),
            ),
            Action(
                "send-back",
                _("Send back"),
                clusters.send_back_cluster,
                form=ReasonForm,
                event="send_back",
                tone="danger",
            ),
            Action(
                "reassign",
                _("Hand over"),
                clusters.reassign_cluster,
                form=ReassignForm,
                roles=frozenset({Role.BRANCH_MANAGER}),
                when=lambda cluster: cluster.state in clusters.OPEN_STATES,
            ),
            Action("resume", _("Resume"), clusters.resume_cluster, event="resume", tone="primary"),
            Action("suspend", _("Suspend"), clusters.suspend_cluster, form=ReasonForm, event="suspend", tone="danger"),
            Action("close", _("Close"), clusters.close_cluster, form=ReasonForm, event="close", tone="danger"),
        ),
    )
)


# --- members


class MemberSerializer(serializers.ModelSerializer):
    phone = serializers.SerializerMethodField(help_text=_("Masked."))

    class Meta:
        model = ClusterMember
        fields = (
            "id", "cluster", "name", "uscc", "contact_name", "phone", "role", "years_with_anchor", "annual_trade",
            "annual_sales", "employees", "has_overdue", "left_on", "receivables_open", "receivables_late",
            "orders_open", "financeable_amount", "financeable_on", "customer", "lead", "record_import", "line",
            "updated_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_phone(self, member: ClusterMember) -> str:
        return mask_phone(member.phone) if member.phone else ""


class MemberTable(NounTable):
    name = LinkColumn()
    cluster = tables.Column()
    role = tables.Column()
    years_with_anchor = NumberColumn()
    annual_trade = MoneyColumn()
    annual_sales = MoneyColumn()
    financeable_amount = MoneyColumn()
    has_overdue = tables.BooleanColumn()
    left_on = DateColumn()

    class Meta(NounTable.Meta):
        model = ClusterMember
        fields = (
            "name", "cluster", "role", "years_with_anchor", "annual_trade", "annual_sales", "financeable_amount",
            "has_overdue", "left_on",
        )  # fmt: skip


class MemberFilter(FilterSet):
    has_left = BooleanFilter(field_name="left_on", lookup_expr="isnull", exclude=True, label=_("Has left"))
    is_customer = BooleanFilter(field_name="customer", lookup_expr="isnull", exclude=True, label=_("Is a customer"))

    class Meta:
        model = ClusterMember
        fields = {"cluster": ["exact"], "role": ["exact"], "has_overdue": ["exact"], "annual_trade": ["gte"]}


def _member_facts(member: ClusterMember, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Cluster"), member.cluster),
        (_("Unified social credit code"), member.uscc),
        (_("Contact person"), member.contact_name),
        (_("Phone"), mask_phone(member.phone) if member.phone else ""),
        (_("Role in the cluster"), member.get_role_display()),
        (_("Years with the anchor"), member.years_with_anchor),
        (_("Yearly trade with the anchor"), member.annual_trade),
        (_("Yearly sales"), member.annual_sales),
        (_("Employees"), member.employees),
        (_("Overdue with the anchor"), member.has_overdue),
        (_("Left on"), member.left_on),
        (_("Customer"), member.customer),
        (_("Lead"), member.lead),
        (_("Import"), member.record_import),
        (_("Line"), member.line),
        (_("As of"), member.updated_at),
    ]


def _member_context(member: ClusterMember, actor: Actor) -> dict[str, Any]:
    documents = ChainDocument.objects.filter(member=member, superseded_at=None).order_by("due_on", "pk")
    return {"documents": documents[:SHOWN], "terms": terms_in_force(member.financeable_on)}


MEMBER_NOUN = register(
    Noun(
        name="cluster_member",
        plural="cluster-members",
        model=ClusterMember,
        readers=CLUSTER_READERS | {Role.ACCOUNT_MANAGER},
        serializer=MemberSerializer,
        table=MemberTable,
        filterset=MemberFilter,
        section="find",
        icon="users",
        search=lambda rows, text: rows.filter(name__icontains=text) | rows.filter(uscc=text.upper()),
        related=("cluster", "cluster__office", "customer", "lead", "record_import"),
        api_ordering=("id", "updated_at"),
        in_navigation=False,
        facts=_member_facts,
        template="customers/cluster_member.html",
        context=_member_context,
    )
)


# --- orders and receivables


class DocumentSerializer(serializers.ModelSerializer):
    class Meta:
        model = ChainDocument
        fields = (
            "id", "cluster", "member", "kind", "number", "amount", "open_amount", "issued_on", "due_on",
            "record_import", "line", "received_at", "superseded_at",
        )  # fmt: skip
        read_only_fields = fields


class DocumentTable(NounTable):
    number = LinkColumn()
    member = tables.Column()
    kind = tables.Column()
    amount = MoneyColumn()
    open_amount = MoneyColumn()
    issued_on = DateColumn()
    due_on = DateColumn()
    superseded_at = DateColumn()

    class Meta(NounTable.Meta):
        model = ChainDocument
        fields = ("number", "member", "kind", "amount", "open_amount", "issued_on", "due_on", "superseded_at")


class DocumentFilter(FilterSet):
    is_superseded = BooleanFilter(
        field_name="superseded_at", lookup_expr="isnull", exclude=True, label=_("Is superseded")
    )

    class Meta:
        model = ChainDocument
        fields = {"cluster": ["exact"], "member": ["exact"], "kind": ["exact"], "due_on": ["lte"]}


DOCUMENT_NOUN = register(
    Noun(
        name="chain_document",
        plural="chain-documents",
        model=ChainDocument,
        readers=CLUSTER_READERS | {Role.ACCOUNT_MANAGER},
        serializer=DocumentSerializer,
        table=DocumentTable,
        filterset=DocumentFilter,
        section="find",
        icon="file-invoice",
        search=lambda rows, text: rows.filter(number__icontains=text) | rows.filter(member__name__icontains=text),
        related=("cluster", "cluster__office", "member", "record_import"),
        api_ordering=("id", "received_at"),
        in_navigation=False,
        facts=lambda document, actor: [
            (_("Cluster"), document.cluster),
            (_("Member"), document.member),
            (_("Order or receivable"), document.get_kind_display()),
            (_("Amount"), document.amount),
            (_("Open amount"), document.open_amount),
            (_("Issued on"), document.issued_on),
            (_("Due on"), document.due_on),
            (_("Import"), document.record_import),
            (_("Line"), document.line),
            (_("Received at"), document.received_at),
            (_("Superseded at"), document.superseded_at),
        ],
    )
)
