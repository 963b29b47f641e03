"""The database and the broker the tests run on; they may stay in the background between test runs."""

import os
import sys

from launch import environment, packages, postgres, processes, valkey
from launch.console import Failure, say
from launch.folders import TEST
from launch.locks import only_one
from launch.processes import Process
from launch.state import State

USAGE = """bin/services start   start PostgreSQL and Valkey for the tests, in the background
bin/services env     print the settings to use them:  eval "$(bin/services env)"
bin/services stop    stop them"""


def running() -> list[Process]:
    """Those that are up; those that died are forgotten."""
    up = []
    for process in processes.remembered(TEST):
        if process.alive():
            up.append(process)
        else:
            process.kill_group()
    return up


def ensure() -> list[Process]:
    """Start what is not up and no address was given for; return what was started here."""
    TEST.make()
    state = State(TEST)
    state.fill_secrets()
    up = {process.name for process in running()}
    started: list[Process] = []
    try:
        if "DATABASE_URL" not in os.environ and "postgres" not in up:
            started.append(postgres.start(TEST, state, for_tests=True))
        if "REDIS_URL" not in os.environ and "valkey" not in up:
            started.append(valkey.start(TEST, state))
    except BaseException:
        processes.stop_all(running())
        raise
    return started


def test_settings() -> dict[str, str]:
    """The settings of the test instance. The servers must have been started once."""
    values = environment.for_tests(environment.settings(TEST, State(TEST)))
    return values


def main() -> int:
    verb = sys.argv[1] if len(sys.argv) == 2 else ""
    try:
        if verb == "start":
            packages.install_python(*packages.FOR_TESTS)
            with only_one(TEST, "services"):
                ensure()
            say('Running. eval "$(bin/services env)" sets the environment; bin/services stop ends them.')
        elif verb == "stop":
            processes.stop_all(running())
        elif verb == "env":
            if not running():
                raise Failure("Not running. Start them with bin/services start.")
            print(environment.exports(test_settings()), end="")
        else:
            say(USAGE)
            return 2
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0
