"""Every noun against the table: each role at each office position, on every page, list, export and API route.

Whoever is denied in the same way is asked about as one person who holds all those roles at all those positions:
roles only ever add to one another, so what is refused to all of them together is refused to each. Only where that
fails is each asked alone, to name the ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import pytest

from branch.models import User
from tests.access.calls import Answer, Caller, traces, undone
from tests.access.reach import EVERYBODY, acts_on, may, sees
from tests.access.table import ACT, FURTHER, LIMITED, LOOKED_AT, READ, Act
from tests.access.world import Grant, World

#: Their page shows sums; the rows themselves stand in export and API.
SUMMED_UP = {"account-balances"}
ACTED_ON = sorted({plural for plural, _name in ACT})
LOOKS = [(plural, state) for plural in READ for state in LOOKED_AT.get(plural, ("",))]


def each(people: Iterable[Grant], world: World, check: Callable[[User], list[str]]) -> list[str]:
    """What is wrong for any of these people: asked together first, then role by role and one by one."""
    owner = [grant for grant in people if grant[1] == "owner"]
    others = [grant for grant in people if grant[1] != "owner"]
    wrong = [f"the owner: {line}" for line in (check(world.owner) if owner else [])]
    if not others or not (together := check(world.holding(*others))):
        return wrong
    for role in dict.fromkeys(role for role, _position in others):
        grants = [grant for grant in others if grant[0] == role]
        if check(world.holding(*grants)):
            wrong += [f"{role}/{grant[1]}: {line}" for grant in grants for line in check(world.holding(grant))]
    return wrong or [f"{len(others)} together, none alone: {line}" for line in together]


def agree(wrong: list[str]) -> None:
    if wrong:
        pytest.fail("\n".join(["table and program disagree:", *wrong]), pytrace=False)


@pytest.mark.parametrize(("plural", "state"), LOOKS)
def test_who_sees_a_thing(world: World, caller: Caller, plural: str, state: str) -> None:
    """Lists, pages, exports, API and timeline show it to whom the table says.

    Everywhere to a role held at the thing's own place; by the API alone where it is seen from afar, and in a further
    state to a role that sees every state.
    """
    thing = world.thing(plural, state)
    further = state != LOOKED_AT.get(plural, ("",))[0]
    wrong: list[str] = []
    for role, position in EVERYBODY:
        if sees((role, position), plural, state):
            everywhere = position in ("same", "owner") and (not further or READ[plural][role] in LIMITED)
            lines = _shown(caller, world.holding((role, position)), plural, thing, everywhere)
            wrong += [f"{role}/{position}: {line}" for line in lines]
    agree(wrong)


@pytest.mark.parametrize(("plural", "state"), LOOKS)
def test_who_does_not_see_a_thing(world: World, caller: Caller, plural: str, state: str) -> None:
    """Everybody else gets 403 or 404 and learns nothing; a role that reads such things elsewhere an empty list."""
    thing = world.thing(plural, state)
    blind = [grant for grant in EVERYBODY if not sees(grant, plural, state)]
    strangers = [grant for grant in blind if grant[0] not in READ[plural]]
    elsewhere = [grant for grant in blind if grant[0] in READ[plural]]
    before = traces(thing)
    wrong = each(strangers, world, lambda user: _hidden(caller, user, plural, thing, opens=False))
    wrong += each(elsewhere, world, lambda user: _hidden(caller, user, plural, thing, opens=True))
    agree(wrong)
    assert traces(thing) == before


def pages(plural: str, thing: Any) -> tuple[str, ...]:
    at = f"/{plural}/{thing.pk}/"
    further = (path.replace("<pk>", str(thing.pk)).replace("<form>", "xlsx") for path in FURTHER.get(plural, ()))
    return (f"/api/v1{at}", at, f"/api/v1{at}events/", *(f"/{path}" for path in further))


def lists(plural: str) -> tuple[str, ...]:
    return (f"/api/v1/{plural}/?page_size=200", f"/{plural}/", f"/{plural}/export.csv", f"/{plural}/export.xlsx")


def _lists(answer: Answer, plural: str, thing: Any) -> bool:
    return answer.leaks or f'"/{plural}/{thing.pk}/"' in answer.text or f'"id":{thing.pk},' in answer.text


def _shown(caller: Caller, user: User, plural: str, thing: Any, everywhere: bool) -> list[str]:
    wrong = []
    for path in (*pages(plural, thing), *lists(plural)[:3]) if everywhere else pages(plural, thing)[:1]:
        answer = caller(user, "GET", path)
        if answer.status != 200:
            wrong.append(f"{path} {answer.status}")
        elif path in lists(plural)[: 1 if plural in SUMMED_UP else 2] and not _lists(answer, plural, thing):
            wrong.append(f"{path} does not show it")
    return wrong


def _hidden(caller: Caller, user: User, plural: str, thing: Any, *, opens: bool) -> list[str]:
    wrong = []
    for path in pages(plural, thing):
        answer = caller(user, "GET", path)
        if not answer.denies:
            wrong.append(f"{path} {answer.status}")
        if answer.leaks:
            wrong.append(f"{path} leaks")
    for path in lists(plural):
        answer = caller(user, "GET", path)
        if not (answer.status == 200 if opens else answer.denies):
            wrong.append(f"{path} {answer.status}")
        if _lists(answer, plural, thing):
            wrong.append(f"{path} shows it")
    return wrong


# --- use cases


@pytest.mark.parametrize("plural", ACTED_ON)
def test_who_may_not_act(world: World, caller: Caller, plural: str) -> None:
    """403 or 404 from the form's page, the form and the API, filled in well or not at all; nothing changes or leaks."""
    wrong: list[str] = []
    for name, act in acts_on(plural):
        thing = world.thing(plural, act.state) if act.on == "item" else None
        call = partial(_calls, caller, plural, name, act, thing, world.filled(act.body, thing))
        denied = [grant for grant in EVERYBODY if not may(grant, plural, act)]
        choosing = [grant for grant in denied if act.by_choice and grant[0] in act.who]
        things = [thing] if thing else []
        before = traces(*things)
        for knows in (True, False):
            asked = [grant for grant in denied if knows == bool(thing and sees(grant, plural, act.state))]
            misled = [grant for grant in asked if grant in choosing]
            refused = [grant for grant in asked if grant not in choosing]
            wrong += each(refused, world, partial(_denied, call, knows))
            wrong += each(misled, world, partial(_misled, call, knows))
        if traces(*things) != before:
            wrong.append(f"{name}: something changed")
    agree(wrong)


def _calls(
    caller: Caller, plural: str, name: str, act: Act, thing: Any, body: dict[str, Any], user: User
) -> dict[str, Answer]:
    page, api, method = addresses(plural, name, act, thing)
    return {
        f"{name}, page": caller(user, "GET", page),
        f"{name}, form": caller(user, "POST", page, body),
        f"{name}, API": caller(user, method, api, body),
        f"{name}, API without values": caller(user, method, api),
    }


def _denied(call: Callable[[User], dict[str, Answer]], knows: bool, user: User) -> list[str]:
    answers = call(user)
    wrong = [f"{what}: {answer.status}" for what, answer in answers.items() if not answer.denies]
    return wrong + _leaks(answers, knows)


def _misled(call: Callable[[User], dict[str, Answer]], knows: bool, user: User) -> list[str]:
    """The form is open to the role, but not for this choice: refused without a word about what was chosen.

    Without values nothing is chosen, and what comes back is about the person's own office.
    """
    answers = call(user)
    wrong = [
        f"{what}: {answer.status}"
        for what, answer in answers.items()
        if not (400 <= answer.status < 500 or (answer.status == 200 and not what.endswith(("form", "API"))))
    ]
    return wrong + _leaks(answers, knows)


def _leaks(answers: dict[str, Answer], knows: bool) -> list[str]:
    """Who sees the thing itself may read of it, also where they are refused."""
    return [f"{what}: leaks" for what, answer in answers.items() if answer.leaks and not knows]


def addresses(plural: str, name: str, act: Act, thing: Any) -> tuple[str, str, str]:
    """Page, API route and its method of a use case."""
    if act.on == "list":
        return f"/{plural}/{name}/", f"/api/v1/{plural}/" + ("" if name == "create" else f"{name}/"), "POST"
    at = f"{plural}/{thing.pk}/"
    return f"/{at}{name}/", f"/api/v1/{at}" + ("" if act.method == "PATCH" else f"{name}/"), act.method


@pytest.mark.parametrize("plural", ACTED_ON)
def test_who_may_act(world: World, caller: Caller, plural: str) -> None:
    """They find the form's page and are served by form and API alike."""
    wrong: list[str] = []
    for name, act in acts_on(plural):
        thing = world.thing(plural, act.state) if act.on == "item" else None
        for grant in EVERYBODY:
            if may(grant, plural, act):
                wrong += [f"{grant} {name}, {line}" for line in _served(world, caller, grant, plural, name, act, thing)]
    agree(wrong)


def _served(world: World, caller: Caller, grant: Grant, plural: str, name: str, act: Act, thing: Any) -> list[str]:
    page, api, method = addresses(plural, name, act, thing)
    user, body = world.holding(grant), world.filled(act.body, thing)
    caller.client(user)  # signed in for good, not only inside what is undone
    with undone():
        world.prepare(plural, name, user, grant[0], thing)
        answer = caller.undone(user, method, api, body)
        wrong = [f"API: {answer.status} {answer.complaint}"] if answer.status != act.gives else []
        if grant[1] in ("same", "owner"):
            shown = caller.undone(user, "GET", page)
            wrong += [f"page: {shown.status}"] if shown.status != 200 else []
            sent = caller.undone(user, "POST", page, body | ({"partial": "1"} if method == "PATCH" else {}))
            wrong += [f"form: {sent.status} {sent.complaint}"] if sent.status not in (200, 302) else []
    return wrong
