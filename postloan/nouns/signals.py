"""Signals: an indicator past a threshold, with the figures it rests on. Raised and cleared by the nightly close."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.noun import Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LevelColumn, LinkColumn, NounTable, StateColumn
from postloan.domain.machines import SIGNAL
from postloan.models import Signal
from postloan.models.warning import Level
from postloan.nouns.indicators import CHOICES, label_of, moved, shown

READERS = frozenset({Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER, Role.AUDITOR})


class SignalSerializer(serializers.ModelSerializer):
    class Meta:
        model = Signal
        fields = (
            "id", "state", "version", "customer", "loan", "owner", "office", "indicator", "level", "value",
            "threshold", "threshold_version", "evidence", "raised_on", "seen_on", "cleared_on", "case", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class SignalTable(NounTable):
    customer = LinkColumn()
    indicator = tables.Column()
    value = tables.Column(attrs={"td": {"class": "text-end num"}, "th": {"class": "text-end"}})
    level = LevelColumn()
    raised_on = DateColumn()
    seen_on = DateColumn()
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = Signal
        fields = ("customer", "indicator", "value", "level", "loan", "raised_on", "seen_on", "state")

    def render_indicator(self, value: str) -> Any:
        return label_of(value)

    def render_value(self, value: Decimal, record: Signal) -> str:
        return shown(record.indicator, value)

    def value_value(self, value: Decimal) -> Decimal:
        return value


class SignalFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(SIGNAL), label=_("State"))
    level = ChoiceFilter(choices=Level.choices, label=_("Level"))
    indicator = ChoiceFilter(choices=CHOICES, label=_("Indicator"))
    live = BooleanFilter(field_name="cleared_on", lookup_expr="isnull", label=_("Still there"))

    class Meta:
        model = Signal
        fields = {"customer": ["exact"], "loan": ["exact"], "case": ["exact"]}


def search_by_customer(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(customer__name__icontains=text) | rows.filter(loan__number__icontains=text)


def _facts(signal: Signal, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Customer"), signal.customer),
        (_("Loan"), signal.loan),
        (_("Case"), signal.case),
        (_("Raised on"), signal.raised_on),
        (_("Last seen on"), signal.seen_on),
        (_("Cleared on"), signal.cleared_on),
    ]


SIGNAL_NOUN = register(
    Noun(
        name="signal",
        plural="signals",
        model=Signal,
        readers=READERS,
        serializer=SignalSerializer,
        table=SignalTable,
        filterset=SignalFilter,
        section="look_after",
        icon="activity",
        search=search_by_customer,
        related=("customer", "loan", "case", "owner"),
        api_ordering=("id", "created_at", "raised_on", "value"),
        template="postloan/signal.html",
        facts=_facts,
        context=lambda signal, actor: {"moved": moved(signal, business_date())},
        open_work=lambda rows, actor: rows.filter(state="raised", cleared_on=None),
    )
)
