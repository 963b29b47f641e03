"""What happened to loans, one row each, with what it moved. Read only: services book them."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFromToRangeFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.models import Event
from branch.queries.timeline import events_about
from branch.web.noun import Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from loans.models import LoanTransaction
from loans.models.loan import KindWord
from loans.nouns.movements import MovementSerializer, compared, movement_of
from loans.queries.visibility_lending import LOAN_READERS


class LoanTransactionSerializer(serializers.ModelSerializer):
    """One alone carries what it moved."""

    loan_number = serializers.CharField(source="loan.number", read_only=True)
    reversed_by = serializers.SerializerMethodField(help_text=_("The transaction that took it back."))
    movement = serializers.SerializerMethodField()

    class Meta:
        model = LoanTransaction
        fields = (
            "id", "loan", "loan_number", "kind", "reference", "value_date", "booked_date", "amount", "parameters",
            "reverses", "reversed_by", "repayment", "reason", "requested_by", "booked_by", "booked_at", "movement",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("movement",)

    def get_reversed_by(self, row: LoanTransaction) -> int | None:
        return row.reversed_by.pk if hasattr(row, "reversed_by") else None

    @extend_schema_field(MovementSerializer(allow_null=True))
    def get_movement(self, row: LoanTransaction) -> dict[str, Any] | None:
        return movement_of(row) if hasattr(row, "movement") else None


class LoanTransactionTable(NounTable):
    reference = LinkColumn()
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan number"))
    customer = tables.Column(accessor="loan__customer", verbose_name=_("Customer"), orderable=False)
    amount = MoneyColumn()
    value_date = DateColumn()
    booked_date = DateColumn()
    booked_by = tables.Column(verbose_name=_("booked by"))

    class Meta(NounTable.Meta):
        model = LoanTransaction
        fields = ("reference", "loan", "customer", "kind", "amount", "value_date", "booked_date", "booked_by")


class LoanTransactionFilter(FilterSet):
    kind = ChoiceFilter(choices=KindWord.choices, label=_("Kind"))
    value_date = DateFromToRangeFilter(label=_("Value date"))

    class Meta:
        model = LoanTransaction
        fields = {"loan": ["exact"]}


def _search(rows: QuerySet[LoanTransaction], words: str) -> QuerySet[LoanTransaction]:
    return rows.filter(reference__icontains=words) | rows.filter(loan__number__icontains=words)


def _events(row: LoanTransaction) -> QuerySet[Event]:
    return events_about(row.loan).filter(reason__in=[row.reference, row.reason])


def _context(row: LoanTransaction, actor: Actor) -> dict[str, Any]:
    moved = compared(movement_of(row)) if hasattr(row, "movement") else None
    return {"loan": row.loan, "movement": moved, "reversed_by": getattr(row, "reversed_by", None)}


LOAN_TRANSACTION_NOUN = register(
    Noun(
        name="loan_transaction",
        plural="loan-transactions",
        model=LoanTransaction,
        readers=LOAN_READERS,
        serializer=LoanTransactionSerializer,
        table=LoanTransactionTable,
        filterset=LoanTransactionFilter,
        section="lend",
        icon="list-details",
        search=_search,
        related=("loan__customer", "booked_by", "requested_by", "reverses", "reversed_by", "movement"),
        api_ordering=("id", "booked_at", "value_date", "amount"),
        template="loans/loan_transaction.html",
        context=_context,
        events=_events,
        in_navigation=False,
    )
)
