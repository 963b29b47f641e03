"""Feeds, their rounds, and calls that failed for good."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import visible
from branch.web.forms import ActionForm
from branch.web.noun import Action, Noun, extend, register
from branch.web.tables import DateColumn, LinkColumn, NounTable, NumberColumn, StateColumn
from customers.models import Customer, Feed, PullCall, PullRun, RecordImport, RecordSource
from customers.queries.visibility import IMPORT_READERS, SOURCE_READERS
from customers.services import feeds, pulls
from customers.services.imports import CLUSTER_LAYOUTS
from customers.services.record_sources import KEEPERS

LAYOUTS = [choice for choice in RecordImport.Layout.choices if choice[0] not in CLUSTER_LAYOUTS]


class FeedForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    layout = forms.ChoiceField(label=_("What it holds"), choices=LAYOUTS)
    url = forms.CharField(
        label=_("Address"),
        max_length=500,
        help_text=_("With {uscc} in it every customer is asked about; {month} is the last whole month, as 2026-02."),
    )
    auth = forms.ChoiceField(label=_("Signs in with"), choices=Feed.Auth.choices)
    header_name = forms.CharField(label=_("Header"), max_length=60, required=False)
    secret = forms.CharField(
        label=_("Token"),
        max_length=2000,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("Kept encrypted and never shown. Empty: as it is."),
    )
    rows_path = forms.CharField(
        label=_("Where the rows are"), max_length=120, required=False, help_text=_("data.rows; empty for the top.")
    )
    paging = forms.ChoiceField(label=_("How it is paged"), choices=Feed.Paging.choices)
    paging_name = forms.CharField(
        label=_("Page parameter, or where the next page is named"), max_length=60, required=False
    )
    columns = forms.JSONField(
        label=_("Place of each column"),
        help_text=_('{"period_month": "period", "value": "amount.total"}: column, and where it is.'),
    )
    every_hours = forms.IntegerField(label=_("Every so many hours"), min_value=1, max_value=8784)


class NewFeedForm(FeedForm):
    source_id = forms.ModelChoiceField(RecordSource.objects.none(), label=_("Source"))
    field_order = ("name", "source_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sources = visible(RecordSource, self.actor).filter(is_active=True)
        self.fields["source_id"].queryset = sources  # type: ignore[attr-defined]


class ChangeFeedForm(FeedForm):
    is_active = forms.BooleanField(label=_("In use"), required=False)


class FeedSerializer(serializers.ModelSerializer):
    class Meta:
        model = Feed
        fields = (
            "id", "version", "name", "source", "layout", "url", "auth", "header_name", "rows_path", "paging",
            "paging_name", "columns", "every_hours", "next_run_at", "is_active", "failures_in_row", "open_until",
            "last_answer_at", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class FeedTable(NounTable):
    name = LinkColumn()
    source = tables.Column()
    layout = tables.Column(accessor="layout_word", order_by="layout", verbose_name=_("What it holds"))
    every_hours = NumberColumn()
    last_answer_at = DateColumn()
    failures_in_row = NumberColumn()
    is_active = tables.BooleanColumn()

    class Meta(NounTable.Meta):
        model = Feed
        fields = ("name", "source", "layout", "every_hours", "last_answer_at", "failures_in_row", "is_active")


class FeedFilter(FilterSet):
    class Meta:
        model = Feed
        fields = ("source", "is_active")


def _known(feed: Feed) -> dict[str, Any]:
    return {name: getattr(feed, name) for name in ChangeFeedForm.base_fields if name != "secret"}


register(
    Noun(
        name="feed",
        plural="feeds",
        model=Feed,
        readers=SOURCE_READERS,
        serializer=FeedSerializer,
        table=FeedTable,
        filterset=FeedFilter,
        section="account_for",
        icon="plug-connected",
        related=("source",),
        ordering=("name",),
        facts=lambda feed, actor: [
            (_("Source"), feed.source),
            (_("What it holds"), feed.layout_word),
            (_("Address"), feed.url),
            (_("Signs in with"), feed.get_auth_display()),
            (_("Where the rows are"), feed.rows_path),
            (_("How it is paged"), feed.get_paging_display()),
            (_("Place of each column"), ", ".join(f"{name} ← {path}" for name, path in feed.columns.items())),
            (_("Asks for consent to"), feed.source.get_consent_scope_display()),
            (_("Every so many hours"), feed.every_hours),
            (_("Next run"), feed.next_run_at),
            (_("Last answer"), feed.last_answer_at),
            (_("Failures in a row"), feed.failures_in_row),
            (_("Not asked before"), feed.open_until),
            (_("In use"), feed.is_active),
        ],
        actions=(
            Action(
                "create",
                _("New feed"),
                feeds.create_feed,
                form=NewFeedForm,
                on="list",
                bank_wide=True,
                roles=KEEPERS,
                tone="primary",
                full_page=True,
                initial=lambda actor, obj: {"every_hours": 24, "auth": "bearer", "paging": "none"},
            ),
            Action(
                "run",
                _("Ask now"),
                pulls.begin_pull,
                bank_wide=True,
                roles=KEEPERS,
                tone="primary",
                when=lambda feed: feed.is_active,
            ),
            Action(
                "update",
                _("Edit"),
                feeds.update_feed,
                form=ChangeFeedForm,
                bank_wide=True,
                roles=KEEPERS,
                method="PATCH",
                partial=True,
                full_page=True,
                initial=lambda actor, feed: _known(feed),
            ),
        ),
    )
)


# --- rounds


class PullSerializer(serializers.ModelSerializer):
    class Meta:
        model = PullRun
        fields = (
            "id", "state", "version", "feed", "without_consent", "record_import", "office", "created_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class PullTable(NounTable):
    feed = LinkColumn(linkify=False)
    state = StateColumn()
    without_consent = NumberColumn()
    record_import = tables.Column()
    created_at = DateColumn()
    finished_at = DateColumn()

    class Meta(NounTable.Meta):
        model = PullRun
        fields = ("feed", "state", "without_consent", "record_import", "created_at", "finished_at")


class PullFilter(FilterSet):
    class Meta:
        model = PullRun
        fields = ("feed", "state")


def _facts(run: PullRun, actor: Actor) -> list[tuple[Any, Any]]:
    states = {state: Count("pk", filter=Q(state=state)) for state in PullCall.State.values}
    counts = run.calls.aggregate(**states)
    return [
        (_("Feed"), run.feed),
        (_("Calls waiting"), counts["waiting"]),
        (_("Calls answered"), counts["done"]),
        (_("Dead letters"), counts["dead"]),
        (_("Customers without consent"), run.without_consent),
        (_("Import"), run.record_import),
        (_("Finished at"), run.finished_at),
    ]


register(
    Noun(
        name="pull_run",
        plural="pulls",
        model=PullRun,
        readers=SOURCE_READERS,
        serializer=PullSerializer,
        table=PullTable,
        filterset=PullFilter,
        section="account_for",
        icon="cloud-download",
        related=("feed", "record_import"),
        facts=_facts,
        in_navigation=False,
    )
)


# --- calls


class CallSerializer(serializers.ModelSerializer):
    class Meta:
        model = PullCall
        fields = (
            "id", "version", "run", "customer", "page", "state", "attempts", "next_attempt_at", "last_error", "office",
        )  # fmt: skip
        read_only_fields = fields


class CallTable(NounTable):
    run = LinkColumn()
    customer = tables.Column()
    page = NumberColumn()
    state = tables.Column()
    attempts = NumberColumn()
    last_error = tables.Column()

    class Meta(NounTable.Meta):
        model = PullCall
        fields = ("run", "customer", "page", "state", "attempts", "last_error")


class CallFilter(FilterSet):
    class Meta:
        model = PullCall
        fields = ("run", "state", "customer")


register(
    Noun(
        name="pull_call",
        plural="pull-calls",
        model=PullCall,
        readers=IMPORT_READERS,
        serializer=CallSerializer,
        table=CallTable,
        filterset=CallFilter,
        section="find",
        icon="mail-off",
        related=("run__feed", "customer"),
        api_ordering=("id",),
        open_work=lambda rows, actor: rows.filter(state=PullCall.State.DEAD),
        facts=lambda call, actor: [
            (_("Pull"), call.run),
            (_("Customer"), call.customer),
            (_("Page"), call.page),
            (_("State"), call.get_state_display()),
            (_("Attempts"), call.attempts),
            (_("What went wrong"), call.last_error),
            (_("Next attempt"), call.next_attempt_at if call.state == PullCall.State.WAITING else None),
        ],
        actions=(
            Action(
                "replay",
                _("Ask again"),
                pulls.replay_call,
                roles=frozenset({Role.POST_LOAN_OFFICER}),
                tone="primary",
                when=lambda call: call.state == PullCall.State.DEAD,
            ),
        ),
    )
)


# --- on the customer's page


class AskForm(ActionForm):
    feed_id = forms.ModelChoiceField(Feed.objects.none(), label=_("Feed"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Feed.objects.filter(is_active=True, url__contains="{uscc}").order_by("name")
        self.fields["feed_id"].queryset = rows  # type: ignore[attr-defined]


extend(
    "customer",
    Action(
        "pull",
        _("Ask a provider"),
        pulls.pull_customer,
        form=AskForm,
        roles=pulls.ASKERS,
        when=lambda customer: isinstance(customer, Customer) and bool(customer.uscc),
    ),
)
