"""Work done in processes of their own, some of which die in the middle of it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from django.utils import timezone

from branch.models import OutboxMessage
from tests.kill import child
from tests.kill.child import Deed, Place
from tests.kill.database import align_sequences, sessions, wait_until_gone

PATIENCE_SECONDS = 60
Passed = tuple[str, ...]


class Workers:
    """One process that lives and does what is not to be killed; others that die when and where they are told to."""

    def __init__(self, place: Place, line: Connection) -> None:
        self._place, self._line = place, line

    def do(self, deed: Deed) -> tuple[Any, Passed]:
        """The deed's result, and the failpoints it passed, each once, in the order they were first reached."""
        self._line.send(deed)
        said = self._line.recv() if self._line.poll(PATIENCE_SECONDS) else "it hangs"
        if not isinstance(said, tuple):
            raise AssertionError(f"{deed} went wrong: {said}")
        align_sequences()
        return said

    def die_at(self, failpoint: str, deed: Deed) -> None:
        """The deed by a process that kills itself at the failpoint. Raises AssertionError when it lives."""
        others = sessions()
        ear, mouth = PROCESSES.Pipe(duplex=False)
        process = PROCESSES.Process(target=child.die, args=(self._place, mouth, failpoint, deed))
        process.start()
        mouth.close()
        said = _last_words(ear)
        process.join(PATIENCE_SECONDS)
        process.kill()
        if process.exitcode != -signal.SIGKILL or said:
            raise AssertionError(f"nobody died at {failpoint}, {deed} ended with {process.exitcode}: {said}")
        wait_until_gone(others)
        align_sequences()


PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["__main__", "tests.kill.child"])


@contextmanager
def workers(place: Place) -> Iterator[Workers]:
    line, far_end = PROCESSES.Pipe()
    process = PROCESSES.Process(target=child.serve, args=(place, far_end))
    process.start()
    far_end.close()
    try:
        yield Workers(place, line)
    finally:
        process.kill()
        process.join()
        line.close()


def _last_words(ear: Connection) -> object:
    with ear:
        try:
            return ear.recv() if ear.poll(PATIENCE_SECONDS) else "it hangs"
        except EOFError:
            return None


def let_leases_end() -> None:
    """Time passes after a death: what the dead process had to itself is anybody's again."""
    OutboxMessage.objects.filter(delivered_at=None).update(next_attempt_at=timezone.now())
