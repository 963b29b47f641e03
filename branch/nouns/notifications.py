"""The bell: what a person was told."""

from __future__ import annotations

import django_tables2 as tables
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django_filters import BooleanFilter, FilterSet
from rest_framework import serializers

from branch.domain.roles import Role
from branch.models import Event, Notification
from branch.queries.notifications import text_of
from branch.services import notifications
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, NounTable

EVERYBODY = frozenset(Role) - {Role.SYSTEM}


class NotificationSerializer(serializers.ModelSerializer):
    text = serializers.SerializerMethodField(help_text=_("In the language of the request."))

    class Meta:
        model = Notification
        fields = ("id", "kind", "text", "params", "url", "created_at", "read_at")
        read_only_fields = fields

    def get_text(self, notification: Notification) -> str:
        return text_of(notification)


class MarkedSerializer(serializers.Serializer):
    marked = serializers.IntegerField(help_text=_("How many were unread."))


class NotificationTable(NounTable):
    kind = tables.Column(
        verbose_name=_("Notice"),
        orderable=False,
        linkify=lambda record: reverse("notification-open", args=[record.pk]),
    )
    created_at = DateColumn()
    read_at = DateColumn()

    class Meta(NounTable.Meta):
        model = Notification
        fields = ("kind", "created_at", "read_at")
        row_attrs = {"class": lambda record: "unread" if record.read_at is None else ""}

    def render_kind(self, record: Notification) -> str:
        return text_of(record)

    def value_kind(self, record: Notification) -> str:
        return text_of(record)


class NotificationFilter(FilterSet):
    unread = BooleanFilter(field_name="read_at", lookup_expr="isnull", label=_("Unread"))

    class Meta:
        model = Notification
        fields = ("unread",)


register(
    Noun(
        name="notification",
        plural="notifications",
        model=Notification,
        readers=EVERYBODY,
        serializer=NotificationSerializer,
        table=NotificationTable,
        filterset=NotificationFilter,
        section="account_for",
        icon="bell",
        in_navigation=False,
        facts=lambda row, actor: [
            (_("Notice"), text_of(row)),
            (_("When"), row.created_at),
            (_("Read at"), row.read_at),
        ],
        # Nothing is recorded about a notice; what it tells of stands on the timeline of its thing.
        events=lambda row: Event.objects.none(),
        actions=(
            Action(
                "mark-all-read",
                _("Mark all as read"),
                notifications.mark_all_read,
                on="list",
                roles=EVERYBODY,
                answer=lambda count: {"marked": count},
                answer_serializer=MarkedSerializer,
            ),
            Action(
                "mark-read",
                _("Mark as read"),
                notifications.mark_read,
                roles=EVERYBODY,
                when=lambda row: row.read_at is None,
            ),
        ),
    )
)
