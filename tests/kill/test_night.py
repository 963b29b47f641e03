"""Worker, broker and database killed in the middle of the night: the morning is the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pprint import pformat
from typing import Any

import pytest

from tests.kill.night import LOANS, Installation, Night, installation

#: Of 40 parts of a night; by then the interest of some loans is booked, and that of others is not.
IN_THE_MIDDLE = 6


@pytest.fixture(scope="module")
def bank() -> Iterator[Installation]:
    with installation() as made:
        yield made


@pytest.fixture(scope="module")
def undisturbed(bank: Installation) -> dict[str, list[Any]]:
    return bank.night().run()


def test_a_quiet_night(undisturbed: dict[str, list[Any]]) -> None:
    assert len(undisturbed["accruals"]) == len(undisturbed["days"]) == LOANS
    assert all(
        undisturbed[name]
        for name in ("readings", "signals", "cases", "collection", "inspections", "notices", "journal")
    )
    assert undisturbed["days of business"][-1] == "(datetime.date(2026, 5, 21), 'open')"


@pytest.mark.parametrize(
    "kill",
    [
        pytest.param(Night.kill_worker, id="worker"),
        pytest.param(lambda night: night.installation.kill_broker(), id="broker"),
        pytest.param(lambda night: night.installation.kill_postgres(), id="database"),
    ],
)
def test_the_morning_is_the_same(
    bank: Installation, undisturbed: dict[str, list[Any]], kill: Callable[[Night], None]
) -> None:
    morning = bank.night().run(kill, after_parts=IN_THE_MIDDLE)

    different = {
        name: {
            "missing": Counter(undisturbed[name]) - Counter(rows),
            "added": Counter(rows) - Counter(undisturbed[name]),
        }
        for name, rows in morning.items()
        if rows != undisturbed[name]
    }
    assert not different, pformat(different)
