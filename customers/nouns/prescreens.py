"""Pre-screening on pages and over the API: the decision table in versions, runs with their progress, and results."""

from __future__ import annotations

import json
from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.policy import POLICY
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, extend, register
from branch.web.policies import policy_actions, version_facts, waiting_for
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from customers.domain.machines import PRESCREEN_RUN
from customers.models import PrescreenModel, PrescreenResult, PrescreenRun
from customers.nouns.clusters import CLUSTER_NOUN
from customers.queries.prescreens import REASON_WORDS, model_in_force, reason_words, table_of
from customers.queries.visibility import CLUSTER_READERS, PRESCREEN_MODEL_READERS
from customers.services import prescreen_models, prescreens
from customers.services.clusters import MANAGER

READERS = CLUSTER_READERS | {Role.ACCOUNT_MANAGER}
FACT_WORDS = {
    "years_with_anchor": _("Years with the anchor"),
    "annual_trade": _("Yearly trade with the anchor"),
    "annual_sales": _("Yearly sales"),
    "trade_share": _("Share of sales that is with the anchor"),
    "employees": _("Employees"),
    "has_overdue": _("Overdue with the anchor"),
    "is_duplicate": _("Another member has the same name"),
    "financeable_amount": _("Financeable amount"),
    "cluster_grade": _("Grade of the cluster"),
    "member_cap": _("Cap per member"),
}


# --- the decision table


class TableField(forms.JSONField):
    """A decision table as text that can be read and changed."""

    def prepare_value(self, value: Any) -> Any:
        return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict) else value


class TableForm(ActionForm):
    table = TableField(
        label=_("Decision table"),
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false"}),
        help_text=_("GoRules JDM. It answers outcome (fit, refer or unfit), amount and reasons (code and value)."),
    )

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """The table under the name the service gives it."""
        found = super().values(only)
        return {"values": found["table"]} if "table" in found else {}


class PrescreenModelSerializer(serializers.ModelSerializer):
    class Meta:
        model = PrescreenModel
        fields = (
            "id", "state", "version", "number", "values", "drafted_by", "activated_by", "active_from_date", "office",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ModelTable(NounTable):
    number = LinkColumn()
    state = StateColumn()
    active_from_date = DateColumn()
    drafted_by = tables.Column(verbose_name=_("drafted by"))

    class Meta(NounTable.Meta):
        model = PrescreenModel
        fields = ("number", "state", "active_from_date", "drafted_by")


class ModelFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(POLICY), label=_("State"))

    class Meta:
        model = PrescreenModel
        fields: list[str] = []


MODEL_NOUN = register(
    Noun(
        name="prescreen_model",
        plural="prescreen-models",
        model=PrescreenModel,
        readers=PRESCREEN_MODEL_READERS,
        serializer=PrescreenModelSerializer,
        table=ModelTable,
        filterset=ModelFilter,
        section="account_for",
        icon="table",
        related=("drafted_by", "activated_by"),
        template="customers/prescreen_model.html",
        context=lambda model, actor: {"rules": decision_tables(model.values)},
        facts=lambda model, actor: [
            (_("Version"), model.number),
            *version_facts(model),
        ],
        open_work=waiting_for,
        actions=policy_actions(
            label=_("Draft a decision table"),
            confirm=_("Pre-screenings started from that day on use it; earlier results stay as they are."),
            drafters=prescreen_models.DRAFTERS,
            draft=prescreen_models.draft_prescreen_model,
            submit=prescreen_models.submit_prescreen_model,
            activate=prescreen_models.activate_prescreen_model,
            update=prescreen_models.update_prescreen_model,
            reject=prescreen_models.reject_prescreen_model,
            form=TableForm,
            initial=lambda actor, model: {"table": model.values},
            draft_initial=lambda actor, obj: {"table": table_of(model_in_force(business_date()))},
            full_page=True,
        ),
    )
)


def decision_tables(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The tables of a model as they are read: heads of outputs and inputs, and the cells of each rule."""
    found = []
    for node in content.get("nodes", []):
        inside = node.get("content")
        if node.get("type") != "decisionTableNode" or not isinstance(inside, dict):
            continue
        inputs, outputs = inside.get("inputs", []), inside.get("outputs", [])
        # What a row says first, what it asks for after: it is read from its reason.
        columns = [*outputs, *inputs]
        found.append(
            {
                "name": node.get("name", ""),
                "heads": [_head(column) for column in columns],
                "rows": [[rule.get(column["id"], "") for column in columns] for rule in inside.get("rules", [])],
            }
        )
    return found


def _head(column: dict[str, Any]) -> Any:
    field = str(column.get("field", ""))
    return FACT_WORDS.get(field) or column.get("name") or field


# --- runs


class PrescreenRunSerializer(serializers.ModelSerializer):
    percent_done = serializers.IntegerField(read_only=True)

    class Meta:
        model = PrescreenRun
        fields = (
            "id", "state", "version", "cluster", "prescreen_model", "grade", "member_cap", "started_by",
            "members_total", "members_done", "percent_done", "counts", "amount_total", "last_error", "started_at",
            "finished_at", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class RunTable(NounTable):
    cluster = LinkColumn()
    state = StateColumn()
    members_total = NumberColumn()
    amount_total = MoneyColumn()
    started_by = tables.Column()
    started_at = DateColumn()

    class Meta(NounTable.Meta):
        model = PrescreenRun
        fields = ("cluster", "state", "members_total", "amount_total", "started_by", "started_at")


class RunFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(PRESCREEN_RUN), label=_("State"))

    class Meta:
        model = PrescreenRun
        fields = ("cluster",)


def outcome_cells(run: PrescreenRun) -> list[dict[str, Any]]:
    """Each outcome with how many members have it, and the list of them."""
    where = f"{reverse('prescreen_result-list')}?run={run.pk}"
    return [
        {"code": code, "word": word, "count": run.counts.get(code, 0), "url": f"{where}&outcome={code}"}
        for code, word in PrescreenResult.Outcome.choices
    ]


RUN_NOUN = register(
    Noun(
        name="prescreen_run",
        plural="prescreen-runs",
        model=PrescreenRun,
        readers=READERS,
        serializer=PrescreenRunSerializer,
        table=RunTable,
        filterset=RunFilter,
        section="find",
        icon="list-check",
        related=("cluster", "prescreen_model", "started_by"),
        template="customers/prescreen_run.html",
        context=lambda run, actor: {
            "outcomes": outcome_cells(run),
            "results_url": f"{reverse('prescreen_result-list')}?run={run.pk}&sort=-amount",
        },
        in_navigation=False,
    )
)


# --- results


class PrescreenResultSerializer(serializers.ModelSerializer):
    reason_words = serializers.SerializerMethodField(help_text=_("The reasons in the reader's language."))
    lead = serializers.IntegerField(source="member.lead_id", read_only=True, allow_null=True)

    class Meta:
        model = PrescreenResult
        fields = ("id", "run", "member", "outcome", "amount", "reasons", "reason_words", "facts", "lead")
        read_only_fields = fields

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_reason_words(self, result: PrescreenResult) -> Any:
        return reason_words(result.reasons)


class ChooseColumn(tables.Column):
    """A box to choose the member for a lead; none where it has one already or is unfit. Not in exports."""

    def __init__(self) -> None:
        super().__init__(accessor="pk", verbose_name="", orderable=False, exclude_from_export=True)

    def render(self, record: PrescreenResult) -> Any:
        if record.outcome == PrescreenResult.Outcome.UNFIT or record.member.lead_id:
            return ""
        return format_html_join(
            "",
            '<input class="form-check-input" type="checkbox" name="member_ids" value="{}" form="make-leads"'
            ' data-outcome="{}" aria-label="{}">',
            [(record.member_id, record.outcome, record.member.name)],
        )


class ResultTable(NounTable):
    choose = ChooseColumn()
    member = LinkColumn(order_by="member__name")
    outcome = tables.Column()
    amount = MoneyColumn()
    reasons = tables.Column(orderable=False)
    trade = MoneyColumn(accessor="member__annual_trade", verbose_name=_("yearly trade with the anchor"))
    lead = tables.Column(
        accessor="member__lead", verbose_name=_("lead"), linkify=lambda value: reverse("lead-detail", args=[value.pk])
    )

    class Meta(NounTable.Meta):
        model = PrescreenResult
        fields = ("choose", "member", "outcome", "amount", "reasons", "trade", "lead")

    def render_reasons(self, value: Any) -> Any:
        return format_html_join("", "<div>{}</div>", ((word,) for word in reason_words(value)))

    def value_reasons(self, value: Any) -> str:
        return "; ".join(reason_words(value))

    def render_lead(self, value: Any) -> str:
        return str(_("Lead"))


class ResultFilter(FilterSet):
    reason = ChoiceFilter(choices=list(REASON_WORDS.items()), method="with_reason", label=_("Reason"))

    class Meta:
        model = PrescreenResult
        fields = {"outcome": ["exact"], "run": ["exact"], "amount": ["gte", "lte"], "member__role": ["exact"]}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = [(code, str(word).split("%(")[0].strip(" ;:") or code) for code, word in REASON_WORDS.items()]
        self.filters["reason"].extra["choices"] = words

    def with_reason(self, rows: Any, name: str, value: str) -> Any:
        return rows.filter(reasons__contains=[{"code": value}])


def _result_facts(result: PrescreenResult, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Member"), result.member),
        (_("Pre-screening"), result.run),
        (_("Outcome"), result.get_outcome_display()),
        (_("Pre-approved amount"), result.amount),
        (_("Reasons"), "; ".join(reason_words(result.reasons))),
        *((word, result.facts.get(name)) for name, word in FACT_WORDS.items()),
    ]


RESULT_NOUN = register(
    Noun(
        name="prescreen_result",
        plural="prescreen-results",
        model=PrescreenResult,
        readers=READERS,
        serializer=PrescreenResultSerializer,
        table=ResultTable,
        filterset=ResultFilter,
        section="find",
        icon="list-check",
        search=lambda rows, text: rows.filter(member__name__icontains=text),
        related=("member", "member__lead", "run", "run__cluster", "run__office"),
        api_ordering=("id",),
        in_navigation=False,
        facts=_result_facts,
        list_template="customers/prescreen_results.html",
    )
)


# --- what clusters offer


class MembersField(forms.JSONField):
    """Keys of members: ticked boxes on a page, a list over the API."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> Any:
        if not isinstance(value, list) or not all(str(key).isdecimal() and len(str(key)) < 19 for key in value):
            raise forms.ValidationError(_("Choose members."))
        return [int(key) for key in value]

    def bound_data(self, data: Any, initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return initial != data


class LeadsForm(ActionForm):
    member_ids = MembersField(label=_("Members"), required=False, initial=list)
    prescreen_run_id = forms.IntegerField(
        label=_("All that are fit in this pre-screening"), required=False, min_value=1, widget=forms.HiddenInput()
    )
    capture_anyway = forms.BooleanField(label=_("They are other firms than those on file"), required=False)
    anyway_reason = forms.CharField(label=_("How you know"), max_length=200, required=False)

    def clean_member_ids(self) -> list[int]:
        return self.cleaned_data.get("member_ids") or []


class MadeLeadSerializer(serializers.Serializer):
    member_id = serializers.IntegerField()
    name = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["made", "open", "refused"])
    reason = serializers.CharField(allow_blank=True)
    lead_id = serializers.IntegerField(allow_null=True)


class MadeLeadsSerializer(serializers.Serializer):
    counts = serializers.DictField(child=serializers.IntegerField())
    rows = MadeLeadSerializer(many=True)


def _made(rows: list[prescreens.MadeLead]) -> dict[str, Any]:
    counts = {name: sum(row.outcome == name for row in rows) for name in ("made", "open", "refused")}
    return {"counts": counts, "rows": [vars(row) for row in rows]}


extend(
    CLUSTER_NOUN.name,
    Action(
        "make-leads",
        _("Make leads"),
        prescreens.make_cluster_leads,
        form=LeadsForm,
        roles=MANAGER,
        when=lambda cluster: cluster.state == "active",
        in_menu=False,
        answer=_made,
        answer_serializer=MadeLeadsSerializer,
        answer_template="customers/leads_made.html",
    ),
)
