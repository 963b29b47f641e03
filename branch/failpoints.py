"""Named places where a test kills the process, to prove that nothing is lost or doubled there.

A name must be declared before it is passed, so that a test can enumerate all of them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from django.conf import settings

NAMES: set[str] = set()
#: The failpoint armed in this process; set by tests, or by XIAOWEI_FAILPOINT for a process they start.
armed: str = os.environ.get("XIAOWEI_FAILPOINT", "")
#: Told of every failpoint passed; a test sets it to learn which ones a piece of work has.
watcher: Callable[[str], None] | None = None


def declare(*names: str) -> None:
    NAMES.update(names)


def failpoint(name: str) -> None:
    """Kill this process when `name` is armed. Raises LookupError for a name nobody declared."""
    if name not in NAMES:
        raise LookupError(f"failpoint {name} is not declared")
    if watcher is not None:
        watcher(name)
    if settings.FAILPOINTS_ENABLED and armed == name:
        os.kill(os.getpid(), signal.SIGKILL)
