"""What one person asks to be booked on a loan, and another decides: asked for on the loan, decided here."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.timeline import events_about
from branch.web.forms import ActionForm, DateField, MoneyField, ReasonForm
from branch.web.noun import Action, Noun, extend, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from loans.domain.allocation import DueKind
from loans.domain.machines import LOAN_REQUEST
from loans.domain.transactions import REVERSIBLE, TransactionKind
from loans.models import Loan, LoanRequest, LoanTransaction
from loans.models.loan import AssetClass, KindWord
from loans.nouns.loans import SHOWS_WHAT_MOVES
from loans.nouns.movements import compared, movement_of
from loans.queries.loans import OWING
from loans.services import loan_requests, write_offs

REQUEST_READERS = frozenset(
    {Role.ACCOUNT_MANAGER, Role.LOAN_ACCOUNTANT, Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER, Role.AUDITOR}
)


# --- forms on the loan


class BackdatedForm(ReasonForm):
    amount = MoneyField(label=_("Amount"))
    reference = forms.CharField(label=_("Reference"), max_length=60)
    value_date = DateField(
        label=_("Came in on"), help_text=_("Interest and days past due after it are worked out anew.")
    )
    field_order = ("amount", "reference", "value_date", "reason")


class ReversalForm(ReasonForm):
    transaction_id = forms.ModelChoiceField(label=_("What is taken back"), queryset=LoanTransaction.objects.none())
    field_order = ("transaction_id", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = LoanTransaction.objects.filter(
            loan_id=getattr(self.instance, "pk", 0) or 0, reversed_by=None, kind__in=REVERSIBLE
        )
        field: Any = self.fields["transaction_id"]
        field.queryset = rows.order_by("-value_date", "-pk")
        field.label_from_instance = _labelled


def _labelled(row: LoanTransaction) -> str:
    amount = f" {row.amount:,.2f}" if row.amount else ""
    return f"{row.value_date} {row.get_kind_display()}{amount} · {row.reference}"


class WaiverForm(ReasonForm):
    kind = forms.ChoiceField(
        label=_("What is waived"),
        choices=[
            (DueKind.PENALTY.value, _("Penalty interest")),
            (DueKind.INTEREST.value, _("Interest")),
            (DueKind.FEE.value, _("Fee")),
        ],
    )
    amount = MoneyField(label=_("Amount"))
    field_order = ("kind", "amount", "reason")


class ChargeForm(ReasonForm):
    amount = MoneyField(label=_("Amount"))
    field_order = ("amount", "reason")


def rate_field(**kwargs: Any) -> forms.DecimalField:
    return forms.DecimalField(
        label=_("Annual rate"), max_digits=8, decimal_places=6, min_value=0, max_value=1,
        help_text=_("As a fraction: 0.045 is 4.5 %."), **kwargs,
    )  # fmt: skip


class RateForm(ReasonForm):
    annual_rate = rate_field()
    value_date = DateField(label=_("From"), required=False, help_text=_("Empty: from today."))
    field_order = ("annual_rate", "value_date", "reason")


class PauseForm(ReasonForm):
    value_date = DateField(label=_("From"), required=False, help_text=_("Empty: from today."))
    until = DateField(label=_("Interest runs again from"))
    field_order = ("value_date", "until", "reason")


class ExtensionForm(ReasonForm):
    extra_instalments = forms.IntegerField(label=_("Instalments added"), min_value=1, max_value=600)
    field_order = ("extra_instalments", "reason")


class GraceForm(ReasonForm):
    principal_grace = forms.IntegerField(label=_("Instalments without principal"), min_value=1, max_value=600)
    field_order = ("principal_grace", "reason")


class RestructuringForm(ReasonForm):
    annual_rate = rate_field(required=False)
    extra_instalments = forms.IntegerField(label=_("Instalments added"), min_value=1, max_value=600, required=False)
    principal_grace = forms.IntegerField(
        label=_("Instalments without principal"), min_value=1, max_value=600, required=False
    )
    field_order = ("annual_rate", "extra_instalments", "principal_grace", "reason")


class MisuseForm(ReasonForm):
    value_date = DateField(label=_("Since"), required=False, help_text=_("Empty: from today."))
    field_order = ("value_date", "reason")


class JudgementForm(ReasonForm):
    asset_class = forms.ChoiceField(
        label=_("At least this class"), choices=AssetClass.choices, help_text=_("Normal lifts an earlier judgement.")
    )
    field_order = ("asset_class", "reason")


class RecoveryForm(ActionForm):
    amount = MoneyField(label=_("Amount"))
    reference = forms.CharField(label=_("Reference"), max_length=60)
    is_final = forms.BooleanField(label=_("Nothing more is expected"), required=False)


# --- the noun


class LoanRequestSerializer(serializers.ModelSerializer):
    loan_number = serializers.CharField(source="loan.number", read_only=True)

    class Meta:
        model = LoanRequest
        fields = (
            "id", "state", "version", "number", "loan", "loan_number", "application", "customer", "owner", "office",
            "kind", "value_date", "amount", "parameters", "reverses", "reason", "requested_by", "decided_by",
            "decision_reason", "transaction", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class LoanRequestTable(NounTable):
    number = LinkColumn()
    loan = tables.Column(accessor="loan__number", verbose_name=_("Loan number"))
    customer = tables.Column()
    amount = MoneyColumn()
    value_date = DateColumn()
    requested_by = tables.Column(verbose_name=_("requested by"))
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = LoanRequest
        fields = ("number", "loan", "customer", "kind", "amount", "value_date", "requested_by", "state")


class LoanRequestFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(LOAN_REQUEST), label=_("State"))
    kind = ChoiceFilter(choices=KindWord.choices, label=_("Kind"))

    class Meta:
        model = LoanRequest
        fields = {"loan": ["exact"], "application": ["exact"]}


def _search(rows: QuerySet[LoanRequest], words: str) -> QuerySet[LoanRequest]:
    return (
        rows.filter(number__icontains=words)
        | rows.filter(loan__number__icontains=words)
        | rows.filter(customer__name__icontains=words)
    )


def _context(request: LoanRequest, actor: Actor) -> dict[str, Any]:
    return {"loan": request.loan, "movement": compared(movement_of(request))}


def _not_mine(actor: Actor, request: LoanRequest) -> bool:
    return request.requested_by_id != actor.user_id


def _mine(actor: Actor, request: LoanRequest) -> bool:
    return request.requested_by_id == actor.user_id


LOAN_REQUEST_NOUN = register(
    Noun(
        name="loan_request",
        plural="loan-requests",
        model=LoanRequest,
        readers=REQUEST_READERS,
        serializer=LoanRequestSerializer,
        table=LoanRequestTable,
        filterset=LoanRequestFilter,
        section="lend",
        icon="checks",
        search=_search,
        related=("loan", "customer", "requested_by", "decided_by", "reverses", "transaction"),
        template="loans/loan_request.html",
        context=_context,
        events=events_about,
        open_work=lambda rows, actor: rows.filter(state="requested").exclude(requested_by_id=actor.user_id),
        actions=(
            Action(
                "confirm",
                _("Confirm and book"),
                loan_requests.confirm_loan_request,
                event="confirm",
                tone="primary",
                for_whom=_not_mine,
                **SHOWS_WHAT_MOVES,
                confirm=_("It is booked as the loan stands now. What it moves is shown on this page."),
            ),
            Action(
                "refuse",
                _("Refuse"),
                loan_requests.refuse_loan_request,
                form=ReasonForm,
                event="refuse",
                tone="danger",
                for_whom=_not_mine,
            ),
            Action("withdraw", _("Withdraw"), loan_requests.withdraw_loan_request, event="withdraw", for_whom=_mine),
        ),
    )
)


# --- what is asked for on the loan


def _owes(loan: Loan) -> bool:
    return loan.state in OWING


def _asks(name: str, label: Any, run: Any, form: type[ActionForm], when: Any = _owes) -> Action:
    return Action(
        name,
        label,
        run,
        form=form,
        roles=loan_requests.ASKERS,
        status=201,
        when=when,
        **SHOWS_WHAT_MOVES,
    )


def _can_be_reversed(loan: Loan) -> bool:
    return loan.state in (*OWING, "settled") and any(
        row.kind != TransactionKind.DISBURSEMENT for row in loan.transactions.all()[:2]
    )


extend(
    "loan",
    _asks(
        "request-backdated-repayment",
        _("Ask to book an earlier repayment"),
        loan_requests.request_backdated_repayment,
        BackdatedForm,
    ),
    _asks("request-reversal", _("Ask for a reversal"), loan_requests.request_reversal, ReversalForm, _can_be_reversed),
    _asks("request-waiver", _("Ask for a waiver"), loan_requests.request_waiver, WaiverForm),
    _asks("request-fee", _("Ask to charge a fee"), loan_requests.request_fee, ChargeForm),
    _asks("request-rate-change", _("Ask for another rate"), loan_requests.request_rate_change, RateForm),
    _asks("request-interest-pause", _("Ask for an interest pause"), loan_requests.request_interest_pause, PauseForm),
    _asks("request-extension", _("Ask for an extension"), loan_requests.request_extension, ExtensionForm),
    _asks("request-principal-grace", _("Ask for a principal grace"), loan_requests.request_principal_grace, GraceForm),
    _asks("request-restructuring", _("Ask to restructure"), loan_requests.request_restructuring, RestructuringForm),
    _asks("request-misuse", _("Report misuse of funds"), loan_requests.request_misuse, MisuseForm),
    _asks("request-judgement", _("Ask for another class"), loan_requests.request_judgement, JudgementForm),
    _asks(
        "request-call-in",
        _("Ask to call it in"),
        loan_requests.request_call_in,
        ReasonForm,
        lambda loan: loan.state == "active",
    ),
    _asks("request-write-off", _("Ask for a write-off"), loan_requests.request_write_off, ReasonForm),
    Action(
        "recover",
        _("Book a recovery"),
        write_offs.book_recovery,
        form=RecoveryForm,
        event="recover",
        status=201,
        **SHOWS_WHAT_MOVES,
    ),
)
