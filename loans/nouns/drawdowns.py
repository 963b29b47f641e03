"""Drawdowns: asked for, checked, paid out once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import mask_account
from branch.domain.money import format_money
from branch.domain.roles import Role
from branch.models import PaymentInstruction
from branch.queries.timeline import events_of_file
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, Offer, register
from branch.web.panels import panels_of
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from loans.domain.machines import DRAWDOWN
from loans.models import Condition, Drawdown, Payee
from loans.nouns.facilities import FACILITY_READERS
from loans.queries.facilities import payout_amount, undrawn_amount
from loans.services import drawdowns, payees

#: What waits for the disbursement officer, and what came back to the account manager.
TO_RELEASE = ("requested", "checked", "unknown", "failed")


def masked(account: str) -> str:
    return mask_account(account, pattern=gettext("ending in {tail}")) if account else ""


class PayeeSerializer(serializers.ModelSerializer):
    account = serializers.SerializerMethodField(help_text=_("Masked."))
    is_paid = serializers.BooleanField(read_only=True)

    class Meta:
        model = Payee
        fields = ("number", "name", "account", "amount", "purpose", "is_paid")
        read_only_fields = fields

    def get_account(self, payee: Payee) -> str:
        return masked(payee.account)


class CorrectPayeeForm(ActionForm):
    number = forms.IntegerField(label=_("No."), min_value=1, initial=1)
    name = forms.CharField(label=_("Payee"), max_length=120)
    account = forms.CharField(
        label=_("Payee account"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class DrawdownSerializer(serializers.ModelSerializer):
    payees = PayeeSerializer(many=True, read_only=True)
    payee_account = serializers.SerializerMethodField(help_text=_("Masked."))
    loan = serializers.SerializerMethodField(help_text=_("The loan it became, once paid out."))

    class Meta:
        model = Drawdown
        fields = (
            "id", "state", "version", "number", "facility", "application", "customer", "owner", "office", "amount",
            "payee_name", "payee_account", "payees", "purpose", "attempt", "failure_reason", "released_by",
            "released_at", "loan", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_payee_account(self, drawdown: Drawdown) -> str:
        return masked(drawdown.payee_account)

    def get_loan(self, drawdown: Drawdown) -> int | None:
        loan = getattr(drawdown, "loan", None)
        return loan.pk if loan else None


class DrawdownTable(NounTable):
    number = LinkColumn()
    customer = tables.Column()
    amount = MoneyColumn()
    payee_name = tables.Column()
    state = StateColumn()
    created_at = DateColumn(verbose_name=_("Requested at"))

    class Meta(NounTable.Meta):
        model = Drawdown
        fields = ("number", "customer", "amount", "payee_name", "purpose", "state", "created_at")


class DrawdownFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(DRAWDOWN), label=_("State"))

    class Meta:
        model = Drawdown
        fields = {
            "facility": ["exact"],
            "application": ["exact"],
            "customer": ["exact"],
            "amount": ["gte", "lte"],
        }


def _search(rows: QuerySet, words: str) -> QuerySet:
    return (
        rows.filter(number__icontains=words)
        | rows.filter(customer__name__icontains=words)
        | rows.filter(payee_name__icontains=words)
    )


def _open_work(rows: QuerySet, actor: Actor) -> QuerySet:
    if Role.DISBURSEMENT_OFFICER in actor.roles:
        return rows.filter(state__in=TO_RELEASE).exclude(owner_id=actor.user_id)
    return rows.filter(state__in=("refused", "failed"), owner_id=actor.user_id)


def _context(drawdown: Drawdown, actor: Actor) -> dict[str, Any]:
    facility = drawdown.facility
    conditions = visible(Condition, actor).filter(application_id=drawdown.application_id)
    attempts = PaymentInstruction.objects.filter(subject_type="drawdown", subject_id=str(drawdown.pk))
    return {
        "facility": facility,
        "account": masked(drawdown.payee_account),
        "payees": [(payee, masked(payee.account)) for payee in drawdown.payees.all()],
        "left": undrawn_amount(facility, except_drawdown=drawdown.pk),
        "conditions": conditions.select_related("document", "settled_by").order_by("pk"),
        "attempts": attempts.order_by("-pk"),
        "loan": getattr(drawdown, "loan", None),
        "panels": panels_of("drawdown", drawdown, actor),
        **_named_offers(drawdown, actor),
    }


def _named_offers(drawdown: Drawdown, actor: Actor) -> dict[str, Any]:
    """The buttons, the one that moves money saying how much."""
    offers = [_with_amount(offer, drawdown) for offer in DRAWDOWN_NOUN.offers(actor, drawdown)]
    return {"offers": offers, "primary_offer": offers[0] if offers and offers[0].tone == "primary" else None}


def _with_amount(offer: Offer, drawdown: Drawdown) -> Offer:
    if offer.name != "release":
        return offer
    return replace(offer, label=gettext("Release %(amount)s") % {"amount": format_money(drawdown.amount)})


def _renews(drawdown: Drawdown) -> bool:
    return drawdown.application.renews_id is not None


DRAWDOWN_NOUN = register(
    Noun(
        name="drawdown",
        plural="drawdowns",
        model=Drawdown,
        readers=FACILITY_READERS,
        serializer=DrawdownSerializer,
        table=DrawdownTable,
        filterset=DrawdownFilter,
        section="lend",
        icon="cash-banknote",
        search=_search,
        related=("customer", "owner", "released_by", "facility__contract", "application", "loan"),
        prefetch=("payees__payment",),
        template="loans/drawdown.html",
        context=_context,
        events=events_of_file,
        open_work=_open_work,
        attachment_kinds=(("invoice", _("Invoice or purchase contract")), ("document", _("Document"))),
        actions=(
            Action("check", _("Mark checked"), drawdowns.check_drawdown, event="check", tone="primary"),
            Action(
                "carry-over",
                _("Renew the loan"),
                drawdowns.release_drawdown,
                event="release",
                tone="primary",
                when=_renews,
                confirm=_("The old loan ends as renewed, the new one begins with what it owes. No money is paid out."),
            ),
            Action(
                "release",
                _("Release the money"),
                drawdowns.release_drawdown,
                event="release",
                tone="primary",
                when=lambda drawdown: not _renews(drawdown),
                template="loans/release.html",
                context=lambda actor, drawdown: {
                    "account": masked(drawdown.payee_account),
                    "paid_out": payout_amount(drawdown),
                },
                confirm=_("The bank pays the payee at once. This is done once and can't be taken back here."),
            ),
            Action(
                "correct-payee",
                _("Correct a payee"),
                payees.correct_payee,
                form=CorrectPayeeForm,
                roles=frozenset({Role.ACCOUNT_MANAGER}),
                for_whom=lambda actor, drawdown: drawdown.owner_id == actor.user_id,
                when=lambda drawdown: drawdown.state == "failed",
            ),
            Action("refuse", _("Refuse"), drawdowns.refuse_drawdown, form=ReasonForm, event="refuse", tone="danger"),
            Action("cancel", _("Cancel"), drawdowns.cancel_drawdown, form=ReasonForm, event="cancel", tone="danger"),
        ),
    )
)
