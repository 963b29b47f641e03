"""The repayment desk: what came in, and booking it against the loan it is for."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, DateFromToRangeFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import Event
from branch.queries.timeline import events_about
from branch.queries.visibility import visible
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable
from loans.models import Loan, Repayment
from loans.nouns.loans import SHOWS_WHAT_MOVES, RepayForm, total
from loans.queries.loan_page import repayment_lines
from loans.services import repayments

REPAYMENT_READERS = frozenset(
    {Role.ACCOUNT_MANAGER, Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER, Role.AUDITOR}
)


class LoanField(forms.ModelChoiceField):
    """A loan by its number, as it stands on the slip, or by its id: a list of all loans has no end."""

    widget = forms.TextInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=Loan.objects.none(), **kwargs)

    def to_python(self, value: Any) -> Loan | None:
        typed = str(value or "").strip()
        if not typed:
            return None
        rows = self.queryset if self.queryset is not None else Loan.objects.none()
        found = rows.filter(number__iexact=typed).first()
        if found is None and typed.isdigit() and len(typed) < 19:
            found = rows.filter(pk=typed).first()
        if found is None:
            raise ValidationError(_("There is no loan with this number."))
        return found

    def prepare_value(self, value: Any) -> Any:
        return value.number if isinstance(value, Loan) else value


class BookForm(RepayForm):
    loan_id = LoanField(label=_("Loan number"))
    field_order = ("loan_id", "amount", "reference", "pay_off")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["loan_id"].queryset = visible(Loan, self.actor)  # type: ignore[attr-defined]


class RepaymentSerializer(serializers.ModelSerializer):
    loan_number = serializers.CharField(source="loan.number", read_only=True)
    loan_state = serializers.CharField(source="loan.state", read_only=True)
    principal = serializers.SerializerMethodField()
    interest = serializers.SerializerMethodField()
    penalty = serializers.SerializerMethodField()
    held = serializers.SerializerMethodField(help_text=_("Kept for the borrower; below zero where it was used."))

    class Meta:
        model = Repayment
        fields = (
            "id", "loan", "loan_number", "loan_state", "reference", "amount", "value_date", "channel", "is_payoff",
            "booked_by", "booked_at", "principal", "interest", "penalty", "held",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("principal", "interest", "penalty", "held")

    def _part(self, repayment: Repayment, name: str) -> str:
        return str(getattr(repayment_lines([repayment])[0], name))

    def get_principal(self, repayment: Repayment) -> str:
        return self._part(repayment, "principal")

    def get_interest(self, repayment: Repayment) -> str:
        return self._part(repayment, "interest")

    def get_penalty(self, repayment: Repayment) -> str:
        return self._part(repayment, "penalty")

    def get_held(self, repayment: Repayment) -> str:
        return self._part(repayment, "held")


class RepaymentTable(NounTable):
    reference = LinkColumn(footer=_("Total"))
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan number"))
    customer = tables.Column(accessor="loan__customer", verbose_name=_("Customer"), orderable=False)
    amount = MoneyColumn(footer=total("amount"))
    value_date = DateColumn()
    booked_by = tables.Column(verbose_name=_("booked by"))
    booked_at = DateColumn()

    class Meta(NounTable.Meta):
        model = Repayment
        fields = ("reference", "loan", "customer", "amount", "value_date", "channel", "booked_by", "booked_at")


class RepaymentFilter(FilterSet):
    channel = ChoiceFilter(choices=Repayment.Channel.choices, label=_("Channel"))
    value_date = DateFromToRangeFilter(label=_("Value date"))

    class Meta:
        model = Repayment
        fields = {"loan": ["exact"]}


def _search(rows: QuerySet[Repayment], words: str) -> QuerySet[Repayment]:
    return (
        rows.filter(reference__icontains=words)
        | rows.filter(loan__number__icontains=words)
        | rows.filter(loan__customer__name__icontains=words)
    )


def _events(repayment: Repayment) -> QuerySet[Event]:
    """The booking on the loan's record, which names the reference."""
    return events_about(repayment.loan).filter(reason=repayment.reference)


def _context(repayment: Repayment, actor: Actor) -> dict[str, Any]:
    return {"line": repayment_lines([repayment])[0], "loan": repayment.loan}


REPAYMENT_NOUN = register(
    Noun(
        name="repayment",
        plural="repayments",
        model=Repayment,
        readers=REPAYMENT_READERS,
        serializer=RepaymentSerializer,
        table=RepaymentTable,
        filterset=RepaymentFilter,
        section="lend",
        icon="receipt",
        search=_search,
        related=("loan__customer", "booked_by"),
        api_ordering=("id", "booked_at", "value_date", "amount"),
        template="loans/repayment.html",
        list_template="loans/repayment_desk.html",
        context=_context,
        events=_events,
        actions=(
            Action(
                "create",
                _("Book a repayment"),
                repayments.book_repayment,
                form=BookForm,
                on="list",
                roles=frozenset({Role.LOAN_ACCOUNTANT}),
                tone="primary",
                **SHOWS_WHAT_MOVES,
            ),
        ),
    )
)
