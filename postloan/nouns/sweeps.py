"""Closes of day: start one, and watch it work through its steps."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm, DateField
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable, StateColumn
from postloan.models import SweepRun
from postloan.queries.sweep import progress_of
from postloan.queries.visibility import NIGHT_WATCH
from postloan.services.close import close_business_day

STEP_WORDS = {
    "repricing": _("Floating rates whose day has come"),
    "held_money": _("Money held is put to what falls due"),
    "accrue": _("Interest and penalty interest"),
    "classify": _("Days past due, class and provision"),
    "provisions": _("Change of provisions on the books"),
    "indicators": _("Early-warning indicators"),
    "signals": _("Signals raised, refreshed and cleared"),
    "cases": _("Warning cases"),
    "collection": _("Collection and promises"),
    "inspections": _("Inspections"),
    "expiries": _("Offers and lines past their last day"),
    "balances": _("Balances of the accounts, and the file for the general ledger"),
    "advance": _("The day is closed, the next one open"),
    "seal": _("The day's events are sealed"),
}


class CloseForm(ActionForm):
    date = DateField(label=_("Business day"), help_text=_("Only the present business date can be closed."))


class StepSerializer(serializers.Serializer):
    name = serializers.CharField()
    parts = serializers.IntegerField(help_text=_("Parts of the portfolio the step is done in."))
    done = serializers.IntegerField()
    running = serializers.IntegerField()
    rows = serializers.IntegerField()
    set_aside = serializers.ListField(child=serializers.DictField(), help_text=_("Customers left out, with why."))
    errors = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]


class RunSerializer(serializers.ModelSerializer):
    """One run carries its steps; in a list they are left out."""

    steps = serializers.SerializerMethodField()

    class Meta:
        model = SweepRun
        fields = ("id", "business_date", "state", "started_by_name", "started_at", "finished_at", "steps")
        read_only_fields = fields
        only_alone = ("steps",)

    @extend_schema_field(StepSerializer(many=True))
    def get_steps(self, run: SweepRun) -> Any:
        return StepSerializer(progress_of(run), many=True).data


class RunTable(NounTable):
    business_date = LinkColumn()
    state = StateColumn(verbose_name=_("state"))
    started_by_name = tables.Column(verbose_name=_("started by"))
    started_at = DateColumn()
    finished_at = DateColumn()

    class Meta(NounTable.Meta):
        model = SweepRun
        fields = ("business_date", "state", "started_by_name", "started_at", "finished_at")

    def render_started_by_name(self, value: str, record: SweepRun) -> str:
        return gettext("System") if record.started_by_id is None else value


class RunFilter(FilterSet):
    state = ChoiceFilter(choices=SweepRun.State.choices, label=_("State"))
    business_date = DateFilter(label=_("Business day"))

    class Meta:
        model = SweepRun
        fields: list[str] = []


def _context(run: SweepRun, actor: Actor) -> dict[str, Any]:
    steps = progress_of(run)
    done, parts = sum(step.done for step in steps), sum(step.parts for step in steps)
    return {
        "steps": [(STEP_WORDS.get(step.name, step.name), step) for step in steps],
        "done_percent": round(100 * done / parts) if parts else 100,
    }


register(
    Noun(
        name="sweep_run",
        plural="sweep-runs",
        model=SweepRun,
        readers=NIGHT_WATCH,
        serializer=RunSerializer,
        table=RunTable,
        filterset=RunFilter,
        section="account_for",
        icon="moon",
        ordering=("-business_date",),
        api_ordering=("id", "business_date"),
        template="postloan/sweep_run.html",
        context=_context,
        open_work=lambda rows, actor: rows.filter(state="running"),
        actions=(
            Action(
                "close",
                _("Close the business day"),
                close_business_day,
                form=CloseForm,
                on="list",
                bank_wide=True,
                roles=frozenset({Role.BRANCH_MANAGER, Role.ADMINISTRATOR}),
                tone="primary",
                confirm=_(
                    "No money is booked on this day any more. Interest, classes and warnings are worked out, and the "
                    "date moves on."
                ),
                initial=lambda actor, run: {"date": business_date()},
            ),
        ),
    )
)
