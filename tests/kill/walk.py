"""The whole life of one loan: once undisturbed, and then with a death at every place on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, groupby

from tests.kill import child, database
from tests.kill.crash import Passed, let_leases_end
from tests.kill.database import Contents, Kept
from tests.kill.world import World
from tests.life import Life

FUNDS = "200000.00"
BACKGROUND = "background after "
ROUNDS_OF_DEATH = (1, 3)
#: Failpoints to die at by piece of work, in this order.
Plan = dict[str, list[str]]
#: After these steps a payment waits to be sent.
ORDERING = ("release_drawdown", "collect")


@dataclass
class Record:
    """What the undisturbed life passed and left behind."""

    #: Failpoints by piece of work, in the order they were first reached.
    passed: dict[str, Passed] = field(default_factory=dict)
    #: How everything stood after a step and the background work that followed it.
    stages: dict[str, Kept] = field(default_factory=dict)
    contents: Contents = field(default_factory=dict)
    books: dict[str, list] = field(default_factory=dict)

    @property
    def failpoints(self) -> set[str]:
        return set(chain.from_iterable(self.passed.values()))


class Walk:
    """Every step of the life as a keyed request, each followed by the background work."""

    def __init__(self, world: World) -> None:
        self.world = world

    def go(self) -> None:
        for number, step in enumerate(Life.TO_SETTLEMENT):
            if step == "collect":
                self.world.bank.fund(child.life().customer.repayment_account, FUNDS)
            label = f"{number} {step}"
            self.request(label, partial(child.take_step, step, label))
            self.background(f"{BACKGROUND}{label}")
            self.stood(step)

    def request(self, label: str, step: Callable[[], bool]) -> None:
        raise NotImplementedError

    def background(self, label: str) -> None:
        raise NotImplementedError

    def stood(self, step: str) -> None:
        """Called after each step."""


class Undisturbed(Walk):
    def __init__(self, world: World, empty: Kept) -> None:
        super().__init__(world)
        self._latest = database.keep(empty)
        self.record = Record(stages={"empty": empty, "opening": self._latest})

    def go(self) -> None:
        super().go()
        self.record.contents, self.record.books = database.contents(), self.world.bank.read()

    def request(self, label: str, step: Callable[[], bool]) -> None:
        _was_known, self.record.passed[label] = self.world.workers.do(step)

        if label.endswith(ORDERING):
            self.record.stages[f"{label.partition(' ')[2]}, not sent"] = database.keep(self._latest)

    def background(self, label: str) -> None:
        _nothing, self.record.passed[label] = self.world.workers.do(child.work)

    def stood(self, step: str) -> None:
        if step not in self.record.stages:
            self.record.stages[step] = self._latest = database.keep(self._latest)


class Killed(Walk):
    """Dies at every failpoint the plan names for a piece of work, one death after the other."""

    def __init__(self, world: World, deaths: Plan) -> None:
        super().__init__(world)
        self.deaths = deaths

    def request(self, label: str, step: Callable[[], bool]) -> None:
        untouched, is_done = database.fingerprint(), False
        for name in self.deaths[label]:
            self.world.workers.die_at(name, step)
            is_done = _is_after(name)
            assert is_done or database.fingerprint() == untouched, f"a death at {name} left something behind"
        was_known, _passed = self.world.workers.do(step)
        assert was_known is is_done, f"{label} was lost, or done twice"

    def background(self, label: str) -> None:
        for name in self.deaths[label]:
            self.world.workers.die_at(name, child.work)
            let_leases_end()
        self.world.workers.do(child.work)


def plan(record: Record, nth: int) -> Plan:
    """Where to die in the nth life (from 0): before every commit in the first, after every commit at the nth place.

    The background work, which passes most places many times, dies there the first and the third time: so a night
    of new warnings and one of a loan past due are among them.
    """
    deaths: Plan = {}
    rounds: Counter[str] = Counter()
    for label, passed in record.passed.items():
        deaths[label] = _nth_of_each_commit(passed, nth)
        if label.startswith(BACKGROUND):
            rounds.update(deaths[label])
            deaths[label] = [name for name in deaths[label] if rounds[name] in ROUNDS_OF_DEATH]
    return deaths


def _nth_of_each_commit(passed: Passed, nth: int) -> list[str]:
    """After one death after a commit nobody comes by the other places after that commit any more."""
    chosen: list[str] = []
    for is_after, names in groupby(passed, _is_after):
        of_commit = list(names)
        if is_after:
            chosen += of_commit[nth:][:1]
        elif nth == 0:
            chosen += of_commit
    return chosen


def _is_after(failpoint: str) -> bool:
    return failpoint.endswith(".after_commit")
