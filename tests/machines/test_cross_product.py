"""Every event in every state by every role: what the table allows happens, and nothing else does.

The expected outcome is worked out here from the rows of the table, not by the code that enforces it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import NotFound, PermissionRefused, Refusal
from branch.domain.roles import Duty, Role
from branch.models import Event, FileDuty
from branch.models.stateful import Stateful
from branch.queries.visibility import visible
from branch.services.transition import bulk_transition, transition

MODELS = [model for model in apps.get_models() if issubclass(model, Stateful)]


def all_of_it(subject: Stateful) -> tuple[Any, ...]:
    """Everything a refused event must leave as it is, in one query: there are thousands of cases."""
    table = subject._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT to_jsonb(t)::text FROM {table} t WHERE id = %s), (SELECT count(*) FROM branch_event), "
            "(SELECT coalesce(json_agg(json_build_array(file_key, user_id, duty) ORDER BY id), '[]')::text "
            "FROM branch_fileduty)",
            [subject.pk],
        )
        row, events, duties = cursor.fetchone()
    return json.loads(row), events, json.loads(duties)


class Undo(Exception):
    """Raised to take back what a successful case did."""


def attempt(subject: Stateful, event: str, actor: Actor) -> str:
    """Cause the event as a service would; the type of the refusal, or nothing."""
    try:
        with transaction.atomic(), transition(type(subject), subject.pk, event, actor=actor):
            pass
    except Refusal as refusal:
        return refusal.type
    return ""


def put_into(subject: Stateful, state: str) -> None:
    type(subject)._default_manager.filter(pk=subject.pk).update(state=state)  # type: ignore[misc]


def callers(world) -> Iterator[tuple[str, Role, bool, Actor]]:
    """Label, role held, whether the file is their own, and the person."""
    for role, actor in world.actors.items():
        yield str(role), role, True, actor
    yield "account_manager of another file", Role.ACCOUNT_MANAGER, False, world.stranger


def allowed(row: Transition, role: Role, own: bool) -> bool:
    return role in row.roles and (own or not row.owner_only)


#: They start and discard the files of watchlists; the one of outside facts that is looked at here they don't see.
LIST_KEEPERS = (Role.POLICY_MANAGER, Role.ADMINISTRATOR)


def expected(row: Transition, state: str, role: Role, own: bool, sees: bool) -> str:
    if allowed(row, role, own) and not (sees is False and role in LIST_KEEPERS):
        return "" if state in row.sources else "wrong-state" if sees else "not-found"
    return "permission-denied" if sees else "not-found"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_event_in_every_state_by_every_role(world, model) -> None:
    subject = world.subjects[model]
    wrong: list[str] = []
    for state in model.MACHINE.states:
        put_into(subject, state)
        before = all_of_it(subject)
        for label, role, own, actor in callers(world):
            sees = visible(model, actor).filter(pk=subject.pk).exists()
            for row in model.MACHINE.transitions:
                case = f"{state} --{row.event}--> by {label}"
                wanted = expected(row, state, role, own, sees)
                wrong += [f"{case}: {fault}" for fault in case_faults(subject, row, actor, wanted, before)]
    assert wrong == []


def case_faults(subject: Stateful, row: Transition, actor: Actor, wanted: str, before: tuple) -> list[str]:
    """What is wrong with one case, which leaves nothing behind."""
    faults: list[str] = []
    try:
        # A refusal takes back what was done by itself; only what succeeds must be undone here.
        with nullcontext() if wanted else transaction.atomic():
            got = attempt(subject, row.event, actor)
            if got != wanted:
                faults.append(f"got {got or 'done'}, expected {wanted or 'done'}")
            elif not wanted:
                faults += done_faults(subject, row, actor, before)
            elif all_of_it(subject) != before:
                faults.append("was refused and changed something all the same")
            raise Undo
    except Undo:
        return faults


def done_faults(subject: Stateful, row: Transition, actor: Actor, before: tuple) -> list[str]:
    """A successful event moves the state, counts the version up, is on the record once and takes its duty."""
    old, events_before, duties_before = before
    now, events_now, duties_now = all_of_it(subject)
    event = Event.objects.latest("id")
    machine = subject.MACHINE.name
    facts = {
        "state": (now["state"], row.target),
        "version": (now["version"], old["version"] + 1),
        "other columns": (now | {"state": "", "version": 0}, old | {"state": "", "version": 0}),
        "events": (events_now, events_before + 1),
        "event": ((event.name, event.actor_id), (f"{machine}.{row.event}", actor.user_id)),
        "before": (event.before.get("state"), old["state"] if old["state"] != row.target else None),
        "after": (event.after.get("state"), row.target if old["state"] != row.target else None),
        "duties": (
            [duty for duty in duties_now if duty not in duties_before],
            [[subject.file_key, actor.user_id, row.duty.value]] if row.duty and not actor.is_system else [],
        ),
    }
    return [f"{name} is {got}, not {wanted}" for name, (got, wanted) in facts.items() if got != wanted]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_role_at_another_branch_counts_for_nothing(world, model) -> None:
    subject = world.subjects[model]
    wrong = []
    for row in model.MACHINE.transitions:
        put_into(subject, row.sources[0])
        before = all_of_it(subject)
        for role, actor in world.elsewhere.items():
            got = attempt(subject, row.event, actor)
            if got not in (NotFound.type, PermissionRefused.type) or all_of_it(subject) != before:
                wrong.append(f"{row.event} by {role} of another branch: {got or 'done'}")
    assert wrong == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_who_did_something_else_on_the_file_is_refused(world, model) -> None:
    """For every event that is a duty and every other duty: the person may not do both."""
    subject = world.subjects[model]
    wrong = []
    for row in model.MACHINE.transitions:
        people = [world.actors[role] for role in row.roles if role is not Role.SYSTEM]
        for actor in people if row.duty else []:
            for other in set(Duty) - {row.duty}:
                put_into(subject, row.sources[0])
                held = FileDuty.objects.create(file_key=subject.file_key, user_id=actor.user_id, duty=other)
                before = all_of_it(subject)
                got = attempt(subject, row.event, actor)
                if got != "separation-of-duties" or all_of_it(subject) != before:
                    wrong.append(f"{row.event} by {actor.username}, who did {other}: {got or 'done'}")
                held.delete()
    assert wrong == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_sweep_moves_only_what_its_table_lets_it(world, model) -> None:
    subject = world.subjects[model]
    rows = model._default_manager.filter(pk=subject.pk)
    for row in model.MACHINE.transitions:
        for state in model.MACHINE.states:
            put_into(subject, state)
            version = rows.get().version
            if Role.SYSTEM not in row.roles:
                with pytest.raises(PermissionRefused):
                    bulk_transition(rows, row.event)
                moved = 0
            else:
                moved = bulk_transition(rows, row.event)
                assert moved == (1 if state in row.sources else 0)
            now = rows.get()
            assert (now.state, now.version) == ((row.target, version + 1) if moved else (state, version))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_the_state_has_no_other_writer(world, model) -> None:
    subject = model._default_manager.get(pk=world.subjects[model].pk)
    with pytest.raises(AttributeError):
        subject.state = model.MACHINE.states[-1]


def test_every_thing_with_a_state_is_among_them(world) -> None:
    assert set(world.subjects) == set(MODELS)
