"""Loans: schedule, what is due, the pay-off figure, and booking what comes in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, ChoiceFilter, DateFilter, FilterSet, NumberFilter
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.timeline import events_of_file
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, DateField, MoneyField
from branch.web.noun import Action, Noun, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, NumberColumn, RateColumn, StateColumn
from loans.domain.machines import LOAN
from loans.domain.servicing import Surplus
from loans.domain.terms import MOST_INSTALMENTS
from loans.forms.calculator import EVENT_WORDS, SURPLUS_WORDS
from loans.models import Instalment, Loan, Product, Repayment
from loans.models.product import Surplus as SurplusWord
from loans.nouns.movements import MovementSerializer, movement_of
from loans.nouns.products import product_name
from loans.queries import what_if
from loans.queries.loan_page import ScheduleLine, next_line, open_debit, repayment_lines, schedule_lines
from loans.queries.loans import OWING, due_today, payoff_figure, what_is_owed
from loans.queries.payoff import PayoffQuote, payoff_of, quote_payoff
from loans.queries.terms import terms_of
from loans.queries.visibility_lending import LOAN_READERS
from loans.services import renewals, repayments

#: Of an action that books something: what it moves is shown beforehand.
SHOWS_WHAT_MOVES: dict[str, Any] = {
    "preview": movement_of,
    "preview_template": "loans/_movement.html",
    "preview_serializer": MovementSerializer,
}

# --- forms


class RepayForm(ActionForm):
    amount = MoneyField(label=_("Amount"))
    reference = forms.CharField(
        label=_("Reference"),
        max_length=60,
        help_text=_("The slip or transfer it stands for. A reference is booked once, however often it is sent."),
    )
    pay_off = forms.BooleanField(
        label=_("Pays the loan off"),
        required=False,
        help_text=_("Takes exactly the pay-off figure of today and settles the loan."),
    )


class RenewForm(ActionForm):
    product_id = forms.ModelChoiceField(label=_("Product"), queryset=Product.objects.none())
    instalments = forms.IntegerField(label=_("Instalments"), min_value=1, max_value=MOST_INSTALMENTS)
    lawful_business = forms.CharField(
        label=_("Lawful business"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What shows it: licences, tax, courts."),
    )  # fmt: skip
    going_concern = forms.CharField(
        label=_("Going concern"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("What shows it: orders, staff, electricity, accounts."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        renewals = Product.objects.filter(family=Product.Family.RENEWAL, versions__state="active")
        self.fields["product_id"].queryset = renewals.distinct()  # type: ignore[attr-defined]
        self.fields["product_id"].label_from_instance = product_name  # type: ignore[attr-defined]


class PrepayForm(ActionForm):
    amount = MoneyField(label=_("Amount"))
    reference = forms.CharField(label=_("Reference"), max_length=60)
    surplus = forms.ChoiceField(
        label=_("What is early"),
        required=False,
        choices=[("", _("As signed")), *SurplusWord.choices],
        help_text=_("What is due is paid first; this says what the rest does to the schedule."),
    )


class CollectForm(ActionForm):
    amount = MoneyField(
        label=_("Amount"),
        required=False,
        help_text=_("Empty: everything due today. A short balance is debited in part."),
    )


class PayoffForm(ActionForm):
    on_date = DateField(label=_("Pay off on"))


class WhatIfForm(ActionForm):
    what = forms.ChoiceField(
        label=_("What happens"), choices=[(kind.value, EVENT_WORDS[kind]) for kind in what_if.NEEDS]
    )
    on_date = DateField(label=_("Day"))
    amount = MoneyField(label=_("Amount"), required=False)
    surplus = forms.ChoiceField(
        label=_("Money beyond what is due"),
        choices=[(place.value, word) for place, word in SURPLUS_WORDS.items()],
        required=False,
    )
    annual_rate = forms.DecimalField(
        label=_("New annual rate, as a fraction"),
        required=False,
        min_value=Decimal(0),
        max_digits=8,
        decimal_places=6,
        help_text=_("4.35% is 0.0435."),
    )
    count = forms.IntegerField(label=_("Instalments"), required=False, min_value=1, max_value=MOST_INSTALMENTS)
    until = DateField(label=_("Interest runs again from"), required=False)


# --- API


class InstalmentSerializer(serializers.ModelSerializer):
    class Meta:
        model = Instalment
        fields = (
            "number", "start_date", "due_date", "principal", "interest", "principal_paid", "interest_paid",
            "balance_after",
        )  # fmt: skip
        read_only_fields = fields


class OwedSerializer(serializers.Serializer):
    """What the loan owes on the business date."""

    on_date = serializers.DateField()
    due_amount = serializers.DecimalField(16, 2, help_text=_("Due today or before, less what is held."))
    overdue_amount = serializers.DecimalField(16, 2)
    accrued_interest = serializers.DecimalField(16, 2, help_text=_("Of the running period, not yet due."))
    payoff_amount = serializers.DecimalField(16, 2, help_text=_("Settles the loan today."))


class PayoffSerializer(serializers.Serializer):
    on_date = serializers.DateField()
    principal = serializers.DecimalField(16, 2)
    interest_due = serializers.DecimalField(16, 2)
    interest_accrued = serializers.DecimalField(16, 2)
    penalty = serializers.DecimalField(16, 2)
    held = serializers.DecimalField(16, 2)
    amount = serializers.DecimalField(16, 2)


class PlannedRowSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    due_date = serializers.DateField()
    principal = serializers.DecimalField(16, 2)
    interest = serializers.DecimalField(16, 2)
    total = serializers.DecimalField(16, 2)
    balance = serializers.DecimalField(16, 2)


class PairSerializer(serializers.Serializer):
    number = serializers.IntegerField()
    old = PlannedRowSerializer(allow_null=True)
    new = PlannedRowSerializer(allow_null=True)


class WhatIfSerializer(serializers.Serializer):
    """The plan as it stands beside the one tried; `interest_saved` is below zero where it costs more."""

    on_date = serializers.DateField()
    interest_saved = serializers.DecimalField(16, 2, source="change.interest_saved")
    old_last_due = serializers.DateField(source="change.old_last_due")
    new_last_due = serializers.DateField(source="change.new_last_due")
    payoff_amount = serializers.DecimalField(16, 2, source="standing.payoff_amount")
    rows = PairSerializer(many=True, source="change.pairs")


class LoanSerializer(serializers.ModelSerializer):
    """One loan carries its schedule and what it owes; in a list both are left out."""

    instalments = InstalmentSerializer(many=True, read_only=True)
    owed = serializers.SerializerMethodField()

    class Meta:
        model = Loan
        fields = (
            "id", "state", "version", "number", "drawdown", "application", "customer", "owner", "office", "principal",
            "annual_rate", "penalty_rate", "day_count", "terms", "start_date", "maturity_date", "outstanding_principal",
            "penalty_due", "suspense_amount", "days_past_due", "asset_class", "class_rule", "restructured_date",
            "settled_date", "instalments", "owed", "created_at",
        )  # fmt: skip
        read_only_fields = fields
        only_alone = ("instalments", "owed")

    @extend_schema_field(OwedSerializer)
    def get_owed(self, loan: Loan) -> dict[str, Any]:
        owed = what_is_owed(loan, business_date())
        figures = OwedSerializer(
            {
                "on_date": owed.on_date,
                "due_amount": max(owed.due_amount - loan.suspense_amount, Decimal(0)),
                "overdue_amount": owed.overdue_amount,
                "accrued_interest": owed.accrued_interest,
                "payoff_amount": payoff_of(loan, owed).amount,
            }
        )
        return dict(figures.data)


# --- list


def total(field: str) -> Callable[[Any], str]:
    """A footer: the sum of a column over all rows of the list, not only the page."""
    return lambda table: format_money(table.data.data.aggregate(total=Sum(field))["total"] or Decimal(0))


class LoanTable(NounTable):
    number = LinkColumn(footer=_("Total"))
    customer = tables.Column()
    principal = MoneyColumn(footer=total("principal"))
    outstanding_principal = MoneyColumn(footer=total("outstanding_principal"))
    annual_rate = RateColumn()
    days_past_due = NumberColumn()
    maturity_date = DateColumn()
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = Loan
        fields = (
            "number", "customer", "principal", "outstanding_principal", "annual_rate", "days_past_due", "asset_class",
            "maturity_date", "state",
        )  # fmt: skip


class LoanFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(LOAN), label=_("State"))
    due_today = BooleanFilter(method="with_something_due", label=_("Something due today"))
    overdue_from = NumberFilter(field_name="days_past_due", lookup_expr="gte", label=_("Days past due from"))
    matures_until = DateFilter(field_name="maturity_date", lookup_expr="lte", label=_("Matures until"))

    class Meta:
        model = Loan
        fields = {"asset_class": ["exact"], "application": ["exact"], "customer": ["exact"], "drawdown": ["exact"]}

    def with_something_due(self, rows: QuerySet[Loan], name: str, value: bool) -> QuerySet[Loan]:
        return rows.filter(something_due(business_date())) if value else rows.exclude(something_due(business_date()))


def something_due(today: date) -> Q:
    """Loans that can be paid something today without paying early."""
    unpaid = Q(principal_paid__lt=F("principal")) | Q(interest_paid__lt=F("interest"))
    rows = Instalment.objects.filter(unpaid, loan=OuterRef("pk"), due_date__lte=today)
    return Q(state__in=OWING) & (Q(Exists(rows)) | Q(penalty_due__gt=0))


def search_loans(rows: QuerySet[Loan], words: str) -> QuerySet[Loan]:
    return rows.filter(number__icontains=words) | rows.filter(customer__name__icontains=words)


# --- page


def _context(loan: Loan, actor: Actor) -> dict[str, Any]:
    today = business_date()
    owed = what_is_owed(loan, today)
    lines = schedule_lines(loan.instalments.order_by("number"), today)
    booked = visible(Repayment, actor).filter(loan=loan).select_related("booked_by").order_by("-pk")
    return {
        "owed": owed,
        "owes": loan.state in OWING,
        "due_amount": max(owed.due_amount - loan.suspense_amount, Decimal(0)),
        "payoff": payoff_of(loan, owed),
        "lines": lines,
        "next_line": next_line(lines),
        "chart": _chart(lines),
        "totals": {
            "principal": sum(line.row.principal for line in lines),
            "interest": sum(line.row.interest for line in lines),
            "total": sum(line.total for line in lines),
            "paid": sum(line.paid for line in lines),
        },
        "repaid": loan.principal - loan.outstanding_principal,
        "repayments": repayment_lines(booked),
        "open_debit": open_debit(loan),
        "facility": loan.drawdown.facility,
        "panels": panels_of("loan", loan, actor),
    }


def _chart(lines: list[ScheduleLine]) -> dict[str, Any]:
    """What each instalment asks for and what is paid of it, and a sentence that says how far the loan has come."""
    paid = sum(1 for line in lines if line.standing == "paid")
    title = ngettext(
        "%(paid)s of %(count)s instalment is paid", "%(paid)s of %(count)s instalments are paid", len(lines)
    ) % {"paid": paid, "count": len(lines)}
    return {
        "title": title,
        "note": gettext("Instalments by due day, in yuan"),
        "data": {
            "kind": "stack",
            "x": [line.row.due_date.isoformat() for line in lines],
            "series": [
                {"name": gettext("Principal to come"), "data": [_principal_to_come(line) for line in lines]},
                {"name": gettext("Interest to come"), "data": [_interest_to_come(line) for line in lines]},
                {"name": gettext("Paid"), "data": [float(line.paid) for line in lines]},
            ],
        },
    }


def _principal_to_come(line: ScheduleLine) -> float:
    return float(line.row.principal - line.row.principal_paid)


def _interest_to_come(line: ScheduleLine) -> float:
    return float(line.row.interest - line.row.interest_paid)


def next_reference(loan: Loan) -> str:
    """A reference nobody used yet, offered to the person who books at the counter."""
    return f"{loan.number}-R{loan.repayments.count() + 1}"


def _what_if_body(result: what_if.WhatIf) -> dict[str, Any]:
    return dict(WhatIfSerializer(result).data)


def _payoff_body(quote: PayoffQuote) -> dict[str, Any]:
    return dict(PayoffSerializer(quote).data)


def _owes(loan: Loan) -> bool:
    return loan.state in OWING


def _owes_nothing(loan: Loan) -> bool:
    return _owes(loan) and not payoff_figure(loan, business_date())


LOAN_NOUN = register(
    Noun(
        name="loan",
        plural="loans",
        model=Loan,
        readers=LOAN_READERS,
        serializer=LoanSerializer,
        table=LoanTable,
        filterset=LoanFilter,
        section="lend",
        icon="coins",
        search=search_loans,
        related=("customer", "owner", "drawdown__facility__contract", "application"),
        api_ordering=("id", "created_at", "days_past_due", "maturity_date", "outstanding_principal"),
        template="loans/loan.html",
        context=_context,
        events=events_of_file,
        open_work=lambda rows, actor: rows.filter(state__in=OWING, days_past_due__gt=0),
        attachment_kinds=(("document", _("Document")),),
        actions=(
            # Booking may settle the loan, so whoever may settle is who may book: same role, same duty, same states.
            Action(
                "repay",
                _("Book a repayment"),
                repayments.book_repayment,
                form=RepayForm,
                event="settle",
                tone="primary",
                status=201,
                initial=lambda actor, loan: {"amount": due_today(loan) or None, "reference": next_reference(loan)},
                **SHOWS_WHAT_MOVES,
            ),
            Action(
                "prepay",
                _("Repay early in part"),
                repayments.prepay_loan,
                form=PrepayForm,
                event="settle",
                status=201,
                when=lambda loan: loan.state == "active" and terms_of(loan).prepayment_allowed,
                initial=lambda actor, loan: {"reference": next_reference(loan)},
                **SHOWS_WHAT_MOVES,
            ),
            Action(
                "collect",
                _("Debit the repayment account"),
                repayments.collect_repayment,
                form=CollectForm,
                event="settle",
                status=201,
                when=lambda loan: _owes(loan) and due_today(loan) > 0 and open_debit(loan) is None,
            ),
            Action(
                "renew",
                _("Renew"),
                renewals.apply_for_renewal,
                form=RenewForm,
                roles=frozenset({Role.ACCOUNT_MANAGER}),
                status=201,
                when=lambda loan: loan.state == "active",
                for_whom=lambda actor, loan: loan.owner_id == actor.user_id,
                initial=lambda actor, loan: {"instalments": 12},
                confirm=_("A new file for what the loan owes: its contract takes the principal over, none is repaid."),
            ),
            Action("settle", _("Settle"), repayments.settle_loan, event="settle", when=_owes_nothing),
            Action(
                "payoff",
                _("Pay-off figure"),
                quote_payoff,
                form=PayoffForm,
                roles=LOAN_READERS,
                when=_owes,
                initial=lambda actor, loan: {"on_date": business_date()},
                answer=_payoff_body,
                answer_serializer=PayoffSerializer,
                answer_template="loans/payoff.html",
            ),
            Action(
                "what-if",
                _("What if"),
                what_if.what_if,
                form=WhatIfForm,
                roles=LOAN_READERS,
                when=_owes,
                initial=lambda actor, loan: {"on_date": business_date(), "surplus": Surplus.SHORTEN_TERM.value},
                answer=_what_if_body,
                answer_serializer=WhatIfSerializer,
                answer_template="loans/what_if.html",
            ),
        ),
    )
)
