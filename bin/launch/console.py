"""What the person at the terminal sees."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Failure(Exception):
    """Something the person can act on; its text is all they need to see."""


def say(text: str = "") -> None:
    """Print one line. A terminal that has gone away must not stop us from stopping the servers."""
    try:
        print(text, flush=True)
    except (OSError, ValueError):
        sys.stdout = None


@contextmanager
def step(title: str) -> Iterator[None]:
    """Say what is being done, and how many seconds it took."""
    started = time.monotonic()
    say(f"  {title} …")
    yield
    if (seconds := time.monotonic() - started) >= 1:
        say(f"    {seconds:.1f} s")


def log_tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log, indented, for a message."""
    if not log.exists():
        return "    (no log)"
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 20_000))
        text = file.read().decode(errors="replace")
    return "\n".join("    " + line for line in text.splitlines()[-lines:])
