"""Product suggestions from the market to head office."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import STAFF, Role
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, NumberColumn, StateColumn
from customers.domain.machines import SUGGESTION
from customers.models import Suggestion
from customers.services import suggestions

HEAD = frozenset({Role.PRODUCT_MANAGER})


class SuggestionForm(ActionForm):
    title = forms.CharField(label=_("Title"), max_length=120)
    text = forms.CharField(label=_("What customers ask for"), max_length=4000, widget=forms.Textarea(attrs={"rows": 6}))
    product_name = forms.CharField(
        label=_("Product"), max_length=120, required=False, help_text=_("The one it is about, where there is one.")
    )


class AnswerForm(ActionForm):
    answer = forms.CharField(
        label=_("Answer"),
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Everybody on the staff reads it."),
    )


class FinishForm(ActionForm):
    answer = forms.CharField(
        label=_("Anything to add"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class SuggestionSerializer(serializers.ModelSerializer):
    class Meta:
        model = Suggestion
        fields = (
            "id", "state", "version", "title", "text", "product_name", "votes", "answer", "answered_by", "submitted_by",
            "from_office", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class SuggestionTable(NounTable):
    title = LinkColumn()
    state = StateColumn()
    votes = NumberColumn()
    product_name = tables.Column()
    submitted_by = tables.Column()
    from_office = tables.Column()
    created_at = DateColumn()

    class Meta(NounTable.Meta):
        model = Suggestion
        fields = ("title", "state", "votes", "product_name", "submitted_by", "from_office", "created_at")


class SuggestionFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(SUGGESTION), label=_("State"))

    class Meta:
        model = Suggestion
        fields = {"from_office": ["exact"], "submitted_by": ["exact"], "product_name": ["icontains"]}


def _has_voted(actor: Actor, suggestion: Suggestion) -> bool:
    return suggestion.voters.filter(user_id=actor.user_id or 0).exists()


def _facts(suggestion: Suggestion, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Product"), suggestion.product_name),
        (_("Votes"), suggestion.votes),
        (_("Suggested by"), suggestion.submitted_by),
        (_("From"), suggestion.from_office),
    ]


register(
    Noun(
        name="suggestion",
        plural="suggestions",
        model=Suggestion,
        readers=STAFF,
        serializer=SuggestionSerializer,
        table=SuggestionTable,
        filterset=SuggestionFilter,
        section="find",
        icon="bulb",
        search=lambda rows, text: rows.filter(title__icontains=text) | rows.filter(text__icontains=text),
        related=("submitted_by", "from_office", "answered_by"),
        ordering=("-votes", "-id"),
        api_ordering=("id", "votes", "created_at"),
        template="customers/suggestion.html",
        facts=_facts,
        open_work=lambda rows, actor: (
            rows.filter(state__in=suggestions.OPEN) if actor.holds_bank_wide(HEAD) else rows.none()
        ),
        actions=(
            Action(
                "create",
                _("New suggestion"),
                suggestions.make_suggestion,
                form=SuggestionForm,
                on="list",
                roles=suggestions.TELLERS,
                tone="primary",
            ),
            Action("take-up", _("Take up"), suggestions.take_up_suggestion, event="take_up", tone="primary"),
            Action(
                "accept", _("Accept"), suggestions.accept_suggestion, form=AnswerForm, event="accept", tone="primary"
            ),
            Action("finish", _("Mark done"), suggestions.finish_suggestion, form=FinishForm, event="finish"),
            Action(
                "decline", _("Decline"), suggestions.decline_suggestion, form=AnswerForm, event="decline", tone="danger"
            ),
            Action(
                "vote",
                _("Vote for it"),
                suggestions.vote_suggestion,
                roles=STAFF,
                anywhere=True,
                when=lambda suggestion: suggestion.state in suggestions.OPEN,
                for_whom=lambda actor, suggestion: (
                    suggestion.submitted_by_id != actor.user_id and not _has_voted(actor, suggestion)
                ),
            ),
            Action(
                "unvote",
                _("Take the vote back"),
                suggestions.withdraw_vote,
                roles=STAFF,
                anywhere=True,
                when=lambda suggestion: suggestion.state in suggestions.OPEN,
                for_whom=_has_voted,
            ),
        ),
    )
)
