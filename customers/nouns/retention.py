"""How long data is kept and what forbids erasing it, on the page; asking for erasure, holding, erasing."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.web.forms import ActionForm, DateField, ReasonForm
from branch.web.noun import Action, Noun, extend, register
from branch.web.panels import Panel, panel
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, StateColumn
from customers.domain.machines import ERASURE_REQUEST
from customers.domain.retention import LAW_PERIOD
from customers.models import Customer, ErasureRequest, Lead
from customers.nouns import customers as _customers  # noqa: F401 - declares the nouns extended here
from customers.nouns import leads as _leads  # noqa: F401
from customers.queries.retention import (
    answer_to_person,
    length_word,
    obstacle_words,
    rule_word,
    source_word,
    standing_of,
    told,
)
from customers.queries.visibility import LEAD_READERS
from customers.services import retention

Subject = Customer | Lead


def picture(subject: Subject) -> dict[str, Any]:
    """What the section and the forms show of how the data stands today."""
    if subject.erased_on is not None:
        return {"subject": subject, "rule": rule_word(subject.erased_rule), "source": source_word(subject.erased_rule)}
    standing = standing_of(subject)
    return {
        "subject": subject,
        "spans": [
            (rule_word(span.rule), source_word(span.rule), length_word(span), span.since, span.until)
            for span in standing.spans
        ],
        "erasable_from": standing.erasable_from,
        "obstacles": [told(one) for one in standing.obstacles],
        "request": standing.request,
    }


@panel("customer")
def retention_of_customer(customer: Customer, actor: Actor) -> Panel:
    """All that may keep the data is asked only when somebody looks; what has been done about it is told at once."""
    if customer.erased_on or customer.restricted_on or customer.held_on:
        return Panel(_("Retention"), "customers/view/retention.html", picture(customer), "retention")
    context = {"url": reverse("customer-retention", args=[customer.pk])}
    return Panel(_("Retention"), "customers/view/retention_later.html", context, "retention")


@panel("lead")
def retention_of_lead(lead: Lead, actor: Actor) -> Panel:
    return Panel(_("Retention"), "customers/view/retention.html", picture(lead), "retention")


def _above_form(actor: Actor, subject: Subject) -> dict[str, Any]:
    return {"above_form": "customers/view/retention.html", "panel": picture(subject)}


class AskForm(ActionForm):
    channel = forms.ChoiceField(label=_("How it was asked"), choices=ErasureRequest.Channel.choices)
    asked_on = DateField(label=_("Asked on"), required=False)
    note = forms.CharField(label=_("Note"), max_length=500, required=False, widget=forms.Textarea(attrs={"rows": 3}))


def _is_kept(subject: Subject) -> bool:
    return subject.erased_on is None


def _actions(kind: str, holders: frozenset[Role]) -> tuple[Action, ...]:
    service = vars(retention)
    return (
        Action(
            "ask-erasure",
            _("Record a request for erasure"),
            service[f"ask_{kind}_erasure"],
            form=AskForm,
            roles=retention.ASKERS,
            when=_is_kept,
            context=_above_form,
            initial=lambda actor, subject: {"asked_on": business_date()},
            even_retired=True,
        ),
        Action(
            "hold",
            _("Hold the data"),
            service[f"hold_{kind}"],
            form=ReasonForm,
            roles=holders,
            when=lambda subject: _is_kept(subject) and subject.held_on is None,
            even_retired=True,
        ),
        Action(
            "lift-hold",
            _("Lift the hold"),
            service[f"lift_{kind}_hold"],
            form=ReasonForm,
            roles=holders,
            when=lambda subject: _is_kept(subject) and subject.held_on is not None,
            even_retired=True,
        ),
        Action(
            "erase",
            _("Erase personal data"),
            service[f"erase_{kind}"],
            form=ReasonForm,
            roles=retention.ERASERS,
            tone="danger",
            when=_is_kept,
            confirm=_(
                "Names, numbers, addresses, places, notes and files are overwritten for good. Amounts, days and the "
                "record stay."
            ),
            context=_above_form,
            even_retired=True,
        ),
    )


extend("customer", *_actions("customer", retention.HOLDERS))
extend("lead", *_actions("lead", retention.LEAD_HOLDERS))


class ObstacleSerializer(serializers.Serializer):
    code = serializers.CharField()
    text = serializers.CharField()
    until = serializers.DateField(allow_null=True)


class ErasureRequestSerializer(serializers.ModelSerializer):
    obstacles = serializers.SerializerMethodField(help_text=_("What forbade it when it was asked for."))

    class Meta:
        model = ErasureRequest
        fields = (
            "id", "state", "version", "customer", "lead", "asked_on", "channel", "recorded_by", "obstacles",
            "erasable_from", "settled_on", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(ObstacleSerializer(many=True))
    def get_obstacles(self, request: ErasureRequest) -> Any:
        return [
            {"code": one["code"], "text": obstacle_words(**one), "until": one["until"]} for one in request.obstacles
        ]


class RequestTable(NounTable):
    subject = LinkColumn(verbose_name=_("customer or lead"), orderable=False)
    asked_on = DateColumn()
    channel = tables.Column()
    state = StateColumn()
    erasable_from = DateColumn()
    recorded_by = tables.Column()

    class Meta(NounTable.Meta):
        model = ErasureRequest
        fields = ("subject", "asked_on", "channel", "state", "erasable_from", "recorded_by")


class RequestFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(ERASURE_REQUEST), label=_("State"))

    class Meta:
        model = ErasureRequest
        fields = {"channel": ["exact"], "customer": ["exact"], "lead": ["exact"], "asked_on": ["gte", "lte"]}


def _context(request: ErasureRequest, actor: Actor) -> dict[str, Any]:
    return {
        "known": [
            (_("Customer or lead"), request.subject),
            (_("Asked on"), request.asked_on),
            (_("How it was asked"), request.get_channel_display()),
            (_("Recorded by"), request.recorded_by),
            (_("Note"), request.note),
            (_("Settled on"), request.settled_on),
        ],
        "answer": answer_to_person(request.obstacles),
        "is_kept_by_law": any(one["code"] == LAW_PERIOD for one in request.obstacles),
        # The link to the request leads here.
        "standing": picture(request.subject) | {"request": None} if request.state == "open" else None,
    }


register(
    Noun(
        name="erasure_request",
        plural="erasure-requests",
        model=ErasureRequest,
        readers=LEAD_READERS | {Role.ACCOUNT_MANAGER},
        serializer=ErasureRequestSerializer,
        table=RequestTable,
        filterset=RequestFilter,
        section="decide",
        icon="eraser",
        related=("customer", "lead", "recorded_by"),
        template="customers/erasure_request.html",
        context=_context,
        open_work=lambda rows, actor: rows.filter(state="open"),
        actions=(
            Action(
                "withdraw",
                _("Withdraw the request"),
                retention.withdraw_erasure_request,
                form=ReasonForm,
                event="withdraw",
            ),
        ),
    )
)
