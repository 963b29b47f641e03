"""Whatever stands on the record as a code can be read, in both languages."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.urls import resolve
from django.utils.translation import override

from branch.models.stateful import Stateful
from branch.web.noun import NOUNS
from branch.words import EVENTS, event_word, listed, name_events, state_word

MACHINES = sorted({m.MACHINE for m in apps.get_models() if issubclass(m, Stateful)}, key=lambda m: m.name)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_every_state_and_event_of_a_machine_has_its_word(machine) -> None:
    with override("zh-hans"):
        states = [state for state in machine.states if not CHINESE.search(state_word(machine.name, state))]
        events = [event for event in machine.by_event if not CHINESE.search(event_word(f"{machine.name}.{event}"))]
    assert (states, events) == ([], [])


def test_what_lists_are_filtered_by_is_said_in_chinese() -> None:
    resolve("/")  # the addresses bring the nouns
    with override("zh-hans"):
        labels = {
            f"{noun.name}.{name}": str(one.label)
            for noun in NOUNS.values()
            if noun.filterset
            for name, one in noun.filterset(queryset=noun.model._default_manager.none()).filters.items()
        }
    assert len(labels) > 100
    english = {
        where: label for where, label in labels.items() if not CHINESE.search(label) or re.search("[a-z]{3}", label)
    }
    assert not english, "\n".join(f"{where}: {label}" for where, label in english.items())


def recorded_names() -> set[str]:
    """Every event name that a service hands to `record` as it stands."""
    found = set()
    for path in Path(settings.BASE_DIR).glob("*/services/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "record" and node.args:
                name = node.args[0]
                if isinstance(name, ast.Constant) and isinstance(name.value, str):
                    found.add(name.value)
    return found


def test_every_name_that_a_service_records_has_its_word() -> None:
    names = recorded_names()
    assert len(names) > 20
    assert sorted(names - EVENTS.keys()) == []


def test_english_says_what_somebody_did() -> None:
    with override("en"):
        assert event_word("application.submit") == "submitted the application"
        assert event_word("nobody.knows_this") == "nobody: knows this"


def test_a_machine_has_its_own_word_for_a_state_others_share() -> None:
    with override("zh-hans"):
        words = {state_word(machine, "open") for machine in ("condition", "investigation", "warning_case", "nothing")}
    assert words == {"待落实", "调查中", "待分派", "待处理"}


def test_a_state_nobody_named_is_its_code_with_blanks() -> None:
    assert state_word("nothing", "never_heard_of") == "never heard of"


def test_an_event_is_named_once() -> None:
    with pytest.raises(ValueError, match=r"application\.submit"):
        name_events({"application.submit": "again"})


def test_a_list_is_written_as_the_language_writes_it() -> None:
    with override("en"):
        assert listed(["a", 1]) == "a, 1"
    with override("zh-hans"):
        assert listed(["甲", "乙"]) == "甲、乙"
