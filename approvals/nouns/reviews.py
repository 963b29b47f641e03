"""Reviews and the queue of their stages."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from approvals.domain.machines import REVIEW, STAGE
from approvals.models import Review, ReviewStage
from approvals.models.review import Outcome
from approvals.nouns.facts import grades_of, price_of, tables_of, terms_of
from approvals.queries.authorities import authority_limit
from approvals.queries.visibility import READERS
from approvals.services import reviews
from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.timeline import events_of_file
from branch.web.forms import ActionForm, MoneyField
from branch.web.noun import Action, Noun, register
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, MoneyColumn, NounTable, StateColumn
from loans.models import Investigation

WHO = frozenset({Role.ACCOUNT_MANAGER, *READERS})


class LinesField(forms.CharField):
    """One text a line; the API may also send a list."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3}), **kwargs)

    def to_python(self, value: Any) -> Any:
        lines = value if isinstance(value, list) else str(value or "").splitlines()
        return [str(line).strip() for line in lines if str(line).strip()]


class OpinionForm(ActionForm):
    outcome = forms.ChoiceField(label=_("Opinion"), choices=Outcome.choices, widget=forms.RadioSelect)
    amount = MoneyField(label=_("Amount"), required=False)
    conditions = LinesField(
        label=_("Conditions"), required=False, help_text=_("One a line; each must be met before release.")
    )
    reason = forms.CharField(label=_("Reason"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))


class DecisionForm(OpinionForm):
    outcome = forms.ChoiceField(label=_("Decision"), choices=Outcome.choices, widget=forms.RadioSelect)


class StageSerializer(serializers.ModelSerializer):
    application_number = serializers.CharField(source="application.number", read_only=True)

    class Meta:
        model = ReviewStage
        fields = (
            "id", "state", "version", "review", "application", "application_number", "customer", "office", "order",
            "kind", "claimed_by", "claimed_at", "opened_at", "finished_at", "outcome", "amount", "reason", "conditions",
            "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ReviewSerializer(serializers.ModelSerializer):
    stages = StageSerializer(many=True, read_only=True)
    application_state = serializers.CharField(source="application.state", read_only=True)

    class Meta:
        model = Review
        fields = (
            "id", "state", "version", "application", "application_state", "customer", "owner", "office", "pass_number",
            "outcome", "facts", "decided_at", "stages", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class ReviewTable(NounTable):
    application = LinkColumn(accessor="application__number", verbose_name=_("application"))
    customer = tables.Column()
    amount = MoneyColumn(accessor="application__amount", verbose_name=_("amount"))
    state = StateColumn()
    decided_at = DateColumn(verbose_name=_("decided at"))

    class Meta(NounTable.Meta):
        model = Review
        fields = ("application", "customer", "amount", "pass_number", "state", "outcome", "decided_at")


class ReviewFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(REVIEW), label=_("State"))

    class Meta:
        model = Review
        fields = {"outcome": ["exact"], "application": ["exact"]}


class StageTable(NounTable):
    application = LinkColumn(accessor="application__number", verbose_name=_("application"))
    customer = tables.Column()
    kind = tables.Column()
    amount = MoneyColumn(accessor="application__amount", verbose_name=_("amount asked for"))
    state = StateColumn()
    claimed_by = tables.Column(verbose_name=_("with"))
    opened_at = DateColumn()

    class Meta(NounTable.Meta):
        model = ReviewStage
        fields = ("application", "customer", "kind", "amount", "state", "claimed_by", "opened_at")


class StageFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(STAGE), label=_("State"))

    class Meta:
        model = ReviewStage
        fields = {"kind": ["exact"], "review": ["exact"], "application": ["exact"]}


def _search(rows: QuerySet, text: str) -> QuerySet:
    return rows.filter(application__number__icontains=text) | rows.filter(customer__name__icontains=text)


def _queue(rows: QuerySet, actor: Actor) -> QuerySet:
    """What this person could work on now: open stages of their kind, and those they hold."""
    kinds = [kind for kind, role in reviews.ROLE_OF.items() if role in actor.roles]
    open_now = rows.filter(state="waiting", kind__in=kinds, opened_at__isnull=False)
    return open_now | rows.filter(state="claimed", claimed_by_id=actor.user_id)


def _of_its_kind(actor: Actor, stage: ReviewStage) -> bool:
    """Reviewers give opinions, approvers decide."""
    return actor.holds({reviews.ROLE_OF[ReviewStage.Kind(stage.kind)]}, stage.office.path)


def _not_anothers(actor: Actor, stage: ReviewStage) -> bool:
    return stage.claimed_by_id in (None, actor.user_id)


def _to_finish(actor: Actor, stage: ReviewStage) -> bool:
    return _of_its_kind(actor, stage) and _not_anothers(actor, stage)


def _to_put_back(actor: Actor, stage: ReviewStage) -> bool:
    """The branch manager may for somebody who is away."""
    return _not_anothers(actor, stage) or actor.holds({Role.BRANCH_MANAGER}, stage.office.path)


def _stage_context(stage: ReviewStage, actor: Actor) -> dict[str, Any]:
    application = stage.application
    investigation = Investigation.objects.filter(application=application).select_related("second").first()
    findings = investigation.findings if investigation else {}
    return {
        "application": application,
        "investigation": investigation,
        "findings": findings,
        "tables": tables_of(findings),
        "grades": grades_of(findings),
        "price_parts": price_of(application.quote),
        "terms": terms_of(application),
        "authority_limit": authority_limit(actor, application),
        "stages": stage.review.stages.select_related("claimed_by"),
        "panel": _panel(stage, actor),
    }


def _panel(stage: ReviewStage, actor: Actor) -> dict[str, Any] | None:
    """The form beside the file, for whoever holds the stage."""
    if stage.state != "claimed" or stage.claimed_by_id != actor.user_id:
        return None
    name = "decide" if stage.kind == ReviewStage.Kind.DECISION else "opinion"
    action = STAGE_NOUN.action(name)
    form = (DecisionForm if name == "decide" else OpinionForm)(
        initial={"amount": stage.application.amount}, actor=actor, instance=stage
    )
    return {"action": action, "form": form, "url": STAGE_NOUN.url(stage, name)}


STAGE_NOUN = register(
    Noun(
        name="review_stage",
        plural="review-stages",
        model=ReviewStage,
        readers=WHO,
        serializer=StageSerializer,
        table=StageTable,
        filterset=StageFilter,
        section="decide",
        icon="checkup-list",
        search=_search,
        related=("application__product_version__product", "application__owner", "customer", "claimed_by", "review"),
        ordering=("opened_at", "id"),
        template="approvals/review_stage.html",
        context=_stage_context,
        events=events_of_file,
        open_work=_queue,
        actions=(
            Action(
                "claim",
                _("Take this file"),
                reviews.claim_stage,
                event="claim",
                tone="primary",
                for_whom=_of_its_kind,
            ),
            Action(
                "opinion",
                _("Give an opinion"),
                reviews.give_opinion,
                form=OpinionForm,
                event="finish",
                tone="primary",
                when=lambda stage: stage.kind == ReviewStage.Kind.OPINION,
                for_whom=_to_finish,
            ),
            Action(
                "decide",
                _("Decide"),
                reviews.decide,
                form=DecisionForm,
                event="finish",
                tone="primary",
                when=lambda stage: stage.kind == ReviewStage.Kind.DECISION,
                for_whom=_to_finish,
                initial=lambda actor, stage: {"amount": stage.application.amount},
            ),
            Action(
                "release-claim",
                _("Put back"),
                reviews.release_claim,
                event="release_claim",
                for_whom=_to_put_back,
            ),
        ),
    )
)

REVIEW_NOUN = register(
    Noun(
        name="review",
        plural="reviews",
        model=Review,
        readers=WHO,
        serializer=ReviewSerializer,
        table=ReviewTable,
        filterset=ReviewFilter,
        section="decide",
        icon="gavel",
        search=_search,
        related=("application", "customer"),
        events=events_of_file,
        in_navigation=False,
        facts=lambda review, actor: [
            (_("Application"), review.application.number),
            (_("Customer"), review.customer.name),
            (_("Pass"), review.pass_number),
            (_("Outcome"), review.get_outcome_display()),
        ],
    )
)
