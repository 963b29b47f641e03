"""What dies is started again; what cannot live stops the whole, with the reason."""

import os
import signal
import sys
from functools import partial

import pytest
from launch import processes, supervisor
from launch.console import Failure
from launch.folders import Folders
from launch.signals import StopSignals
from launch.supervisor import Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def own_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The supervisor turns stopping off for good as it ends; not for the test process."""
    monkeypatch.setattr(supervisor, "stop_signals", StopSignals())


def kill(process: processes.Process) -> None:
    os.kill(process.identity.pid, signal.SIGKILL)
    assert process.child
    process.child.wait()


def test_a_process_that_dies_is_started_again(folders: Folders, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.setattr(supervisor, "SETTLED_SECONDS", 0.0)
    with Supervisor(folders) as keeper:
        keeper.start("web", partial(processes.spawn, "web", SLEEP, folders))
        (first,) = processes.remembered(folders)
        kill(keeper._running["web"])

        keeper.check()

        (second,) = processes.remembered(folders)
        assert second.identity != first.identity
        assert second.alive()
    assert "web ended by itself" in capsys.readouterr().out
    assert not second.alive()


def test_a_process_that_cannot_live_stops_everything(folders: Folders):
    faulty = [sys.executable, "-c", "import time; print('address in use', flush=True); time.sleep(0.2)"]
    with Supervisor(folders) as keeper:
        keeper.start("worker", partial(processes.spawn, "worker", SLEEP, folders))
        keeper.start("web", partial(processes.spawn, "web", faulty, folders))
        worker, web = keeper._running["worker"], keeper._running["web"]
        assert web.child
        web.child.wait()

        with pytest.raises(Failure, match=r"(?s)web ended.*address in use"):
            keeper.check()
        assert worker.alive()
    assert not worker.alive()


def test_one_whose_start_failed_half_way_is_stopped_too(folders: Folders):
    def start_and_fail() -> processes.Process:
        processes.spawn("postgres", SLEEP, folders)
        raise Failure("no answer")

    with pytest.raises(Failure, match="no answer"), Supervisor(folders) as keeper:
        keeper.start("postgres", start_and_fail)

    assert processes.remembered(folders) == []
