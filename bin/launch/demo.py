"""bin/demo: from a bare checkout to a running branch, and back to nothing."""

import argparse
import os
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path

from launch import environment, packages, people, ports, postgres, processes, valkey
from launch.console import Failure, say, step
from launch.folders import DEMO, PYTHON, VENV
from launch.locks import only_one
from launch.processes import run, spawn
from launch.signals import Stopped, stop_signals
from launch.state import State
from launch.supervisor import Supervisor

READY_SECONDS = 120.0
NOT_OURS_TO_EMPTY = "--reset empties only a database of its own. DATABASE_URL names yours: drop and create it yourself."
#: In the state once the demo branch stands.
SEEDED = "seeded"
AS_OWNER = {"XIAOWEI_DB_ROLE": "owner"}
NO_OWNER = (
    "  DATABASE_OWNER_URL is not set: one role both owns the tables and runs the program, "
    "so the database itself does not guard the record."
)


def main() -> int:
    """Start everything, stay until asked to stop, stop everything; return the exit code."""
    options = _arguments()
    environment.forget_handed_out()
    stop_signals.install()
    try:
        with only_one(DEMO, "demo") as tell:
            _serve(options, tell)
    except Failure as failure:
        say(f"\n{failure}")
        return 1
    except Stopped:
        say("\n  Stopped. The data are kept.")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/demo", description="Runs Xiaowei with a demo branch on this machine.")
    parser.add_argument("--port", type=int, default=8000, help="port of the web pages (8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; 0.0.0.0 lets other machines in")
    parser.add_argument("--reset", action="store_true", help="delete the demo data and start over")
    options = parser.parse_args()
    if not 0 < options.port < 65536:
        parser.error("--port must be between 1 and 65535")
    return options


def _serve(options: argparse.Namespace, tell: Callable[[str], None]) -> None:
    _stop_leftovers()
    if options.reset or _half_founded():
        _reset()
    DEMO.make()
    packages.install_python(*packages.FOR_DEMO)
    packages.install_node()
    state = State(DEMO)
    state.fill_secrets()
    with Supervisor(DEMO) as supervisor:
        port = _choose_port(options)
        _start_servers(supervisor, state)
        variables = environment.for_programs(_settings(state))
        _start_bank(supervisor, variables)
        _start_provider(supervisor, variables)
        _prepare_data(variables, seeded="DATABASE_URL" not in os.environ and SEEDED in state.values)
        state.set(SEEDED, "yes")
        _start_programs(supervisor, variables, options.host, port)
        address = f"http://{'127.0.0.1' if options.host == '0.0.0.0' else options.host}:{port}"
        with step("Waiting until it is ready"):
            _wait_until_ready(supervisor, address)
        tell(f", {address}")
        say(people.screen(address))
        while True:
            time.sleep(1)
            supervisor.check()


def _stop_leftovers() -> None:
    """End what a killed launcher left behind."""
    left = processes.remembered(DEMO)
    if any(process.alive() for process in left):
        say("  An earlier bin/demo was killed; stopping what it left.")
    with stop_signals.hold():
        processes.stop_all(left)


def _half_founded() -> bool:
    """Whether an earlier start was stopped before the demo branch stood; nobody has worked with such data."""
    if "DATABASE_URL" in os.environ or not DEMO.state_file.exists() or SEEDED in State(DEMO).values:
        return False
    say("  The last start was stopped before the demo branch stood; starting over.")
    return True


def _reset() -> None:
    if "DATABASE_URL" in os.environ:
        raise Failure(NOT_OURS_TO_EMPTY)
    with step("Deleting the demo data"):
        postgres.forget(DEMO)
        DEMO.forget()


def _choose_port(options: argparse.Namespace) -> int:
    reason = ports.refusal(options.port, options.host)
    if not reason:
        return int(options.port)
    port = ports.next_free(options.port + 1, options.host)
    say(f"  Port {options.port} {reason}; using {port} instead.")
    return port


def _start_servers(supervisor: Supervisor, state: State) -> None:
    if "DATABASE_URL" not in os.environ:
        with step("Starting PostgreSQL"):
            supervisor.start("postgres", partial(postgres.start, DEMO, state))
    elif "DATABASE_OWNER_URL" not in os.environ:
        say(NO_OWNER)
    if "REDIS_URL" not in os.environ:
        with step("Starting Valkey"):
            supervisor.start("valkey", partial(valkey.start, DEMO, state))


def _settings(state: State) -> dict[str, str]:
    """The settings of the demo, left in var/demo.env too, so that manage.py works beside it."""
    values = environment.settings(DEMO, state)
    if "CORE_BANK_URL" not in os.environ:
        state.set("bank_port", ports.free_or_other(state.port("bank")))
        values["CORE_BANK_URL"] = f"http://127.0.0.1:{state.values['bank_port']}"
    if "PROVIDER_ORIGINS" not in os.environ:
        state.set("provider_port", ports.free_or_other(state.port("provider")))
        values["PROVIDER_ORIGINS"] = f"http://127.0.0.1:{state.values['provider_port']}"
    environment.write_file(DEMO, values)
    return values


def _prepare_data(variables: dict[str, str], *, seeded: bool) -> None:
    with step("Bringing the database up to date"):
        log = DEMO.logs / "migrate.log"
        run([PYTHON, "manage.py", "migrate", "--no-input"], environment=variables | AS_OWNER, log=log)
    if seeded:
        return
    with step("Making sure the demo branch is there"):
        run([PYTHON, "manage.py", "seed_demo"], environment=variables, log=DEMO.logs / "seed.log")


def _start_bank(supervisor: Supervisor, variables: dict[str, str]) -> None:
    if "CORE_BANK_URL" in os.environ:
        return
    port = variables["CORE_BANK_URL"].rpartition(":")[2]
    words: list[str | Path] = [PYTHON, "-m", "branch.sandbox_bank", "--port", port, "--data", DEMO.bank]
    with step("Starting the sandbox core bank"):
        supervisor.start("bank", partial(spawn, "bank", words, DEMO, environment=variables))


def _start_provider(supervisor: Supervisor, variables: dict[str, str]) -> None:
    if "PROVIDER_ORIGINS" in os.environ:
        return
    port = variables["PROVIDER_ORIGINS"].rpartition(":")[2]
    words: list[str | Path] = [PYTHON, "-m", "customers.sandbox_provider", "--port", port]
    with step("Starting the sandbox provider of outside records"):
        supervisor.start("provider", partial(spawn, "provider", words, DEMO, environment=variables))


def _start_programs(supervisor: Supervisor, variables: dict[str, str], host: str, port: int) -> None:
    web = ["gunicorn", "config.wsgi:application", "--bind", f"{host}:{port}", "--workers", "2", "--threads", "4"]
    commands = {
        "web": [*web, "--preload", "--no-control-socket", "--graceful-timeout", "10"],
        "worker": ["celery", "-A", "config", "worker", "--concurrency", "2", "--loglevel", "INFO"],
        "beat": ["celery", "-A", "config", "beat", "--loglevel", "INFO"],
    }
    with step("Starting the web server, the worker and the scheduler"):
        for name, (program, *options) in commands.items():
            words: list[str | Path] = [PYTHON, VENV / "bin" / program, *options]
            supervisor.start(name, partial(spawn, name, words, DEMO, environment=variables))


def _wait_until_ready(supervisor: Supervisor, address: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while answer := _not_ready(f"{address}/readyz/"):
        if time.monotonic() > deadline:
            raise Failure(f"Not ready after {READY_SECONDS:.0f} s; {address}/readyz/ says: {answer}")
        supervisor.check()
        time.sleep(0.3)


def _not_ready(address: str) -> str:
    """What the readiness check complains of; empty when it is content."""
    # The address is on this machine: a proxy set for the network must not be asked.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5):
            return ""
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(2000).decode(errors='replace')}"
    except OSError as error:
        return str(error)
