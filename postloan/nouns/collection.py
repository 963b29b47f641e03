"""Collection cases: overdue money, contact, promises, and how it ended."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, ChoiceFilter, DateFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, StateColumn
from loans.models import Loan
from postloan.domain.machines import COLLECTION
from postloan.models import CollectionCase
from postloan.nouns.signals import READERS, search_by_customer
from postloan.services import collection


class NoteForm(ActionForm):
    note = forms.CharField(label=_("Note"), max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))


class OpenForm(ActionForm):
    loan_id = forms.ModelChoiceField(queryset=Loan.objects.none(), label=_("Loan"))
    note = forms.CharField(label=_("Note"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        overdue = visible(Loan, self.actor).filter(days_past_due__gt=0, state__in=("active", "called_in"))
        self.fields["loan_id"].queryset = overdue.order_by("number")  # type: ignore[attr-defined]


class PromiseForm(ActionForm):
    amount = MoneyField(label=_("Amount promised"))
    promised_date = DateField(label=_("To be paid by"))
    note = forms.CharField(label=_("Note"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 2}))


class CollectionSerializer(serializers.ModelSerializer):
    class Meta:
        model = CollectionCase
        fields = (
            "id", "state", "version", "number", "customer", "loan", "owner", "officer", "office", "opened_on", "note",
            "promised_amount", "promised_on", "promised_date", "outcome", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class CollectionTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    outstanding = MoneyColumn(accessor="loan__outstanding_principal", verbose_name=_("outstanding"))
    days_past_due = NumberColumn(accessor="loan__days_past_due", verbose_name=_("days past due"))
    promised_amount = MoneyColumn()
    promised_date = DateColumn()
    officer = tables.Column(verbose_name=_("officer"))
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = CollectionCase
        fields = (
            "number", "customer", "loan", "outstanding", "days_past_due", "promised_amount", "promised_date",
            "officer", "state",
        )  # fmt: skip


class CollectionFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(COLLECTION), label=_("State"))
    outcome = ChoiceFilter(choices=CollectionCase.Outcome.choices, label=_("Outcome"))
    promised_until = DateFilter(field_name="promised_date", lookup_expr="lte", label=_("Promised until"))
    unclosed = BooleanFilter(method="only_unclosed", label=_("Not closed"))

    class Meta:
        model = CollectionCase
        fields = {"customer": ["exact"], "loan": ["exact"], "officer": ["exact"]}

    def only_unclosed(self, rows: QuerySet, name: str, value: bool) -> QuerySet:
        return rows.exclude(state="closed") if value else rows.filter(state="closed")


def _search(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(number__icontains=text) | search_by_customer(rows, text)


def _facts(case: CollectionCase, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Customer"), case.customer),
        (_("Loan"), case.loan),
        (_("Outstanding"), case.loan.outstanding_principal),
        (_("Days past due"), case.loan.days_past_due),
        (_("Opened on"), case.opened_on),
        (_("Officer"), case.officer),
        (_("Account manager"), case.owner),
        (_("Amount promised"), case.promised_amount),
        (_("Promised for"), case.promised_date),
        (_("Note"), case.note),
        (_("Outcome"), case.get_outcome_display()),
    ]


def _open_work(rows: QuerySet, actor: Actor) -> QuerySet:
    return rows.exclude(state="closed")


register(
    Noun(
        name="collection_case",
        plural="collection-cases",
        model=CollectionCase,
        readers=READERS,
        serializer=CollectionSerializer,
        table=CollectionTable,
        filterset=CollectionFilter,
        section="look_after",
        icon="phone-call",
        search=_search,
        related=("customer", "loan", "officer", "owner"),
        api_ordering=("id", "created_at", "promised_date"),
        facts=_facts,
        open_work=_open_work,
        attachment_kinds=(("call_note", _("Call note")), ("letter", _("Letter")), ("document", _("Document"))),
        actions=(
            Action(
                "create",
                _("Open a collection case"),
                collection.open_collection,
                form=OpenForm,
                on="list",
                roles=frozenset({Role.POST_LOAN_OFFICER}),
                tone="primary",
            ),
            Action(
                "contact",
                _("Record contact"),
                collection.contact_borrower,
                form=NoteForm,
                event="contact",
                tone="primary",
            ),
            Action(
                "promise",
                _("Record a promise"),
                collection.record_promise,
                form=PromiseForm,
                event="promise",
                tone="primary",
            ),
            Action(
                "note",
                _("Add a note"),
                collection.note_collection,
                form=NoteForm,
                roles=collection.OFFICERS,
                when=lambda case: case.state not in ("open", "closed"),
            ),
            Action(
                "break-promise",
                _("The promise is broken"),
                collection.break_promise,
                form=ReasonForm,
                event="break_promise",
            ),
            Action("go-legal", _("Hand to the lawyers"), collection.go_legal, form=ReasonForm, event="go_legal"),
            Action("close-paid", _("Close as paid"), collection.close_paid, form=ReasonForm, event="close_paid"),
            Action(
                "close-restructured",
                _("Close as restructured"),
                collection.close_restructured,
                form=ReasonForm,
                event="close_restructured",
            ),
            Action(
                "close-written-off",
                _("Close as written off"),
                collection.close_written_off,
                form=ReasonForm,
                event="close_written_off",
                tone="danger",
            ),
        ),
    )
)
