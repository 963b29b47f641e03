"""Warning cases: what moved, why it was raised, and the panel in which a case is worked to its end."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django_filters import BooleanFilter, ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import User
from branch.queries.actors import holders_of
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LevelColumn, LinkColumn, NounTable, StateColumn
from customers.queries.merges import files_of
from loans.models import Facility, Loan
from postloan.domain.indicators import Level as IndicatorLevel
from postloan.domain.machines import CASE
from postloan.models import CollectionCase, Inspection, WarningCase
from postloan.models.warning import Level
from postloan.nouns.indicators import Moved, moved
from postloan.nouns.signals import READERS, SignalSerializer
from postloan.queries.case_page import standing_of
from postloan.services import cases

SEVERITY = {level.value: place for place, level in enumerate(IndicatorLevel)}
#: The one thing to do next, by state: its form stands open beside the case.
NEXT = {"open": "assign", "verifying": "act", "acting": "resolve"}
#: Signals drawn on the page; a case seldom has more.
DRAWN = 8


class AssignCaseForm(ActionForm):
    officer_id = forms.ModelChoiceField(queryset=User.objects.none(), label=_("Post-loan officer"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None:
            officers = holders_of(Role.POST_LOAN_OFFICER, self.instance.office.path)  # type: ignore[attr-defined]
            self.fields["officer_id"].queryset = User.objects.filter(pk__in=officers)  # type: ignore[attr-defined]


class ReassignCaseForm(AssignCaseForm, ReasonForm):
    field_order = ("officer_id", "reason")


class FindingsForm(ActionForm):
    findings = forms.CharField(
        label=_("What was found"), max_length=cases.LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )


class ActForm(ActionForm):
    findings = forms.CharField(
        label=_("What was found"),
        max_length=cases.LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    action = forms.CharField(
        label=_("What is done about it"), max_length=cases.LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3})
    )


class FreezeForm(ReasonForm):
    facility_id = forms.ModelChoiceField(queryset=Facility.objects.none(), label=_("Credit line"))
    field_order = ("facility_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None:
            files = files_of(self.instance.customer)  # type: ignore[attr-defined]
            lines = visible(Facility, self.actor).filter(customer__in=files, state="effective")
            self.fields["facility_id"].queryset = lines.select_related("contract")  # type: ignore[attr-defined]


class CaseSerializer(serializers.ModelSerializer):
    """One case carries its signals; in a list they are left out."""

    signals = SignalSerializer(many=True, read_only=True)

    class Meta:
        model = WarningCase
        fields = (
            "id", "state", "version", "number", "customer", "owner", "officer", "office", "level", "opened_on",
            "findings", "action", "outcome", "closed_at", "signals", "created_at",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("signals",)


class CaseTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    level = LevelColumn()
    opened_on = DateColumn()
    officer = tables.Column(verbose_name=_("officer"))
    owner = tables.Column(verbose_name=_("account manager"))
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = WarningCase
        fields = ("number", "customer", "level", "state", "opened_on", "officer", "owner")

    def order_level(self, rows: QuerySet, is_descending: bool) -> tuple[QuerySet, bool]:
        places = [When(level=level, then=Value(place)) for level, place in SEVERITY.items()]
        ranked = rows.annotate(_rank=Case(*places, output_field=IntegerField()))
        return ranked.order_by("-_rank" if is_descending else "_rank", "-id"), True


class CaseFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(CASE), label=_("State"))
    level = ChoiceFilter(choices=Level.choices, label=_("Level"))
    outcome = ChoiceFilter(choices=WarningCase.Outcome.choices, label=_("Outcome"))
    unclosed = BooleanFilter(method="only_unclosed", label=_("Not closed"))

    class Meta:
        model = WarningCase
        fields = {"customer": ["exact"], "officer": ["exact"], "owner": ["exact"]}

    def only_unclosed(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.exclude(state="closed") if value else rows.filter(state="closed")


def _search(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(number__icontains=text) | rows.filter(customer__name__icontains=text)


def _mine(case: WarningCase, actor: Actor) -> bool:
    return case.officer_id == actor.user_id


def _context(case: WarningCase, actor: Actor) -> dict[str, Any]:
    rows = list(case.signals.select_related("loan").order_by("pk"))
    rows.sort(key=lambda signal: (signal.cleared_on is not None, -SEVERITY[signal.level], signal.pk))
    today = business_date()
    shown = [moved(signal, today) for signal in rows[:DRAWN]]
    files = files_of(case.customer)
    loans = visible(Loan, actor).filter(customer__in=files).order_by("-outstanding_principal", "pk")
    lines = visible(Facility, actor).filter(customer__in=files).exclude(state__in=("closed", "cancelled"))
    return {
        "standing": standing_of(case.customer),
        "moved": shown,
        "sentence": _sentence(shown),
        "loans": loans,
        "lines": lines.select_related("contract", "office").order_by("pk"),
        "freezes": CASE_NOUN.action("freeze-line").offered(actor, case) and _mine(case, actor),
        "freeze_url": CASE_NOUN.url(case, "freeze-line"),
        "inspections": visible(Inspection, actor).filter(customer__in=files).order_by("-due_date")[:3],
        "collections": visible(CollectionCase, actor).filter(customer__in=files).order_by("-pk")[:3],
        "panel": _panel(case, actor),
    }


def _sentence(rows: list[Moved]) -> str:
    """What the eye should take from the charts before it reads one."""
    live = [row for row in rows if row.signal.cleared_on is None]
    severe = [row for row in live if SEVERITY[row.signal.level] >= SEVERITY[Level.ORANGE]]
    if not live:
        return str(_("Every indicator is back in order."))
    values = {"n": len(severe), "all": len(live)}
    return (
        ngettext(
            "%(n)s of %(all)s indicator is at orange or red.",
            "%(n)s of %(all)s indicators are at orange or red.",
            len(live),
        )
        % values
    )


def _panel(case: WarningCase, actor: Actor) -> dict[str, Any] | None:
    """The form of the next step, for whoever may take it."""
    name = NEXT.get(case.state, "")
    if not name or not CASE_NOUN.action(name).offered(actor, case):
        return None
    if name != "assign" and not _mine(case, actor):
        return None
    action = CASE_NOUN.action(name)
    form_class = action.form or ActionForm
    initial = action.initial(actor, case) if action.initial else {}
    return {
        "action": action,
        "form": form_class(initial=initial, actor=actor, instance=case),
        "url": CASE_NOUN.url(case, name),
    }


def _with_officer(state: str) -> Any:
    return lambda case: case.officer_id is not None and case.state in state.split()


def _not_anothers(actor: Actor, case: WarningCase) -> bool:
    return case.officer_id in (None, actor.user_id)


CASE_NOUN = register(
    Noun(
        name="warning_case",
        plural="warning-cases",
        model=WarningCase,
        readers=READERS,
        serializer=CaseSerializer,
        table=CaseTable,
        filterset=CaseFilter,
        section="look_after",
        icon="alert-triangle",
        search=_search,
        related=("customer", "officer", "owner"),
        api_ordering=("id", "created_at", "opened_on"),
        template="postloan/warning_case.html",
        context=_context,
        attachment_kinds=(("call_note", _("Call note")), ("photo", _("Photo")), ("document", _("Document"))),
        open_work=lambda rows, actor: rows.exclude(state="closed"),
        actions=(
            Action("assign", _("Assign"), cases.assign_case, form=AssignCaseForm, event="assign", tone="primary"),
            Action(
                "verify",
                _("Start verifying"),
                cases.start_verification,
                event="verify",
                tone="primary",
                for_whom=_not_anothers,
            ),
            Action(
                "act",
                _("Record what is done"),
                cases.record_action,
                form=ActForm,
                for_whom=_not_anothers,
                event="act",
                tone="primary",
                initial=lambda actor, case: {"findings": case.findings},
            ),
            Action(
                "resolve",
                _("Close as resolved"),
                cases.resolve_case,
                form=ReasonForm,
                for_whom=_not_anothers,
                event="resolve",
                tone="primary",
            ),
            Action(
                "findings",
                _("Write down findings"),
                cases.record_findings,
                form=FindingsForm,
                for_whom=_not_anothers,
                roles=cases.OFFICERS,
                when=_with_officer("verifying acting"),
                initial=lambda actor, case: {"findings": case.findings},
            ),
            Action(
                "freeze-line",
                _("Freeze a credit line"),
                cases.freeze_line,
                form=FreezeForm,
                for_whom=_not_anothers,
                roles=cases.OFFICERS,
                when=_with_officer("verifying acting"),
                confirm=_("Nothing more can be drawn from the line until it is unfrozen."),
            ),
            Action(
                "transfer",
                _("Transfer to collection"),
                cases.transfer_to_collection,
                form=ReasonForm,
                for_whom=_not_anothers,
                event="transfer",
                confirm=_("The case is closed, and collection opens for each loan that is past due."),
            ),
            Action(
                "reassign",
                _("Give to somebody else"),
                cases.reassign_case,
                form=ReassignCaseForm,
                roles=cases.REASSIGNERS,
                when=_with_officer("assigned verifying acting"),
            ),
            Action(
                "dismiss",
                _("Dismiss as a false alarm"),
                cases.dismiss_case,
                form=ReasonForm,
                for_whom=_not_anothers,
                event="dismiss",
                tone="danger",
            ),
        ),
    )
)
