"""The embedded database and broker: real ones, in a folder of their own."""

import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
import redis
from launch import postgres, processes, valkey
from launch.console import Failure
from launch.folders import Folders
from launch.state import State


@pytest.fixture
def instance() -> Iterator[Folders]:
    # Not pytest's own temporary folder: that one is closed to the user the database runs as.
    base = Path(tempfile.mkdtemp(prefix="xiaowei-test-"))
    base.chmod(0o711)
    folders = Folders("demo", base / "var")
    folders.make()
    yield folders
    processes.stop_all(processes.remembered(folders))
    postgres.forget(folders)
    shutil.rmtree(base)


@pytest.fixture
def state(instance: Folders) -> State:
    made = State(instance)
    made.fill_secrets()
    return made


def ask(state: State, role: str, statement: str) -> object:
    connection = psycopg2.connect(postgres.url(state, role))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement)
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]
    finally:
        connection.close()


def test_the_database_has_two_roles_and_survives_a_kill(instance: Folders, state: State):
    server = postgres.start(instance, state)
    ask(state, "owner", "CREATE EXTENSION pg_trgm; CREATE TABLE loan (number int); INSERT INTO loan VALUES (7)")

    assert ask(state, "owner", "SELECT similarity('杭州小微', '杭州小微企业') > 0.3")
    assert ask(state, "owner", "SELECT bool_or(rolsuper) FROM pg_roles WHERE rolname LIKE 'xiaowei%'") is False
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(state, "app", "CREATE TABLE mine (number int)")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        ask(state, "app", "SELECT * FROM loan")

    server.signal(signal.SIGKILL)
    server.kill_group()
    postgres.start(instance, state)
    assert ask(state, "owner", "SELECT number FROM loan") == 7


def test_lost_passwords_are_named_not_silently_replaced(instance: Folders, state: State):
    processes.stop([postgres.start(instance, state)])
    instance.state_file.unlink()
    other = State(instance)
    other.fill_secrets()

    with pytest.raises(Failure, match="--reset starts over"):
        postgres.start(instance, other)


def test_data_of_another_version_are_left_alone(instance: Folders, state: State):
    processes.stop([postgres.start(instance, state)])
    version = postgres.find_place(instance).data / "PG_VERSION"
    version.write_text("12\n")

    with pytest.raises(Failure, match=r"made by PostgreSQL 12; this is \d+"):
        postgres.start(instance, state)


def test_the_broker_wants_its_password_and_keeps_its_queue(instance: Folders, state: State):
    server = valkey.start(instance, state)
    redis.Redis.from_url(valkey.url(state)).rpush("queue", "a task")
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=int(state.values["valkey_port"])).ping()

    server.signal(signal.SIGKILL)
    server.kill_group()
    valkey.start(instance, state)

    assert redis.Redis.from_url(valkey.url(state)).lrange("queue", 0, -1) == [b"a task"]
