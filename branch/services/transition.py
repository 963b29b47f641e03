"""The one way a state changes: lock → permission → separation of duties → state → save → event."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connection
from django.db.models import F, Model, QuerySet
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import DutiesConflict, NotFound, PermissionRefused, StaleVersion, WrongState
from branch.domain.roles import Duty, Role
from branch.models import FileDuty
from branch.models.stateful import Stateful, Subject
from branch.queries.visibility import visible
from branch.services.events import record, snapshot
from branch.words import state_word

S = TypeVar("S", bound=Stateful)
T = TypeVar("T", bound=Subject)
M = TypeVar("M", bound=Model)


def lock(
    model: type[M], pk: Any, actor: Actor, expected_version: int | None = None, *, even_retired: bool = False
) -> M:
    """The row, locked for this transaction, if the actor may see it.

    Raises NotFound when it is not there or not visible, StaleVersion when it changed since it was read, WrongState
    when nobody works on it any more, unless those are wanted too.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("a row is locked inside a transaction or not at all")
    # The scope may join other tables; the lock is taken on the bare row, so that joins cannot break it.
    if not str(pk).isdigit() or not visible(model, actor).filter(pk=pk).exists():
        raise NotFound(_("There is no such record."))
    row = model._default_manager.select_for_update().get(pk=pk)
    if expected_version is not None and getattr(row, "version", None) != expected_version:
        raise StaleVersion(
            _("Somebody changed this meanwhile. Load it again and repeat your change."),
            version=getattr(row, "version", None),
        )
    if not even_retired:
        require_open(row)
    return row


def require_open(thing: Any) -> None:
    """Raises WrongState where nothing new may be begun on a thing."""
    if isinstance(thing, Subject) and (why := thing.closed_because()):
        raise WrongState(why, id=thing.pk)


def require_in_use(*things: Any) -> None:
    """Raises WrongState where not even what is under way for a thing may go on."""
    for thing in things:
        if isinstance(thing, Subject) and (why := thing.refuses_more()):
            raise WrongState(why, id=thing.pk)


def may(actor: Actor, row: Transition, subject: Subject) -> bool:
    """Whether the actor's roles allow this event on this subject; says nothing of state or duties."""
    roles = set(row.roles)
    office_path = subject.office.path
    if row.owner_only and Role.ACCOUNT_MANAGER in roles and subject.subject_owner_id != actor.user_id:
        roles.discard(Role.ACCOUNT_MANAGER)
    return actor.holds(roles, office_path)


def authorise(actor: Actor, subject: Stateful, event: str) -> Transition:
    """Permission, separation of duties and state, in that order. Raises the matching refusal."""
    row = subject.MACHINE.by_event[event]
    if not may(actor, row, subject):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    if row.duty is not None:
        take_duty(actor, subject.file_key, row.duty)
    if subject.state not in row.sources:
        raise wrong_state(subject, event, row.sources)
    return row


def take_duty(actor: Actor, file_key: str, duty: Duty) -> None:
    """Note that this person does this on this file. Raises DutiesConflict if they did something else on it."""
    if actor.is_system:
        return
    held, _created = FileDuty.objects.get_or_create(
        file_key=file_key, user_id=actor.person_id, defaults={"duty": duty.value}
    )
    if held.duty != duty.value:
        raise DutiesConflict(
            _("You already acted on this file in another capacity, so somebody else must do this."),
            held=held.duty,
            wanted=duty.value,
        )


@contextmanager
def transition(
    model: type[S],
    pk: Any,
    event: str,
    *,
    actor: Actor,
    reason: str = "",
    expected_version: int | None = None,
) -> Iterator[S]:
    """Lock and check, let the caller change fields, then move the state, save and record the event.

    Nothing is saved when the caller's block raises.
    """
    subject = lock(model, pk, actor, expected_version)
    authorise(actor, subject, event)
    before = snapshot(subject)
    yield subject
    fire(subject, event)
    save(subject)
    record(f"{subject.MACHINE.name}.{event}", subject, actor=actor, before=before, reason=reason)


@contextmanager
def change(
    model: type[T],
    pk: Any,
    name: str,
    *,
    actor: Actor,
    roles: frozenset[Role],
    states: tuple[str, ...] = (),
    owner_only: bool = True,
    reason: str = "",
    expected_version: int | None = None,
) -> Iterator[T]:
    """The same for a change of fields that leaves the state as it is; `states` are those it is allowed in."""
    subject = lock(model, pk, actor, expected_version)
    state = getattr(subject, "state", "")
    if not may(actor, Transition(name, states, state, roles, owner_only=owner_only), subject):
        raise PermissionRefused(_("Your role does not allow this here."), event=name)
    if states and state not in states:
        raise wrong_state(subject, name, states)
    before = snapshot(subject)
    yield subject
    save(subject)
    record(f"{kind_of(subject)}.{name}", subject, actor=actor, before=before, reason=reason)


def create(subject: T, *, actor: Actor, roles: frozenset[Role], event: str = "create", reason: str = "") -> T:
    """Save a new subject (in its initial state) and record it. Raises PermissionRefused."""
    if not actor.holds(roles, subject.office.path):
        raise PermissionRefused(_("Your role does not allow this here."), event=event)
    require_in_use(getattr(subject, "customer", None), getattr(subject, "lead", None))
    subject.save(force_insert=True)
    record(f"{kind_of(subject)}.{event}", subject, actor=actor, before={}, reason=reason)
    return subject


def fire(subject: Stateful, event: str) -> None:
    """Move the state by the table; the row is locked, and what is allowed was checked before."""
    getattr(subject, f"fire_{event}")()


def save(subject: Subject) -> None:
    subject.version += 1
    subject.save()


def kind_of(subject: Subject) -> str:
    """The word an event name starts with: the machine's name, or the model's."""
    return subject.MACHINE.name if isinstance(subject, Stateful) else str(subject._meta.model_name)


def wrong_state(subject: Stateful | Subject, event: str, sources: tuple[str, ...]) -> WrongState:
    state = getattr(subject, "state", "")
    return WrongState(
        _("This can't be done in state %(state)s.") % {"state": state_word(kind_of(subject), state)},
        state=state,
        event=event,
        possible_from=list(sources),
        id=subject.pk,
    )


def bulk_transition(rows: QuerySet[S], event: str, **fields: Any) -> int:
    """Move every row that is in a source state of `event`, in one statement; the number moved.

    For sweeps only: no event per row, so the caller records one per run, step and shard.
    """
    row = rows.model.MACHINE.by_event[event]
    if Role.SYSTEM not in row.roles:
        raise PermissionRefused(f"a sweep may not {event}")
    return rows.filter(state__in=row.sources).update(state=row.target, version=F("version") + 1, **fields)
