"""Ctrl-C, SIGTERM and SIGHUP ask us to stop; never between starting a process and knowing its id."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stopped(BaseException):
    """Somebody asked us to stop."""


class StopSignals:
    """Raises `Stopped` in the main thread when asked to stop, or at the end of a held section."""

    def __init__(self) -> None:
        self.asked = False
        self._held = 0

    def install(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if not self._held:
            raise Stopped
        self.asked = True

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Put off `Stopped` until the block is over, so that no started process goes unrecorded."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
        if self.asked and not self._held:
            self.asked = False
            raise Stopped

    def ignore(self) -> None:
        """From now on nothing interrupts: what was started is being stopped."""
        self._held += 1


stop_signals = StopSignals()
