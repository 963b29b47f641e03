"""Every other use case, killed before and after its commit: nothing happened, or all of it, once."""

from __future__ import annotations

from functools import partial

import pytest

from branch.domain.refusals import Refusal
from tests.kill import cases, database
from tests.kill.database import Kept
from tests.kill.walk import Record
from tests.kill.world import World


@pytest.mark.parametrize("name", cases.CASES)
def test_done_not_at_all_or_once(world: World, record: Record, name: str) -> None:
    call, before, after = partial(cases.carry_out, name), f"{name}.before_commit", f"{name}.after_commit"
    given = given_for(name, world, record)
    _result, passed = world.workers.do(call)
    wanted = database.contents()
    assert {before, after} <= set(passed)

    database.put_back(given)
    world.workers.die_at(before, call)
    assert database.fingerprint() == given.prints

    world.workers.die_at(after, call)
    assert database.differences(wanted, database.contents()) == []
    assert_nothing_more_comes_of(call, world, cases.CASES[name].is_keyed)


def given_for(name: str, world: World, record: Record) -> Kept:
    stage = record.stages[cases.CASES[name].after]
    database.put_back(stage)
    world.workers.do(partial(cases.give, name))
    return database.keep(stage)


def assert_nothing_more_comes_of(call: partial, world: World, is_keyed: bool) -> None:
    """Repeated after the restart, it is answered from before; without a key it is refused or changes nothing."""
    done = database.fingerprint()
    (was_known, refusal), _passed = world.workers.do(partial(attempt, call))
    assert database.fingerprint() == done
    assert was_known or not is_keyed, refusal


def attempt(call: partial) -> tuple[bool, str]:
    try:
        return call(), ""
    except Refusal as refusal:
        return False, refusal.type
