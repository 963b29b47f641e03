"""How loans stood at the end of a day: what a night's change of provisions sums up, loan by loan."""

from __future__ import annotations

import django_tables2 as tables
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFilter, FilterSet, NumberFilter
from rest_framework import serializers

from branch.models import Event
from branch.web.noun import Noun, register, url_of
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn
from loans.models import Product
from loans.nouns.loans import total
from loans.queries.visibility_lending import LOAN_READERS
from postloan.models import LoanDay


class LoanDaySerializer(serializers.ModelSerializer):
    loan_number = serializers.CharField(source="loan.number", read_only=True)

    class Meta:
        model = LoanDay
        fields = (
            "id", "loan", "loan_number", "date", "outstanding_principal", "overdue_amount", "days_past_due",
            "asset_class", "class_rule", "provision",
        )  # fmt: skip
        read_only_fields = fields


class LoanDayTable(NounTable):
    loan = LinkColumn(accessor="loan__number", linkify=lambda record: url_of(record.loan), footer=_("Total"))
    date = DateColumn(verbose_name=_("day"))
    outstanding_principal = MoneyColumn(verbose_name=_("outstanding principal"), footer=total("outstanding_principal"))
    days_past_due = NumberColumn(verbose_name=_("days past due"))
    asset_class = tables.Column(verbose_name=_("class"))
    provision = MoneyColumn(verbose_name=_("provision"), footer=total("provision"))

    class Meta(NounTable.Meta):
        model = LoanDay
        fields = ("loan", "date", "outstanding_principal", "days_past_due", "asset_class", "provision")


class LoanDayFilter(FilterSet):
    date = DateFilter(label=_("Day"))
    family = ChoiceFilter(field_name="loan__product_family", choices=Product.Family.choices, label=_("Family"))
    office = NumberFilter(field_name="loan__office", label=_("Office"))

    class Meta:
        model = LoanDay
        fields = {"loan": ["exact"], "asset_class": ["exact"]}


register(
    Noun(
        name="loan_day",
        plural="loan-days",
        model=LoanDay,
        readers=LOAN_READERS,
        serializer=LoanDaySerializer,
        table=LoanDayTable,
        filterset=LoanDayFilter,
        section="account_for",
        icon="calendar-stats",
        search=lambda rows, words: rows.filter(loan__number__icontains=words),
        related=("loan",),
        ordering=("-date", "loan"),
        api_ordering=("id", "date"),
        in_navigation=False,
        facts=lambda row, actor: [
            (_("Loan number"), row.loan),
            (_("Day"), row.date),
            (_("Outstanding principal"), row.outstanding_principal),
            (_("Days past due"), row.days_past_due),
            (_("Class"), row.get_asset_class_display()),
            (_("Provision"), row.provision),
        ],
        events=lambda row: Event.objects.filter(name="sweep_run.classify", business_date=row.date),
    )
)
