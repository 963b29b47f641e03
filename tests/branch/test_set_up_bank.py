"""From an empty database to a bank somebody can sign in to."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from branch.domain.roles import Role
from branch.models import BusinessDay, Event, Office, User
from branch.queries.actors import actor_for

FACTS = {
    "office_code": "HO",
    "office_name": "总行",
    "username": "root",
    "display_name": "管理员",
    "first_day": date(2026, 3, 2),
}


@pytest.fixture(autouse=True)
def password(monkeypatch) -> None:
    monkeypatch.setenv("ADMINISTRATOR_PASSWORD", "three-red-lanterns")


def test_an_empty_database_becomes_a_bank(db, rf) -> None:
    call_command("set_up_bank", **FACTS)

    person = User.objects.get()
    assert authenticate(rf.post("/"), username="root", password="three-red-lanterns") == person
    assert actor_for(person).holds_bank_wide({Role.ADMINISTRATOR})
    assert BusinessDay.objects.get().date == date(2026, 3, 2)
    assert list(Event.objects.order_by("id").values_list("name", "actor_id")) == [
        ("business_day.open", None),
        ("office.create", None),
        ("user.create", None),
        ("role.assign", None),
    ]


def test_a_bank_is_set_up_once(db) -> None:
    call_command("set_up_bank", **FACTS)
    before = Event.objects.count()
    with pytest.raises(CommandError):
        call_command("set_up_bank", **FACTS | {"username": "intruder"})
    assert (User.objects.count(), Office.objects.count(), Event.objects.count()) == (1, 1, before)


def test_nothing_is_set_up_with_a_weak_password(db, monkeypatch) -> None:
    monkeypatch.setenv("ADMINISTRATOR_PASSWORD", "demo")
    with pytest.raises(CommandError):
        call_command("set_up_bank", **FACTS)
    assert not User.objects.exists()
    assert not Office.objects.exists()
    assert not BusinessDay.objects.exists()
