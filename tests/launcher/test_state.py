"""Secrets are made once, differ, and only their owner can read them; settings of the caller win over ours."""

import os
import stat
import subprocess
from pathlib import Path

import pytest
from launch import environment
from launch.folders import Folders
from launch.state import State

NAMES = (*environment.OURS, *environment.SECRETS, environment.MARK, "CHROMIUM_PATH")


@pytest.fixture
def state(folders: Folders, monkeypatch: pytest.MonkeyPatch) -> State:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    made = State(folders)
    made.fill_secrets()
    made.set("postgres_port", 5555)
    made.set("valkey_port", 6666)
    return made


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_secrets_are_made_once_and_kept_private(folders: Folders, state: State):
    again = State(folders)
    again.fill_secrets()

    assert again.values == state.values
    assert len(set(state.values.values())) == len(state.values)
    assert mode(folders.state_file) == 0o600


def test_the_program_gets_the_app_role_and_migrations_the_owner(folders: Folders, state: State):
    values = environment.settings(folders, state)

    assert values["XIAOWEI_MODE"] == "demo"
    assert values["DATABASE_URL"] == f"postgres://xiaowei_app:{state.values['app']}@127.0.0.1:5555/xiaowei"
    assert values["DATABASE_OWNER_URL"].startswith(f"postgres://xiaowei_owner:{state.values['owner']}@")
    assert values["REDIS_URL"] == f"redis://:{state.values['valkey']}@127.0.0.1:6666/0"


def test_servers_of_the_caller_win(folders: Folders, state: State, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://bank@db/x")
    monkeypatch.setenv("REDIS_URL", "redis://queue")

    values = environment.settings(folders, state)

    assert values["DATABASE_URL"] == values["DATABASE_OWNER_URL"] == "postgres://bank@db/x"
    assert values["REDIS_URL"] == "redis://queue"


def test_settings_we_handed_to_a_shell_do_not_count_as_the_callers(
    folders: Folders, state: State, monkeypatch: pytest.MonkeyPatch
):
    for name, value in environment.settings(folders, state).items():
        monkeypatch.setenv(name, value)

    environment.forget_handed_out()

    assert not set(NAMES) & set(os.environ)


def test_both_ways_of_handing_out_say_the_same(folders: Folders, state: State):
    values = environment.settings(folders, state) | {"FILES_DIR": "/a folder/it's"}

    environment.write_file(folders, values)
    shell = subprocess.run(
        ["/bin/sh", "-c", environment.exports(values) + "env"], capture_output=True, text=True, check=True, env={}
    )

    lines = folders.env_file.read_text().splitlines()
    assert lines == [f"{name}={value}" for name, value in values.items()]
    assert set(lines) <= set(shell.stdout.splitlines())
    assert mode(folders.env_file) == 0o600


def test_a_named_browser_that_is_not_there_is_no_browser(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CHROMIUM_PATH", "/nowhere/chromium")
    assert environment.find_chromium() is None
    monkeypatch.setenv("CHROMIUM_PATH", "/bin/sh")
    assert environment.find_chromium() == "/bin/sh"


def test_forgetting_the_data_leaves_what_is_not_ours(folders: Folders, state: State):
    other = folders.run_data / "test"
    other.mkdir()
    (folders.files / "contract.pdf").write_text("x")

    folders.forget()

    assert other.exists()
    assert not folders.files.exists()
    assert not folders.state_file.exists()
