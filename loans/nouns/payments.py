"""Payments: every order to the core bank and what became of it. Read only: services move them."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import Event, PaymentInstruction
from branch.web.noun import Noun, register, url_of
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from branch.words import state_word_lazy
from loans.models import Drawdown, Loan
from loans.nouns.drawdowns import masked

PAYMENT_READERS = frozenset({Role.DISBURSEMENT_OFFICER, Role.LOAN_ACCOUNTANT, Role.BRANCH_MANAGER, Role.AUDITOR})
SUBJECTS: dict[str, type[Drawdown | Loan]] = {"drawdown": Drawdown, "loan": Loan}
State = PaymentInstruction.State


class PaymentSerializer(serializers.ModelSerializer):
    account = serializers.SerializerMethodField(help_text=_("Masked."))

    class Meta:
        model = PaymentInstruction
        fields = (
            "id", "reference", "kind", "state", "amount", "account", "account_name", "memo", "customer_id",
            "subject_type", "subject_id", "failure_code", "failure_reason", "created_at", "sent_at", "answered_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_account(self, payment: PaymentInstruction) -> str:
        return masked(payment.account)


class PaymentTable(NounTable):
    reference = LinkColumn()
    kind = tables.Column()
    account_name = tables.Column(verbose_name=_("Payee or payer"))
    amount = MoneyColumn()
    state = StateColumn()
    sent_at = DateColumn(verbose_name=_("Last sent or asked"))
    answered_at = DateColumn(verbose_name=_("Answered"))

    class Meta(NounTable.Meta):
        model = PaymentInstruction
        fields = ("reference", "kind", "account_name", "amount", "state", "sent_at", "answered_at")


class PaymentFilter(FilterSet):
    state = ChoiceFilter(
        choices=[(state, state_word_lazy("paymentinstruction", state)) for state in State.values], label=_("State")
    )

    class Meta:
        model = PaymentInstruction
        fields = {"kind": ["exact"], "amount": ["gte", "lte"]}


def _search(rows: QuerySet[PaymentInstruction], words: str) -> QuerySet[PaymentInstruction]:
    return rows.filter(reference__icontains=words) | rows.filter(account_name__icontains=words)


def _events(payment: PaymentInstruction) -> QuerySet[Event]:
    rows = Event.objects.filter(subject_type=payment.subject_type, subject_id=payment.subject_id)
    return rows.order_by("-id")


def subject_of(payment: PaymentInstruction) -> Drawdown | Loan | None:
    """The drawdown paid out, or the loan collected for; who sees the payment sees that too."""
    model = SUBJECTS.get(payment.subject_type)
    return model._default_manager.filter(pk=payment.subject_id).first() if model else None


def _context(payment: PaymentInstruction, actor: Actor) -> dict[str, Any]:
    subject = subject_of(payment)
    return {
        "subject": subject,
        "subject_url": url_of(subject) if subject else "",
        "account": masked(payment.account),
        "needs_a_person": payment.failure_code == "reference_conflict",
    }


PAYMENT_NOUN = register(
    Noun(
        name="payment",
        plural="payments",
        model=PaymentInstruction,
        readers=PAYMENT_READERS,
        serializer=PaymentSerializer,
        table=PaymentTable,
        filterset=PaymentFilter,
        section="lend",
        icon="building-bank",
        search=_search,
        template="loans/payment.html",
        context=_context,
        events=_events,
        open_work=lambda rows, actor: rows.filter(state=State.UNKNOWN),
    )
)
