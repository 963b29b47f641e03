"""Keeps the processes of the demo running, and stops them all whatever happens."""

import time
from collections.abc import Callable
from types import TracebackType

from launch import processes
from launch.console import Failure, log_tail, say
from launch.folders import Folders
from launch.processes import Process
from launch.signals import stop_signals

#: A process that dies sooner than this after its start would only die again.
SETTLED_SECONDS = 10.0


class Supervisor:
    """A `with` block whose processes do not outlive it. One that dies is started again."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._starters: dict[str, Callable[[], Process]] = {}
        self._running: dict[str, Process] = {}
        self._started_at: dict[str, float] = {}

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stop_signals.ignore()
        # One whose start failed half way is written down on disk, but was never handed to us.
        known = {process.name for process in self._running.values()}
        half_started = [one for one in processes.remembered(self._folders) if one.name not in known]
        processes.stop_all([*self._running.values(), *half_started])

    def start(self, name: str, starter: Callable[[], Process]) -> None:
        """Start a process now, and again should it die."""
        self._starters[name] = starter
        self._started_at[name] = time.monotonic()
        self._running[name] = starter()

    def check(self) -> None:
        """Start again what has died; raises Failure with the end of its log when it had hardly started."""
        for name, process in list(self._running.items()):
            if process.alive():
                continue
            process.kill_group()
            if time.monotonic() - self._started_at[name] < SETTLED_SECONDS:
                tail = f"The end of {process.log}:\n{log_tail(process.log)}"
                raise Failure(f"{name} ended as soon as it was started, so everything stops. {tail}")
            say(f"  {name} ended by itself ({process.log}); starting it again.")
            self.start(name, self._starters[name])
