"""Documents: every file kept with a thing the reader sees, with the day it holds until."""

from __future__ import annotations

from datetime import date
from functools import cached_property
from typing import Any

import django_tables2 as tables
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django_filters import BaseInFilter, ChoiceFilter, DateFilter, FilterSet, NumberFilter
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.domain.documents import Standing
from branch.domain.roles import Role
from branch.models import Attachment, Event
from branch.queries.attachments import subject_of
from branch.queries.documents import DocumentRule, document_rule
from branch.services import attachments
from branch.services.transition import may
from branch.web.forms import DateField, ReasonForm
from branch.web.noun import NOUNS, Action, Noun, noun_called, register
from branch.web.tables import DateColumn, LinkColumn, NounTable

#: Which of them one sees is decided by the things they are kept with.
READERS = (frozenset(attachments.ATTACH.roles) | {Role.AUDITOR}) - {Role.SYSTEM}
STANDINGS = {
    Standing.VALID: _("valid"),
    Standing.SOON: _("expires soon"),
    Standing.EXPIRED: _("expired"),
    Standing.UNDATED: _("no last day"),
}


class CorrectForm(ReasonForm):
    expires_on = DateField(
        label=_("Valid until"), required=False, help_text=_("Empty where it has no end; its last day counts.")
    )
    field_order = ("expires_on", "reason")


def standing_words(expires_on: date | None, rule: DocumentRule) -> str:
    """ "expires in 12 days", "expired 3 days ago", or the plain word."""
    standing = rule.standing(expires_on)
    if expires_on is None or standing not in (Standing.SOON, Standing.EXPIRED):
        return str(STANDINGS[standing])
    days = abs((expires_on - rule.today).days)
    if standing == Standing.EXPIRED:
        return ngettext("expired %(n)d day ago", "expired %(n)d days ago", days) % {"n": days}
    return (
        ngettext("expires in %(n)d day", "expires in %(n)d days", days) % {"n": days}
        if days
        else gettext("expires today")
    )


def kind_of_document(document: Attachment) -> str:
    """The word of its kind, as the noun it belongs to calls it, or of what the program itself added."""
    noun = noun_called(document.subject_type)
    word: Any = dict(noun.attachment_kinds).get(document.kind) if noun else None
    return str(word or gettext(document.kind.replace("_", " ")))


def kept_with(document: Attachment) -> tuple[str, str]:
    """What it belongs to in a word, and that thing's address."""
    noun = noun_called(document.subject_type)
    if noun is None:
        return document.subject_type, ""
    return capfirst(str(noun.label)), reverse(f"{noun.name}-detail", args=[document.subject_id])


class KeptDocumentSerializer(serializers.ModelSerializer):
    standing = serializers.SerializerMethodField(help_text=_("How it stands today."))

    class Meta:
        model = Attachment
        fields = (
            "id", "subject_type", "subject_id", "customer_id", "kind", "title", "media_type", "size_bytes", "sha256",
            "expires_on", "standing", "uploaded_by", "office", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    @cached_property
    def rule(self) -> DocumentRule:
        return document_rule()

    def get_standing(self, document: Attachment) -> str:
        return self.rule.standing(document.expires_on).value


class DocumentTable(NounTable):
    title = LinkColumn()
    kind = tables.Column()
    subject_type = tables.Column(verbose_name=_("kept with"), orderable=False)
    created_at = DateColumn()
    expires_on = DateColumn()
    standing = tables.Column(empty_values=(), verbose_name=_("state"), orderable=False)
    file = tables.Column(
        empty_values=(),
        verbose_name=_("file"),
        orderable=False,
        linkify=lambda record: reverse("attachment-download", args=[record.pk]),
    )

    class Meta(NounTable.Meta):
        model = Attachment
        fields = ("title", "kind", "subject_type", "created_at", "expires_on", "standing", "file")

    @cached_property
    def rule(self) -> DocumentRule:
        return document_rule()

    def render_kind(self, record: Attachment) -> str:
        return kind_of_document(record)

    def render_subject_type(self, record: Attachment) -> str:
        return kept_with(record)[0]

    def value_subject_type(self, record: Attachment) -> str:
        return f"{record.subject_type} {record.subject_id}"

    def render_standing(self, record: Attachment) -> str:
        return capfirst(standing_words(record.expires_on, self.rule))

    def value_standing(self, record: Attachment) -> str:
        return self.rule.standing(record.expires_on).value

    def render_file(self, record: Attachment) -> str:
        return gettext("download")

    def value_file(self, record: Attachment) -> str:
        return ""


def kind_choices() -> list[tuple[str, Promise | str]]:
    """Every kind of document of every noun, each once."""
    words = {kind: word for noun in NOUNS.values() for kind, word in noun.attachment_kinds}
    return sorted(words.items())


class NumbersFilter(BaseInFilter, NumberFilter):
    """One number, or several with commas: all files of one customer."""


class DocumentFilter(FilterSet):
    standing = ChoiceFilter(choices=[(s.value, w) for s, w in STANDINGS.items()], method="stand_so", label=_("State"))
    kind = ChoiceFilter(choices=kind_choices, label=_("Kind"))
    customer_id = NumbersFilter(lookup_expr="in", label=_("customer"))
    expires_from = DateFilter(field_name="expires_on", lookup_expr="gte", label=_("Valid until, from"))
    expires_to = DateFilter(field_name="expires_on", lookup_expr="lte", label=_("Valid until, to"))

    class Meta:
        model = Attachment
        fields = ()

    def stand_so(self, rows: QuerySet[Attachment], name: str, value: str) -> QuerySet[Attachment]:
        return rows.filter(document_rule().where(value))


def _facts(document: Attachment, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("Kind"), kind_of_document(document)),
        (_("Kept with"), subject_of(document, actor)),
        (_("Uploaded at"), document.created_at),
        (_("Uploaded by"), document.uploaded_by),
        (_("Valid until"), document.expires_on),
        (_("State"), capfirst(standing_words(document.expires_on, document_rule()))),
        (_("SHA-256"), document.sha256),
    ]


def _events(document: Attachment) -> QuerySet[Event]:
    """What became of this document; the record keeps it with the thing it belongs to."""
    about = Event.objects.filter(subject_type=document.subject_type, subject_id=document.subject_id)
    return about.filter(name__startswith="attachment.", after__attachment_id=document.pk).order_by("-id")


def may_correct(actor: Actor, document: Attachment) -> bool:
    subject = subject_of(document, actor)
    return subject is not None and may(actor, attachments.ATTACH, subject)


DOCUMENT_NOUN = register(
    Noun(
        name="attachment",
        plural="documents",
        model=Attachment,
        readers=READERS,
        serializer=KeptDocumentSerializer,
        table=DocumentTable,
        filterset=DocumentFilter,
        section="find",
        icon="files",
        search=lambda rows, text: rows.filter(title__icontains=text),
        related=("uploaded_by",),
        api_ordering=("id", "expires_on"),
        in_navigation=False,
        template="branch/document.html",
        facts=_facts,
        events=_events,
        actions=(
            Action(
                "correct",
                _("Correct the last day"),
                attachments.correct_document,
                form=CorrectForm,
                roles=frozenset(attachments.ATTACH.roles),
                for_whom=may_correct,
                initial=lambda actor, document: {"expires_on": document.expires_on},
            ),
        ),
    )
)
