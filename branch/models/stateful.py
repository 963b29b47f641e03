"""The bases of everything that has an office and a version, and of what has a life of its own."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from branch.domain.machine import Machine
from branch.models.office import Office


class StateField(FSMField):
    """To migrations a plain text column: every state field they make listens to every model that is made after it."""

    def deconstruct(self) -> Any:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, {key: kwargs[key] for key in kwargs if key != "protected"}


def state_field(machine: Machine) -> FSMField:
    """The protected state column: only its transition methods write it."""
    return StateField(_("state"), default=machine.initial, protected=True, max_length=30)


def state_is_known(machine: Machine) -> models.CheckConstraint:
    """The database refuses a state the table does not know."""
    return models.CheckConstraint(condition=models.Q(state__in=machine.states), name=f"{machine.name}_state_known")


class Subject(models.Model):
    """A thing that belongs to an office, has a version, and stands in the event log."""

    #: Fields whose values must not stand in events.
    PERSONAL: ClassVar[frozenset[str]] = frozenset()

    office = models.ForeignKey(Office, models.PROTECT, related_name="+", verbose_name=_("office"))
    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), db_default=Now(), editable=False)

    class Meta:
        abstract = True

    # What the event log and the separation of duties need to know of a thing; overridden where it differs.

    @property
    def hidden_fields(self) -> frozenset[str]:
        """Fields of this row whose values must not stand in events: PERSONAL, and what is personal in this one."""
        return self.PERSONAL

    def closed_because(self) -> str:
        """Why this is no longer worked on: it is read, and nothing new is begun on it. Empty where it is."""
        return ""

    def refuses_more(self) -> str:
        """Why not even what is under way for it may go on; empty where it may."""
        return self.closed_because()

    @property
    def subject_label(self) -> str:
        return str(self)

    @property
    def subject_customer_id(self) -> int | None:
        return getattr(self, "customer_id", None)

    @property
    def subject_owner_id(self) -> int | None:
        """The account manager who owns this; None where nobody does."""
        return getattr(self, "owner_id", None)

    @property
    def file_key(self) -> str:
        """The application this belongs to over its whole life, as text; empty before there is one."""
        application_id = getattr(self, "application_id", None)
        return str(application_id) if application_id else ""

    @property
    def etag(self) -> str:
        return f'"{self.version}"'


class Stateful(Subject):
    """Subclasses set MACHINE, `state = state_field(MACHINE)` and the constraint `state_is_known(MACHINE)`.

    Each row of the table becomes a django-fsm method `fire_<event>`; branch.services.transition calls it.
    """

    MACHINE: ClassVar[Machine]
    state: FSMField

    class Meta:
        abstract = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for row in getattr(cls, "MACHINE", Machine("", "", ())).transitions:
            setattr(cls, f"fire_{row.event}", _fsm_method(row.event, list(row.sources), row.target))

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        # A protected field takes a value only while it has none; what the database says is no change of state.
        if fields is None or "state" in fields:
            self.__dict__.pop("state", None)
        super().refresh_from_db(using=using, fields=fields, from_queryset=from_queryset)


def _fsm_method(event: str, sources: list[str], target: str) -> Any:
    def fire(self: Stateful) -> None:
        return None

    fire.__name__ = f"fire_{event}"
    return transition(field="state", source=sources, target=target)(fire)
