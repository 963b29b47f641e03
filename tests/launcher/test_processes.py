"""Nothing a launcher started outlives it, and nothing else is ever killed in its place."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest
from launch import processes
from launch.console import Failure
from launch.folders import Folders

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
#: A server that ignores the polite request, and one worker of its own.
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, subprocess, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
    "print('up', flush=True); time.sleep(60)",
]


def wait_for(process: processes.Process, text: str) -> None:
    deadline = time.monotonic() + 10
    while text not in process.log.read_text():
        assert time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.02)


def gone(pid: int) -> bool:
    return processes.look_up(pid) is None


def test_a_started_process_is_written_down_and_stopped(folders: Folders):
    started = processes.spawn("web", SLEEP, folders)

    assert [one.identity for one in processes.remembered(folders)] == [started.identity]
    assert started.identity.group == started.identity.pid != os.getpgrp()
    processes.stop([started])

    assert gone(started.identity.pid)
    assert processes.remembered(folders) == []


def test_the_next_launcher_stops_what_a_killed_one_left(folders: Folders):
    left = processes.spawn("web", SLEEP, folders).identity

    # Read back from disk: these have no handle on the child, as after a kill -9 of the launcher.
    processes.stop_all(processes.remembered(folders))

    assert gone(left.pid)


def test_a_process_that_does_not_listen_is_killed_with_its_workers(folders: Folders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "PATIENCE_SECONDS", 0.3)
    started = processes.spawn("worker", STUBBORN, folders)
    wait_for(started, "up")
    assert len(processes.members(started.identity.pid)) == 2

    processes.stop([started])

    assert processes.members(started.identity.pid) == []


def test_workers_whose_leader_was_killed_are_found_by_their_group(folders: Folders):
    started = processes.spawn("worker", STUBBORN, folders)
    wait_for(started, "up")
    os.kill(started.identity.pid, signal.SIGKILL)
    assert started.child
    started.child.wait()
    assert len(processes.members(started.identity.pid)) == 1

    processes.stop_all(processes.remembered(folders))

    assert processes.members(started.identity.pid) == []


def test_a_later_process_with_the_same_id_is_left_alone(folders: Folders):
    bystander = processes.spawn("web", SLEEP, folders)
    noted = json.loads(bystander.pid_file.read_text())
    bystander.pid_file.write_text(json.dumps(noted | {"started": "another time", "command": "/another/program"}))

    processes.stop_all(processes.remembered(folders))

    assert bystander.alive()
    assert processes.remembered(folders) == []
    bystander.kill_group()


def test_a_torn_pid_file_is_dropped(folders: Folders):
    (folders.pids / "web.json").write_text('{"pid": 1')

    assert processes.remembered(folders) == []
    assert list(folders.pids.iterdir()) == []


@pytest.mark.skipif(not Path("/bin/ps").exists(), reason="no ps on this machine")
def test_ps_tells_the_same_processes_apart_as_proc_does(folders: Folders):
    one = processes.spawn("web", SLEEP, folders).identity
    two = processes.spawn("worker", SLEEP, folders).identity

    by_ps = {found.pid: found for found in processes._from_ps("-A")}

    assert by_ps[one.pid].group == one.pid
    assert by_ps[two.pid].command == two.command
    assert len(by_ps[one.pid].started.split()) == 5


def test_a_program_that_fails_says_so_with_the_end_of_its_log(folders: Folders):
    log = folders.logs / "seed.log"
    program = [sys.executable, "-c", "print('no such office'); raise SystemExit(3)"]

    with pytest.raises(Failure, match=r"(?s)exit code 3.*no such office"):
        processes.run(program, log=log)
    assert processes.run(program, log=log, check=False) == 3


def test_a_large_log_is_put_aside(folders: Folders, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "LOG_LIMIT_BYTES", 10)
    (folders.logs / "web.log").write_text("x" * 11)

    processes.spawn("web", SLEEP, folders)

    assert (folders.logs / "web.log.1").read_text() == "x" * 11
    assert (folders.logs / "web.log").read_text() == ""
