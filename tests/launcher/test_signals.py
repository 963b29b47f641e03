"""A request to stop is obeyed at once, or at the end of a section that must not be torn."""

import os
import signal
from collections.abc import Iterator

import pytest
from launch.signals import Stopped, StopSignals

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@pytest.fixture
def signals() -> Iterator[StopSignals]:
    before = {number: signal.getsignal(number) for number in NUMBERS}
    own = StopSignals()
    own.install()
    yield own
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", NUMBERS)
def test_it_stops_at_once(signals: StopSignals, number: signal.Signals):
    with pytest.raises(Stopped):
        os.kill(os.getpid(), number)


def test_a_held_section_is_finished_first(signals: StopSignals):
    done = []

    def start() -> None:
        with signals.hold():
            with signals.hold():
                os.kill(os.getpid(), signal.SIGTERM)
                done.append("started")
            done.append("written down")

    with pytest.raises(Stopped):
        start()
    assert done == ["started", "written down"]
    with signals.hold():
        pass  # asked once, stopped once


def test_nothing_interrupts_the_stopping(signals: StopSignals):
    signals.ignore()
    os.kill(os.getpid(), signal.SIGINT)
    with signals.hold():
        pass
