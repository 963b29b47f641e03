"""Debit files: one a day to the core bank, with what became of each row."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFromToRangeFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.middleware import actor_of
from branch.queries.visibility import visible
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn
from loans.models import DebitFile, DebitRow, Loan
from loans.services import debit_files

DEBIT_READERS = frozenset({Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, Role.AUDITOR})


class DebitRowSerializer(serializers.ModelSerializer):
    loan_number = serializers.CharField(source="loan.number", read_only=True)
    reference = serializers.CharField(source="instruction.reference", read_only=True)
    amount = serializers.DecimalField(16, 2, source="instruction.amount", read_only=True)

    class Meta:
        model = DebitRow
        fields = ("loan", "loan_number", "reference", "amount", "collected_amount", "outcome", "reason")
        read_only_fields = fields


class DebitFileSerializer(serializers.ModelSerializer):
    """One alone carries its rows, as far as their loans are this person's to see."""

    rows = serializers.SerializerMethodField()

    class Meta:
        model = DebitFile
        fields = (
            "id", "business_date", "reference", "state", "count", "amount", "made_at", "sent_at", "booked_at", "rows",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("rows",)

    @extend_schema_field(DebitRowSerializer(many=True))
    def get_rows(self, file: DebitFile) -> list[dict[str, Any]]:
        actor = actor_of(self.context["request"]._request)
        rows = file.rows.filter(loan__in=visible(Loan, actor)).select_related("loan", "instruction")
        return list(DebitRowSerializer(rows.order_by("pk"), many=True).data)


class DebitFileTable(NounTable):
    reference = LinkColumn()
    business_date = DateColumn()
    count = NumberColumn()
    amount = MoneyColumn()
    sent_at = DateColumn()
    booked_at = DateColumn()

    class Meta(NounTable.Meta):
        model = DebitFile
        fields = ("reference", "business_date", "count", "amount", "state", "sent_at", "booked_at")


class DebitFileFilter(FilterSet):
    state = ChoiceFilter(choices=DebitFile.State.choices, label=_("State"))
    business_date = DateFromToRangeFilter(label=_("Day"))

    class Meta:
        model = DebitFile
        fields: list[str] = []


def _context(file: DebitFile, actor: Actor) -> dict[str, Any]:
    rows = file.rows.filter(loan__in=visible(Loan, actor)).select_related("loan__customer", "instruction")
    counts = rows.values("outcome").annotate(number=Count("pk"), taken=Sum("collected_amount")).order_by("outcome")
    words = dict(DebitRow.Outcome.choices)
    return {
        "rows": rows.order_by("pk"),
        "counts": [(words[line["outcome"]], line["number"], line["taken"]) for line in counts],
    }


DEBIT_FILE_NOUN = register(
    Noun(
        name="debit_file",
        plural="debit-files",
        model=DebitFile,
        readers=DEBIT_READERS,
        serializer=DebitFileSerializer,
        table=DebitFileTable,
        filterset=DebitFileFilter,
        section="lend",
        icon="file-dollar",
        ordering=("-business_date",),
        api_ordering=("id", "business_date", "amount"),
        template="loans/debit_file.html",
        context=_context,
        in_navigation=False,
        actions=(
            Action(
                "create",
                _("Make today's debit file"),
                debit_files.make_debit_file,
                on="list",
                roles=frozenset({Role.LOAN_ACCOUNTANT}),
                tone="primary",
                confirm=_(
                    "Everything due today goes to the core bank in one file. Asked for again it is the same file."
                ),
            ),
        ),
    )
)
