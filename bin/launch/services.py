"""The database and the broker the tests run on; they may stay in the background between test runs."""

import os
import sys

from launch import environment, packages, postgres, processes, valkey
from launch.console import Failure, say
from launch.folders import TEST
from launch.locks import turn
from launch.processes import Process
from launch.signals import stop_signals
from launch.state import State

USAGE = """bin/services start   start PostgreSQL and Valkey for the tests, and leave them in the background
bin/services env     print the settings to use them:  eval "$(bin/services env)"
bin/services stop    stop them"""
#: There while the servers are meant to outlive a test run.
KEEP = TEST.run_data / "keep-services"


def running() -> list[Process]:
    """Those that are up; those that died are forgotten."""
    up = []
    for process in processes.remembered(TEST):
        if process.alive():
            up.append(process)
        else:
            process.kill_group()
    return up


def ensure() -> None:
    """Start what is not up and what the caller has given no address for. Raises Failure."""
    TEST.make()
    with turn(TEST, "services"):
        state = State(TEST)
        state.fill_secrets()
        up = {process.name for process in running()}
        try:
            if "DATABASE_URL" not in os.environ and "postgres" not in up:
                postgres.start(TEST, state, for_tests=True)
            if "REDIS_URL" not in os.environ and "valkey" not in up:
                valkey.start(TEST, state)
        except BaseException:
            stop()
            raise


def stop() -> None:
    """Stop those that are up."""
    with stop_signals.hold():
        KEEP.unlink(missing_ok=True)
        processes.stop_all(running())


def settings() -> dict[str, str]:
    """The environment of the tests. The servers must have been started once."""
    state = State(TEST)
    # Servers that were started before a secret was added have none of it yet.
    state.fill_secrets()
    return environment.for_tests(environment.settings(TEST, state))


def main() -> int:
    """Run the verb on the command line; return the exit code."""
    environment.forget_handed_out()
    verbs = {"start": _start, "env": _env, "stop": stop}
    if len(sys.argv) != 2 or sys.argv[1] not in verbs:
        say(USAGE)
        return 2
    try:
        verbs[sys.argv[1]]()
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _start() -> None:
    packages.install_python(*packages.FOR_TESTS)
    ensure()
    KEEP.touch()
    say('Running. eval "$(bin/services env)" gives a shell their settings; bin/services stop ends them.')


def _env() -> None:
    if not running():
        raise Failure("Not running. Start them with bin/services start.")
    print(environment.exports(settings()), end="")
