"""Watchlists with their entries, and the hits people settle: a subject and an entry side by side."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import ChoiceFilter, FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.identity import IdentityError, mask_resident_id, parse_resident_id
from branch.domain.roles import Role
from branch.fields import lookup_digest
from branch.queries.visibility import visible
from branch.web.forms import ActionForm, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.panels import Panel, panel
from branch.web.states import state_choices
from branch.web.tables import DateColumn, LinkColumn, NounTable, NumberColumn, StateColumn
from customers.domain.machines import SCREENING_HIT
from customers.domain.names import name_key
from customers.models import Customer, Lead, RecordImport, ScreeningHit, Watchlist, WatchlistEntry
from customers.queries.screening import hits_of
from customers.queries.visibility import HIT_READERS, LIST_KEEPERS, LIST_READERS
from customers.services import screening_hits, watchlists
from customers.services.screening_runs import last_run

SHOWN = 10


# --- lists


class WatchlistForm(ActionForm):
    name = forms.CharField(label=_("Name"), max_length=120)
    kind = forms.ChoiceField(label=_("Kind"), choices=Watchlist.Kind.choices)
    is_complete = forms.BooleanField(
        label=_("Each file is the whole list"),
        required=False,
        help_text=_("Whoever a new file no longer has is off the list. Otherwise a file only adds to it."),
    )


class NewWatchlistForm(WatchlistForm):
    code = forms.CharField(label=_("Code"), max_length=35, help_text=_("Small letters, digits, - and _."))
    field_order = ("code", "name", "kind", "is_complete")


class ChangeWatchlistForm(WatchlistForm):
    is_active = forms.BooleanField(label=_("In use"), required=False)


class SendListForm(ActionForm):
    file = forms.FileField(
        label=_("File"),
        required=False,
        help_text=_("CSV (also packed as .gz) or Excel. You see its first rows before anything is taken in."),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.gz,.xlsx"}),
    )
    rows = forms.JSONField(
        label=_("Rows"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_("In place of a file: a list of objects, by column; they start at once."),
    )
    mapping = forms.JSONField(
        label=_("Columns"),
        required=False,
        widget=forms.HiddenInput(),
        help_text=_('{"name": "姓名", …}; left out, the headings are recognised.'),
    )
    start = forms.BooleanField(label=_("Start at once"), required=False, widget=forms.HiddenInput())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not cleaned.get("file") and not cleaned.get("rows") and not {"file", "rows"} & set(self.errors):
            self.add_error("file", _("Choose a file."))
        return cleaned


class WatchlistSerializer(serializers.ModelSerializer):
    class Meta:
        model = Watchlist
        fields = ("id", "version", "code", "name", "kind", "is_active", "is_complete", "office", "created_at")
        read_only_fields = fields


class WatchlistTable(NounTable):
    name = LinkColumn()
    code = tables.Column()
    kind = tables.Column()
    is_complete = tables.BooleanColumn()
    is_active = tables.BooleanColumn()

    class Meta(NounTable.Meta):
        model = Watchlist
        fields = ("name", "code", "kind", "is_complete", "is_active")


class WatchlistFilter(FilterSet):
    class Meta:
        model = Watchlist
        fields = ("kind", "is_active")


def _list_context(watchlist: Watchlist, actor: Actor) -> dict[str, Any]:
    entries = WatchlistEntry.objects.filter(watchlist=watchlist)
    in_force = entries.filter(ended_at=None)
    rows = visible(RecordImport, actor).filter(source=watchlist.source_id).order_by("-pk")
    return {
        "known": [
            (_("Code"), watchlist.code),
            (_("Kind"), watchlist.get_kind_display()),
            (_("Each file is the whole list"), watchlist.is_complete),
            (_("In use"), watchlist.is_active),
            (_("Entries in force"), in_force.count()),
            (_("Entries that ended or were replaced"), entries.exclude(ended_at=None).count()),
            (_("Entries not yet compared with the whole book"), in_force.filter(screening_run=None).count()),
        ],
        "run": last_run(),
        "imports": rows[:SHOWN],
        "entries_url": f"{ENTRY_NOUN.url()}?watchlist={watchlist.pk}",
    }


WATCHLIST_NOUN = register(
    Noun(
        name="watchlist",
        plural="watchlists",
        model=Watchlist,
        readers=LIST_READERS,
        serializer=WatchlistSerializer,
        table=WatchlistTable,
        filterset=WatchlistFilter,
        section="account_for",
        icon="shield-search",
        ordering=("name",),
        template="customers/watchlist.html",
        context=_list_context,
        actions=(
            Action(
                "create",
                _("New watchlist"),
                watchlists.create_watchlist,
                form=NewWatchlistForm,
                on="list",
                bank_wide=True,
                roles=LIST_KEEPERS,
                tone="primary",
                initial=lambda actor, obj: {"is_complete": True},
            ),
            Action(
                "send",
                _("Send a file"),
                watchlists.send_list,
                form=SendListForm,
                bank_wide=True,
                roles=LIST_KEEPERS,
                tone="primary",
                when=lambda watchlist: watchlist.is_active,
            ),
            Action(
                "update",
                _("Edit"),
                watchlists.update_watchlist,
                form=ChangeWatchlistForm,
                bank_wide=True,
                roles=LIST_KEEPERS,
                method="PATCH",
                partial=True,
                initial=lambda actor, row: {name: getattr(row, name) for name in ChangeWatchlistForm.base_fields},
            ),
        ),
    )
)


# --- entries


class EntrySerializer(serializers.ModelSerializer):
    has_identity_number = serializers.SerializerMethodField()

    class Meta:
        model = WatchlistEntry
        fields = (
            "id", "watchlist", "name", "uscc", "has_identity_number", "reason", "reference", "listed_on",
            "record_import", "supersedes", "listed_at", "ended_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_has_identity_number(self, entry: WatchlistEntry) -> bool:
        return bool(entry.identity_digest)


class EntryTable(NounTable):
    name = LinkColumn()
    watchlist = tables.Column()
    uscc = tables.Column(verbose_name=_("USCC"))
    reference = tables.Column()
    listed_on = DateColumn()
    listed_at = DateColumn()
    ended_at = DateColumn()

    class Meta(NounTable.Meta):
        model = WatchlistEntry
        fields = ("name", "watchlist", "uscc", "reference", "listed_on", "listed_at", "ended_at")


class EntryFilter(FilterSet):
    class Meta:
        model = WatchlistEntry
        fields = {"watchlist": ["exact"], "uscc": ["exact"], "ended_at": ["isnull"]}


def _entries_like(rows: QuerySet, text: str) -> QuerySet:
    """By a part of the name, the reference or code, or a whole identity number."""
    key = name_key(text)
    found = rows.filter(reference=text.strip()) | rows.filter(uscc=text.strip().upper())
    if key:
        found |= rows.filter(name_key__contains=key)
    with suppress(IdentityError):
        found |= rows.filter(identity_digest=lookup_digest(parse_resident_id(text)))
    return found


def _entry_facts(entry: WatchlistEntry, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Watchlist"), entry.watchlist),
        (_("Kind"), entry.watchlist.get_kind_display()),
        (_("Unified social credit code"), entry.uscc),
        (_("Resident identity number"), _("known, not shown") if entry.identity_digest else ""),
        (_("Case or file number"), entry.reference),
        (_("Why listed"), entry.reason),
        (_("Listed on"), entry.listed_on),
        (_("Taken in at"), entry.listed_at),
        (_("Ended at"), entry.ended_at),
        (_("Supersedes"), entry.supersedes),
    ]


ENTRY_NOUN = register(
    Noun(
        name="watchlist_entry",
        plural="watchlist-entries",
        model=WatchlistEntry,
        readers=LIST_READERS,
        serializer=EntrySerializer,
        table=EntryTable,
        filterset=EntryFilter,
        section="account_for",
        icon="list-search",
        related=("watchlist", "supersedes"),
        search=_entries_like,
        api_ordering=("id", "listed_at"),
        in_navigation=False,
        facts=_entry_facts,
    )
)


# --- hits


class ProposeForm(ActionForm):
    outcome = forms.ChoiceField(
        label=_("Who is it"), choices=ScreeningHit.Outcome.choices, widget=forms.RadioSelect, initial=""
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Stands on the record, where the account manager reads it too."),
    )


class HitSerializer(serializers.ModelSerializer):
    kind = serializers.CharField(source="entry.watchlist.kind", read_only=True)

    class Meta:
        model = ScreeningHit
        fields = (
            "id", "state", "version", "customer", "lead", "kind", "match", "side", "score", "at_event", "found_at",
            "proposal", "proposed_by", "proposed_at", "decided_by", "decided_at", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields


class HitTable(NounTable):
    subject = LinkColumn(verbose_name=_("customer or lead"), orderable=False)
    kind = tables.Column(accessor="entry__watchlist__get_kind_display", verbose_name=_("list"), orderable=False)
    match = tables.Column()
    score = NumberColumn()
    state = StateColumn()
    at_event = tables.Column()
    found_at = DateColumn()

    class Meta(NounTable.Meta):
        model = ScreeningHit
        fields = ("subject", "kind", "match", "score", "state", "at_event", "found_at")


class HitFilter(FilterSet):
    state = ChoiceFilter(choices=state_choices(SCREENING_HIT), label=_("State"))
    kind = ChoiceFilter(choices=Watchlist.Kind.choices, field_name="entry__watchlist__kind", label=_("list"))

    class Meta:
        model = ScreeningHit
        fields = {"match": ["exact"], "customer": ["exact"], "lead": ["exact"]}


def _hit_context(hit: ScreeningHit, actor: Actor) -> dict[str, Any]:
    subject, entry = hit.subject, hit.entry
    reads = actor.holds(HIT_READERS, hit.office.path)
    number = mask_resident_id(subject.identity_number) if subject.identity_number else ""
    same_number = hit.match == ScreeningHit.Match.IDENTITY
    pairs = [
        (_("Firm"), subject.name, entry.name if hit.side == ScreeningHit.Side.FIRM else ""),
        (_("Person"), subject.contact_name, entry.name if hit.side == ScreeningHit.Side.PERSON else ""),
        (_("USCC"), subject.uscc or "", entry.uscc),
        (
            _("Identity number"),
            number,
            (_("the same") if same_number else _("another one, or not on file here")) if entry.identity_digest else "",
        ),
    ]
    return {
        "known": [
            (_("Customer or lead"), subject),
            (_("Kind of list"), entry.watchlist.get_kind_display()),
            (_("Found by"), hit.get_match_display()),
            (_("Who is alike"), hit.get_side_display()),
            (_("Likeness"), f"{hit.score} %"),
            (_("Found at"), hit.get_at_event_display()),
            (_("Found on"), hit.found_at),
        ],
        "reads_entry": reads,
        "pairs": pairs if reads else [],
        "entry_facts": _entry_facts(entry, actor)[4:9] if reads else [],
    }


def _may_judge(actor: Actor, hit: ScreeningHit) -> bool:
    return actor.user_id != hit.subject_owner_id


def _may_decide(actor: Actor, hit: ScreeningHit) -> bool:
    return _may_judge(actor, hit) and actor.user_id != hit.proposed_by_id


HIT_NOUN = register(
    Noun(
        name="screening_hit",
        plural="screening-hits",
        model=ScreeningHit,
        readers=HIT_READERS | {Role.ACCOUNT_MANAGER},
        serializer=HitSerializer,
        table=HitTable,
        filterset=HitFilter,
        section="decide",
        icon="shield-check",
        related=("customer", "lead", "entry__watchlist", "entry__supersedes", "proposed_by", "decided_by"),
        template="customers/screening_hit.html",
        context=_hit_context,
        open_work=lambda rows, actor: rows.filter(state__in=("open", "proposed")),
        actions=(
            Action(
                "propose",
                _("Propose"),
                screening_hits.propose_hit,
                form=ProposeForm,
                event="propose",
                tone="primary",
                for_whom=_may_judge,
            ),
            Action(
                "clear",
                _("Agree: somebody else"),
                screening_hits.clear_hit,
                form=ReasonForm,
                event="clear",
                tone="primary",
                when=lambda hit: hit.proposal != "confirm",
                for_whom=_may_decide,
            ),
            Action(
                "confirm",
                _("Agree: the one on the list"),
                screening_hits.confirm_hit,
                form=ReasonForm,
                event="confirm",
                tone="danger",
                when=lambda hit: hit.proposal != "clear",
                for_whom=_may_decide,
            ),
            Action(
                "send-back",
                _("Send back"),
                screening_hits.send_back_hit,
                form=ReasonForm,
                event="send_back",
                for_whom=_may_judge,
            ),
            Action(
                "reopen",
                _("Judge it anew"),
                screening_hits.reopen_hit,
                form=ReasonForm,
                event="reopen",
                for_whom=_may_judge,
            ),
        ),
    )
)


def _panel(subject: Customer | Lead, actor: Actor) -> Panel | None:
    rows = visible(ScreeningHit, actor) & hits_of(subject)
    hits = list(rows.select_related("entry__watchlist").order_by("-pk")[:SHOWN])
    return Panel(_("Screening"), "customers/_screening_panel.html", {"hits": hits}) if hits else None


@panel("customer")
def hits_of_customer(customer: Customer, actor: Actor) -> Panel | None:
    """The customer's hits, newest first: that there are any, of which kind of list, and where they stand."""
    return _panel(customer, actor)


@panel("lead")
def hits_of_lead(lead: Lead, actor: Actor) -> Panel | None:
    """The same of a lead."""
    return _panel(lead, actor)
