"""A person for every role, and one row of everything they might act on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.actor import Actor, system_actor
from branch.domain.roles import Role
from branch.models import BusinessDay, RoleAssignment, User
from branch.queries.actors import actor_for
from tests.access.calls import undone
from tests.cast import OPENING, make_offices
from tests.machines.subjects import build_all


@pytest.fixture(scope="module")
def bank(django_db_setup: None, django_db_blocker: Any) -> Iterator[SimpleNamespace]:
    """Made once, in a transaction around all the tests' own; never committed."""
    with django_db_blocker.unblock(), undone():
        yield _made()


@pytest.fixture
def world(bank: SimpleNamespace, db: None) -> SimpleNamespace:
    """The bank as it was made; what a test changes ends with the test."""
    return bank


def _made() -> SimpleNamespace:
    """`actors`: by role, each holding that role alone at the head office, the account manager owning everything.

    `stranger` is an account manager who owns nothing; `elsewhere` holds each role at a branch beside the file's.
    """
    BusinessDay.objects.create(date=OPENING)
    offices = make_offices()
    owner = _person(Role.ACCOUNT_MANAGER, offices["HO"], "owner")
    actors: dict[Role, Actor] = {
        role: _acting(_person(role, offices["HO"])) for role in Role if role is not Role.SYSTEM
    }
    actors[Role.ACCOUNT_MANAGER] = _acting(owner)
    actors[Role.SYSTEM] = system_actor()
    return SimpleNamespace(
        actors=actors,
        stranger=_acting(_person(Role.ACCOUNT_MANAGER, offices["HO"], "stranger")),
        elsewhere={role: _acting(_person(role, offices["JB"], f"far-{role}")) for role in Role if role != Role.SYSTEM},
        subjects=build_all(offices["HO"], offices["HW"], owner),
    )


def _person(role: Role, office, username: str = "") -> User:
    user = User.objects.create(username=username or str(role), display_name=str(role), office=office)
    RoleAssignment.objects.create(user=user, role=role, office=office, start_date=date(2020, 1, 1))
    return user


def _acting(user: User) -> Actor:
    return actor_for(user)
