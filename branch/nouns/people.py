"""People: who signs in, where they sit, what they may do."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django import forms
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django_filters import FilterSet
from rest_framework import serializers

from branch.domain.actor import Actor
from branch.models import Event, Office, RoleAssignment, User
from branch.models.staff import ROLE_CHOICES
from branch.nouns.offices import ADMINISTRATOR, administered
from branch.queries.actors import in_force_or_later
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.queries.visibility_branch import STAFF_READERS
from branch.services import sessions, staff
from branch.web.forms import ActionForm, DateField, ReasonForm
from branch.web.noun import Action, Noun, register
from branch.web.tables import DateColumn, LinkColumn, NounTable


class AtOffice(ActionForm):
    """A form with an office among those the person filling it in looks after."""

    office_id = forms.ModelChoiceField(queryset=Office.objects.none(), label=_("Office"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["office_id"].queryset = administered(self.actor)  # type: ignore[attr-defined]


class PersonForm(AtOffice):
    display_name = forms.CharField(label=_("Name"), max_length=60)
    email = forms.EmailField(label=_("E-mail"), required=False)
    field_order: tuple[str, ...] = ("display_name", "office_id", "email")


def _password(**more: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=_("Password"), max_length=256, strip=False, widget=widget, **more)


class NewPersonForm(PersonForm):
    username = forms.CharField(label=_("User name"), max_length=150)
    password = _password(required=False, help_text=_("Without one the person can't sign in yet."))
    field_order = ("username", "display_name", "office_id", "email", "password")


class PasswordForm(ActionForm):
    password = _password(help_text=_("Ends their sessions and lifts a lockout. Tell them to change it."))


class RoleForm(AtOffice):
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)
    start_date = DateField(label=_("From"))
    end_date = DateField(label=_("Until"), required=False, help_text=_("The last day; empty for no end."))
    reason = forms.CharField(label=_("Reason"), max_length=2000, required=False)
    field_order = ("role", "office_id", "start_date", "end_date", "reason")


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("id", "username", "display_name", "email", "office", "is_active", "last_login")
        read_only_fields = fields


class UserTable(NounTable):
    display_name = LinkColumn()
    username = tables.Column()
    office = tables.Column()
    last_login = DateColumn()

    class Meta(NounTable.Meta):
        model = User
        fields = ("display_name", "username", "office", "is_active", "last_login")


class UserFilter(FilterSet):
    class Meta:
        model = User
        fields = {"office": ["exact"], "is_active": ["exact"]}


def _facts(user: User, actor: Actor) -> list[tuple[Any, Any]]:
    return [
        (_("User name"), user.username),
        (_("Office"), user.office),
        (_("E-mail"), user.email),
        (_("May sign in"), _("yes") if user.is_active else _("no")),
        (_("Last sign-in"), user.last_login),
    ]


def _context(user: User, actor: Actor) -> dict[str, Any]:
    """Roles held now or later, as far as this person may see them."""
    seen = visible(RoleAssignment, actor).values("pk")
    rows = in_force_or_later().filter(user=user, pk__in=seen).select_related("office")
    return {"roles": rows.order_by("start_date", "pk")}


def _events(user: User) -> QuerySet[Event]:
    """What was done to the person and to their roles, newest first."""
    roles = [str(pk) for pk in RoleAssignment.objects.filter(user=user).values_list("pk", flat=True)]
    own = Q(subject_type="user", subject_id=str(user.pk)) | Q(subject_type="roleassignment", subject_id__in=roles)
    return Event.objects.filter(own).order_by("-id")


def _action(name: str, label: Any, run: Any, form: type[ActionForm] | None = None, **more: Any) -> Action:
    return Action(name, label, run, form=form, roles=ADMINISTRATOR, id_argument="user_id", **more)


register(
    Noun(
        name="user",
        plural="people",
        model=User,
        readers=STAFF_READERS,
        serializer=UserSerializer,
        table=UserTable,
        filterset=UserFilter,
        section="account_for",
        icon="users",
        search=lambda rows, text: rows.filter(Q(display_name__icontains=text) | Q(username__icontains=text)),
        ordering=("username",),
        api_ordering=("id", "username"),
        template="branch/user.html",
        facts=_facts,
        context=_context,
        events=_events,
        actions=(
            _action("create", _("New person"), staff.create_user, NewPersonForm, on="list", tone="primary"),
            _action(
                "assign-role",
                _("Give a role"),
                staff.assign_role,
                RoleForm,
                tone="primary",
                initial=lambda actor, user: {"start_date": business_date(), "office_id": user.office_id},
            ),
            _action(
                "update",
                _("Edit"),
                staff.update_user,
                PersonForm,
                initial=lambda actor, user: {
                    "display_name": user.display_name,
                    "email": user.email,
                    "office_id": user.office_id,
                },
            ),
            _action("set-password", _("Set a password"), staff.set_password, PasswordForm),
            _action(
                "sign-out-everywhere",
                _("Sign out everywhere"),
                sessions.sign_out_everywhere,
                confirm=_("This ends all their sessions and tokens."),
            ),
            _action(
                "deactivate",
                _("Deactivate"),
                staff.deactivate_user,
                ReasonForm,
                tone="danger",
                when=lambda user: user.is_active,
            ),
            _action(
                "reactivate", _("Let in again"), staff.reactivate_user, ReasonForm, when=lambda user: not user.is_active
            ),
        ),
    )
)
