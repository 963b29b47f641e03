"""Contracts, and the conditions that stand before the money."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.models import Attachment
from branch.queries.timeline import events_of_file
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, RateColumn, StateColumn
from customers.nouns.documents import gap_sentences
from loans.domain.machines import CONDITION, CONTRACT
from loans.models import Condition, Contract
from loans.services import contracts

CONTRACT_READERS = frozenset(
    {
        Role.ACCOUNT_MANAGER,
        Role.RISK_REVIEWER,
        Role.APPROVER,
        Role.DISBURSEMENT_OFFICER,
        Role.LOAN_ACCOUNTANT,
        Role.POST_LOAN_OFFICER,
        Role.BRANCH_MANAGER,
        Role.AUDITOR,
    }
)
CONDITION_READERS = frozenset(
    {
        Role.ACCOUNT_MANAGER,
        Role.RISK_REVIEWER,
        Role.APPROVER,
        Role.DISBURSEMENT_OFFICER,
        Role.BRANCH_MANAGER,
        Role.AUDITOR,
    }
)


class MeetForm(ActionForm):
    document_id = forms.ModelChoiceField(
        queryset=Attachment.objects.none(),
        label=_("Document"),
        help_text=_("A document of this file that shows the condition is met."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance is not None:
            documents = visible(Attachment, self.actor).filter(file_key=self.instance.file_key)  # type: ignore[attr-defined]
            self.fields["document_id"].queryset = documents  # type: ignore[attr-defined]


class ContractSerializer(serializers.ModelSerializer):
    class Meta:
        model = Contract
        fields = (
            "id", "state", "version", "number", "application", "customer", "owner", "office", "amount", "annual_rate",
            "penalty_rate", "day_count", "instalments", "frequency_unit", "frequency_every", "repayment_method",
            "plan", "terms", "pdf_zh", "pdf_en", "signed_date", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ConditionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Condition
        fields = (
            "id", "state", "version", "application", "customer", "office", "title", "document", "settled_by", "reason",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ContractTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    amount = MoneyColumn()
    annual_rate = RateColumn()
    state = StateColumn()
    signed_date = DateColumn()

    class Meta(NounTable.Meta):
        model = Contract
        fields = ("number", "customer", "amount", "annual_rate", "state", "signed_date")


class ConditionTable(NounTable):
    title = LinkColumn()
    application = tables.Column()
    customer = tables.Column()
    state = StateColumn()

    class Meta(NounTable.Meta):
        model = Condition
        fields = ("title", "application", "customer", "state")


class ContractFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(CONTRACT), label=_("State"))

    class Meta:
        model = Contract
        fields = {"application": ["exact"], "customer": ["exact"]}


class ConditionFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(CONDITION), label=_("State"))

    class Meta:
        model = Condition
        fields = {"application": ["exact"]}


def _contract_context(contract: Contract, actor: Actor) -> dict[str, Any]:
    conditions = contract.application.conditions.select_related("document", "settled_by", "office").order_by("id")
    return {
        "conditions": [(condition, CONDITION_NOUN.offers(actor, condition)) for condition in conditions],
        "facility": getattr(contract, "facility", None),
        "document_gaps": gap_sentences(contract.customer) if contract.state == "generated" else [],
    }


CONTRACT_NOUN = register(
    Noun(
        name="contract",
        plural="contracts",
        model=Contract,
        readers=CONTRACT_READERS,
        serializer=ContractSerializer,
        table=ContractTable,
        filterset=ContractFilter,
        section="lend",
        icon="signature",
        search=lambda rows, text: rows.filter(number__icontains=text) | rows.filter(customer__name__icontains=text),
        related=("customer", "application", "owner", "pdf_zh", "pdf_en"),
        template="loans/contract.html",
        context=_contract_context,
        events=events_of_file,
        open_work=lambda rows, actor: rows.filter(state="generated"),
        attachment_kinds=(("condition", _("Proof of a condition")), ("signed_contract", _("Signed contract"))),
        actions=(
            Action(
                "sign",
                _("Record signatures"),
                contracts.sign_contract,
                event="sign",
                tone="primary",
                confirm=_("Both sides have signed this contract?"),
            ),
            Action(
                "void",
                _("Void"),
                contracts.void_contract,
                form=ReasonForm,
                event="void",
                tone="danger",
                when=lambda contract: not contract.application.drawdowns.exists(),
            ),
        ),
    )
)

CONDITION_NOUN = register(
    Noun(
        name="condition",
        plural="conditions",
        model=Condition,
        readers=CONDITION_READERS,
        serializer=ConditionSerializer,
        table=ConditionTable,
        filterset=ConditionFilter,
        section="lend",
        icon="list-check",
        search=lambda rows, text: rows.filter(title__icontains=text) | rows.filter(application__number__icontains=text),
        related=("application", "customer", "document", "settled_by"),
        events=events_of_file,
        in_navigation=False,
        attachment_kinds=(("condition", _("Proof of a condition")),),
        facts=lambda condition, actor: [
            (_("Application"), condition.application.number),
            (_("Customer"), condition.customer.name),
            (_("Document"), condition.document or "—"),
            (_("Settled by"), condition.settled_by or "—"),
            (_("Reason"), condition.reason or "—"),
        ],
        actions=(
            Action("meet", _("Tick off"), contracts.meet_condition, form=MeetForm, event="meet", tone="primary"),
            Action("waive", _("Waive"), contracts.waive_condition, form=ReasonForm, event="waive", tone="danger"),
        ),
    )
)
