"""A noun of the branch, declared once: its list, page, forms, buttons, export and API all come from here.

Each app declares its nouns in its `nouns` package; config/urls.py turns the registry into routes.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_type_hints

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django_filters import FilterSet
from django_tables2 import Table
from rest_framework.serializers import Serializer

from branch.domain.actor import Actor
from branch.domain.refusals import PermissionRefused
from branch.domain.roles import Role
from branch.models import FileDuty
from branch.models.stateful import Stateful, Subject
from branch.queries.timeline import events_about
from branch.queries.visibility import visible
from branch.services.rehearsal import rehearse
from branch.services.transition import may
from branch.web.filters import by_number
from branch.web.forms import ActionForm

Text = Any  # a str or a lazy translation


@dataclass(frozen=True)
class Action:
    """One use case offered on a noun.

    `run` is the service, called as run(actor=…, <noun>_id=…, **form values, expected_version=…).
    It is offered when the machine allows `event` in the present state to this person, or, without an event,
    when one of `roles` is held; `when` narrows that further by facts of the thing, `for_whom` by facts of the person
    and the thing, such as who has claimed it. `on` is "item" or "list".
    `partial` passes on only the fields that were sent, and lets those be left out that the service has a value for;
    `method` is how the API takes it.
    A form too big for the drawer asks for the `full_page`.
    One that is not `in_menu` is reached from a page of its own and is no button of the list or thing.
    `bank_wide` asks for the role at the head office: it changes something of the bank as a whole. One that is open
    `anywhere` is for whoever holds a role at any office, wherever the thing stands.
    One that is offered `even_retired` is open on what is no longer worked on.
    `answer` turns what the service returns into the API's body where that is not the noun itself.
    `preview` tells, from what the service returns, what it did: asked for beforehand, the service is run and taken
    back. A page shows it with `preview_template` below the form, the API under the action's address and `preview/`.
    On a page the person goes on to the thing's own page, or sees `answer_template` (with `result`, and `answer`
    where that is given) in place of the form; one without an `answer` is for pages that save as typed.
    """

    name: str
    label: Text
    run: Callable[..., Any]
    form: type[ActionForm] | None = None
    event: str = ""
    roles: frozenset[Role] = frozenset()
    on: str = "item"
    tone: str = "plain"
    confirm: Text = ""
    partial: bool = False
    method: str = "POST"
    when: Callable[[Any], bool] | None = None
    initial: Callable[[Actor, Any], dict[str, Any]] | None = None
    template: str = "nouns/action.html"
    context: Callable[[Actor, Any], dict[str, Any]] | None = None
    answer: Callable[[Any], Any] | None = None
    answer_serializer: type[Serializer] | None = None
    answer_template: str = ""
    status: int = 200
    id_argument: str = ""
    bank_wide: bool = False
    anywhere: bool = False
    in_menu: bool = True
    full_page: bool = False
    even_retired: bool = False
    for_whom: Callable[[Actor, Any], bool] | None = None
    preview: Callable[[Any], Any] | None = None
    preview_template: str = ""
    preview_serializer: type[Serializer] | None = None

    @cached_property
    def arguments(self) -> Mapping[str, inspect.Parameter]:
        return inspect.signature(self.run).parameters

    @property
    def answers_with(self) -> Noun | None:
        """The noun of what the service returns; None where that is no noun's."""
        return _BY_MODEL.get(get_type_hints(self.run).get("return", type(None)))

    @property
    def has_preview(self) -> bool:
        """For templates, which would call `preview` where they only ask for it."""
        return self.preview is not None

    @property
    def takes_version(self) -> bool:
        """Whether it can be held to the version the caller has read."""
        return "expected_version" in self.arguments

    @cached_property
    def optional(self) -> frozenset[str]:
        """Fields a partial request may leave out whatever the form says: all but those the service must be given."""
        if self.form is None or not self.partial:
            return frozenset()
        must = {name for name, argument in self.arguments.items() if argument.default is argument.empty}
        return frozenset(self.form.base_fields) - must

    def call(self, actor: Actor, pk: Any, values: dict[str, Any], version: int | None, noun: Noun) -> Any:
        """Run the service. The version is passed on only where one was sent and the service takes it."""
        arguments = dict(values)
        if self.on == "item":
            arguments[self.id_argument or f"{noun.name}_id"] = pk
        if version is not None and self.takes_version:
            arguments["expected_version"] = version
        return self.run(actor=actor, **arguments)

    def rehearsed(self, actor: Actor, pk: Any, values: dict[str, Any], version: int | None, noun: Noun) -> Any:
        """What it would do, told by `preview`; nothing of it stays."""
        if self.preview is None:
            raise TypeError(f"{self.name} has no preview")
        tell = self.preview
        return rehearse(lambda: tell(self.call(actor, pk, values, version, noun)))

    def offered(self, actor: Actor, obj: Any, duty_held: str = "") -> bool:
        """Whether the button is shown: role, ownership, state and the person's own duty on the file all fit."""
        if not self.even_retired and isinstance(obj, Subject) and obj.closed_because():
            return False
        if self.when is not None and not self.when(obj):
            return False
        if self.event:
            row = obj.MACHINE.by_event[self.event]
            if row.duty is not None and duty_held and duty_held != row.duty:
                return False
            if obj.state not in row.sources:
                return False
        return self.permitted(actor, obj)

    def permitted(self, actor: Actor, obj: Any = None) -> bool:
        """Whether role and ownership allow it at all, whatever the state; a list's action has no thing."""
        if self.bank_wide:
            return actor.holds_bank_wide(self.roles)
        if obj is None:
            return bool(actor.roles & self.roles)
        if self.for_whom is not None and not self.for_whom(actor, obj):
            return False
        if self.event:
            return may(actor, obj.MACHINE.by_event[self.event], obj)
        if self.anywhere:
            return bool(actor.roles & self.roles)
        if Role.ACCOUNT_MANAGER in self.roles and getattr(obj, "subject_owner_id", None) not in (None, actor.user_id):
            return actor.holds(self.roles - {Role.ACCOUNT_MANAGER}, obj.office.path)
        office = getattr(obj, "office", None)  # a notification, say, belongs to no office
        return actor.holds(self.roles, office.path) if office is not None else bool(actor.roles & self.roles)


@dataclass(frozen=True)
class Offer:
    """A button: where it leads and how it looks."""

    name: str
    label: Text
    url: str
    tone: str
    confirm: Text
    needs_form: bool
    full_page: bool = False


@dataclass(frozen=True)
class Noun:
    """Everything the interface needs to know of one kind of thing.

    `readers` are the roles that may open it at all; which rows they see is the app's visibility scope.
    `search` narrows a queryset by typed text. `related` is select_related for lists and pages, `prefetch`
    prefetch_related.
    `facts` gives label and value pairs of the generic page; `context` whatever an own `template` needs.
    """

    name: str
    plural: str
    model: type[Model]
    readers: frozenset[Role]
    serializer: type[Serializer]
    table: type[Table]
    filterset: type[FilterSet]
    section: str
    icon: str
    actions: tuple[Action, ...] = ()
    search: Callable[[QuerySet, str], QuerySet] | None = None
    related: tuple[str, ...] = ()
    prefetch: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ("-id",)
    api_ordering: tuple[str, ...] = ("id", "created_at")
    template: str = "nouns/detail.html"
    facts: Callable[[Any, Actor], list[tuple[Text, Any]]] | None = None
    context: Callable[[Any, Actor], dict[str, Any]] | None = None
    events: Callable[[Any], QuerySet] = events_about
    attachment_kinds: tuple[tuple[str, Text], ...] = ()
    #: Called when somebody opens the page of one thing or reads it over the API.
    opened: Callable[[Any, Actor], None] | None = None
    in_navigation: bool = True
    #: Rows that are open work, for the count in the navigation: a filter on the visible rows.
    open_work: Callable[[QuerySet, Actor], QuerySet] | None = None
    list_template: str = "nouns/list.html"

    @property
    def label(self) -> Text:
        return self.model._meta.verbose_name

    @property
    def label_plural(self) -> Text:
        return self.model._meta.verbose_name_plural

    def rows(self, actor: Actor) -> QuerySet:
        """The rows this person may see. Raises PermissionRefused where the noun is not for them at all."""
        if not actor.roles & self.readers:
            raise PermissionRefused(_("This is not open to your role."))
        rows = visible(self.model, actor).select_related(*(("office",) if self.has_office else ()), *self.related)
        return rows.prefetch_related(*self.prefetch)

    @cached_property
    def has_office(self) -> bool:
        return any(f.name == "office" for f in self.model._meta.concrete_fields)

    def timeline(self, obj: Any, actor: Actor) -> QuerySet:
        """The events shown with a thing: of its whole file, but for the kinds of things closed to this person."""
        office = getattr(obj, "office", None)
        closed = [
            noun.model._meta.model_name
            for noun in NOUNS.values()
            if noun.model is not self.model
            and not (actor.holds(noun.readers, office.path) if office is not None else actor.roles & noun.readers)
        ]
        return self.events(obj).exclude(subject_type__in=closed)

    def url(self, obj: Any = None, action: str = "") -> str:
        """Address of the list, of one thing's page, or of an action."""
        if obj is None:
            return reverse(f"{self.name}-{action or 'list'}")
        return reverse(f"{self.name}-{action or 'detail'}", args=[obj.pk])

    def offers(self, actor: Actor, obj: Any) -> list[Offer]:
        """The buttons of one thing for this person, the first primary one leading."""
        held = self._duty_held(actor, obj)
        offered = [a for a in self.actions if a.on == "item" and a.in_menu and a.offered(actor, obj, held)]
        return [self._offer(action, obj) for action in sorted(offered, key=lambda a: a.tone != "primary")]

    def list_offers(self, actor: Actor) -> list[Offer]:
        return [self._offer(a, None) for a in self.actions if a.on == "list" and a.in_menu and a.permitted(actor)]

    def require(self, action: Action, actor: Actor, obj: Any = None) -> None:
        """Raises PermissionRefused for whom the action is never open, before anything they sent is looked at."""
        if not action.permitted(actor, obj):
            raise PermissionRefused(_("This is not open to your role."))

    def action(self, name: str) -> Action:
        return next(action for action in self.actions if action.name == name)

    def _offer(self, action: Action, obj: Any) -> Offer:
        return Offer(
            action.name,
            action.label,
            self.url(obj, action.name),
            action.tone,
            action.confirm,
            action.form is not None or action.template != "nouns/action.html",
            action.full_page,
        )

    def _duty_held(self, actor: Actor, obj: Any) -> str:
        key = getattr(obj, "file_key", "") if isinstance(obj, Stateful) else ""
        if not key:
            return ""
        return (
            FileDuty.objects.filter(file_key=key, user_id=actor.person_id).values_list("duty", flat=True).first() or ""
        )


NOUNS: dict[str, Noun] = {}
_BY_MODEL: dict[type[Model], Noun] = {}


def register(noun: Noun) -> Noun:
    """Add a noun to the registry. Raises ValueError when its name or plural is taken."""
    if noun.name in NOUNS or any(noun.plural == other.plural for other in NOUNS.values()):
        raise ValueError(f"two nouns are called {noun.name} or {noun.plural}")
    by_number(noun.filterset)
    NOUNS[noun.name] = noun
    _BY_MODEL.setdefault(noun.model, noun)
    return noun


def extend(name: str, *actions: Action) -> None:
    """Offer further use cases on a noun of an app below: sending an application to review is approvals' business.

    Called while the nouns load, before any route is made of them. Raises KeyError for an unknown noun.
    """
    noun = NOUNS[name]
    object.__setattr__(noun, "actions", (*noun.actions, *actions))


def noun_of(obj: Any) -> Noun | None:
    return _BY_MODEL.get(type(obj))


def noun_called(model_name: str) -> Noun | None:
    """The noun whose things carry this name in events and attachments."""
    return next((noun for noun in NOUNS.values() if noun.model._meta.model_name == model_name), None)


def url_of(obj: Any) -> str:
    """The page of a thing; empty where it has none."""
    noun = noun_of(obj)
    return noun.url(obj) if noun else ""
