"""Starts processes in groups of their own, writes them down, and stops them, also a killed launcher's."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from launch.console import Failure, log_tail
from launch.folders import ROOT, Folders
from launch.signals import stop_signals

#: Seconds a process gets to end by itself before it is killed.
PATIENCE_SECONDS = 15.0
LOG_LIMIT_BYTES = 5_000_000


@dataclass(frozen=True)
class RunAs:
    """The unprivileged user a process runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Identity:
    """A process that cannot be mistaken for a later one with the same id."""

    pid: int
    started: str
    command: str
    group: int


def look_up(pid: int) -> Identity | None:
    """The process with this id, or None when there is none (a zombie counts as none)."""
    if Path("/proc/self/stat").exists():
        return _from_proc(pid)
    return next((found for found in _from_ps("-p", str(pid)) if found.pid == pid), None)


def _from_proc(pid: int) -> Identity | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # proc(5): 3 state, 5 process group, 22 start time. Only field 2, the name in parentheses, holds spaces.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return None
    return Identity(pid, f"{boot} {fields[19]}", command, int(fields[2]))


def _from_ps(*which: str) -> list[Identity]:
    columns = ["-o", "pid=", "-o", "pgid=", "-o", "stat=", "-o", "lstart=", "-o", "command="]
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    listed = subprocess.run(["ps", "-ww", *which, *columns], env=environment, capture_output=True, text=True)
    found = []
    for line in listed.stdout.splitlines():
        pid, group, stat, *rest = line.split(None, 8)
        if not stat.startswith("Z"):
            found.append(Identity(int(pid), " ".join(rest[:5]), rest[5] if len(rest) > 5 else "", int(group)))
    return found


def members(group: int) -> list[Identity]:
    """The living processes of a process group."""
    if Path("/proc/self/stat").exists():
        pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        everyone: Iterable[Identity | None] = map(look_up, pids)
    else:
        everyone = _from_ps("-A")
    return [one for one in everyone if one and one.group == group]


class Process:
    """One running server: ours, or one that an earlier launcher left."""

    def __init__(
        self,
        name: str,
        identity: Identity,
        pid_file: Path,
        log: Path,
        child: subprocess.Popen[bytes] | None = None,
    ) -> None:
        self.name, self.identity, self.pid_file, self.log, self.child = name, identity, pid_file, log, child

    def alive(self) -> bool:
        if self.child:
            return self.child.poll() is None
        now = look_up(self.identity.pid)
        return now is not None and now.started == self.identity.started

    def signal(self, number: signal.Signals) -> None:
        """Signal the leader only: a server tells its own workers what to do."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.identity.pid, number)

    def kill_group(self) -> None:
        """End whatever is left of the process and its workers, and forget it."""
        left = members(self.identity.pid) if self.child or self.alive() else self._orphans()
        if left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.identity.pid, signal.SIGKILL)
            deadline = time.monotonic() + 3
            while members(self.identity.pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        if self.child:
            self.child.wait()
        self.pid_file.unlink(missing_ok=True)

    def _orphans(self) -> list[Identity]:
        # The leader is gone, so its start time proves nothing any more: what proves it is the same program.
        program = self.identity.command.partition(" ")[0]
        return [one for one in members(self.identity.pid) if program in one.command]


def spawn(
    name: str,
    command: Sequence[str | Path],
    folders: Folders,
    *,
    environment: Mapping[str, str] | None = None,
    run_as: RunAs | None = None,
    cwd: Path = ROOT,
) -> Process:
    """Start a server in a session of its own, its output going to its log, and write down who it is."""
    log = folders.logs / f"{name}.log"
    if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    with stop_signals.hold(), log.open("ab") as output:
        child = _popen(command, environment, run_as, cwd, output)
        identity = look_up(child.pid)
        if identity is None:
            raise Failure(f"{name} ended as soon as it was started:\n{log_tail(log)}")
        # Our own words: for a moment after its start a process shows an empty command line.
        identity = replace(identity, command=" ".join(map(str, command)))
        process = Process(name, identity, folders.pids / f"{name}.json", log, child)
        _remember(process)
    return process


def _popen(
    command: Sequence[str | Path],
    environment: Mapping[str, str] | None,
    run_as: RunAs | None,
    cwd: Path,
    output: IO[bytes] | None,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [str(word) for word in command],
        cwd=cwd,
        env=None if environment is None else dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output else None,
        start_new_session=True,
        user=run_as.uid if run_as else None,
        group=run_as.gid if run_as else None,
        extra_groups=[] if run_as else None,
    )


def _remember(process: Process) -> None:
    new = process.pid_file.with_suffix(".new")
    new.write_text(json.dumps(vars(process.identity) | {"log": str(process.log)}))
    new.replace(process.pid_file)


def remembered(folders: Folders) -> list[Process]:
    """The processes written down for this instance, alive or not."""
    found = []
    for pid_file in sorted(folders.pids.glob("*.json")):
        try:
            noted = json.loads(pid_file.read_text())
            log = Path(noted.pop("log"))
            found.append(Process(pid_file.stem, Identity(**noted), pid_file, log))
        except (ValueError, TypeError, KeyError):
            pid_file.unlink()
    return found


def stop(processes: Iterable[Process]) -> None:
    """Ask each to end in its own way, then kill what has not ended in time. Returns when all are gone."""
    asked = list(processes)
    for process in asked:
        # PostgreSQL waits for its clients on SIGTERM; SIGINT is its fast, clean shutdown.
        process.signal(signal.SIGINT if process.name == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(process.alive() for process in asked) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in asked:
        process.kill_group()


SERVERS = ("postgres", "valkey")


def stop_all(processes: Iterable[Process]) -> None:
    """Stop the programs first, and then the servers they talk to."""
    everything = list(processes)
    stop(one for one in everything if one.name not in SERVERS)
    stop(one for one in everything if one.name in SERVERS)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    run_as: RunAs | None = None,
    cwd: Path = ROOT,
    check: bool = True,
) -> int:
    """Run a program to its end and return its exit code; its output goes to `log`, or to the terminal.

    If we are asked to stop, it and its children end too. Unless `check` is off, its failing raises Failure
    with the end of the log.
    """
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(log.open("ab")) if log else None
        child = None
        try:
            with stop_signals.hold():
                child = _popen(command, environment, run_as, cwd, output)
            code = child.wait()
        except BaseException:
            if child:
                _end(child)
            raise
    if check and code:
        tail = f":\n{log_tail(log)}\n  The whole output is in {log}" if log else "."
        raise Failure(f"{' '.join(map(str, command[:4]))} … failed with exit code {code}{tail}")
    return code


def _end(child: subprocess.Popen[bytes]) -> None:
    with stop_signals.hold():
        for number, patience in ((signal.SIGINT, PATIENCE_SECONDS), (signal.SIGKILL, None)):
            with contextlib.suppress(ProcessLookupError, PermissionError, subprocess.TimeoutExpired):
                os.killpg(child.pid, number)
                child.wait(patience)
