"""No failpoint without a death: a new use case, or a new call to the core bank, needs a case here."""

from __future__ import annotations

from branch import failpoints
from tests.kill.cases import CASES
from tests.kill.test_life import PASSED_BY_THE_LIFE
from tests.kill.test_payments import TROUBLES


def test_somebody_dies_at_every_failpoint() -> None:
    killed = PASSED_BY_THE_LIFE | set(CASES) | {name for trouble in TROUBLES.values() for name in trouble.passes}
    declared = {name.partition(".")[0] for name in failpoints.NAMES}

    assert sorted(declared - killed) == [], "failpoints without a case"
    assert sorted(killed - declared) == [], "cases without a failpoint"
