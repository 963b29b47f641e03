"""Packages are installed from the locks, and only when a lock has changed; the locks hold hashes and no address."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from launch import packages
from launch.console import Failure
from launch.folders import ROOT

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-node.txt")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A checkout with a finished environment; returns the commands run in it."""
    (tmp_path / ".venv").mkdir()
    (tmp_path / "node_modules").mkdir()
    for name in (*LOCKS, "package.json", "package-lock.json"):
        (tmp_path / name).write_text("1")
    commands: list[str] = []

    def note(command: Sequence[str | Path], **rest: object) -> int:
        commands.append(" ".join(map(str, command)))
        return 0

    monkeypatch.setattr("launch.packages.ROOT", tmp_path)
    monkeypatch.setattr("launch.packages.VENV", tmp_path / ".venv")
    monkeypatch.setattr(packages, "NODE_MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(packages, "_usable", lambda: True)
    monkeypatch.setattr(packages, "run", note)
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/npm")
    return commands


def test_python_packages_are_installed_when_their_lock_changes(checkout: list[str], tmp_path: Path):
    packages.install_python("requirements.txt")
    packages.install_python("requirements.txt")
    assert len(checkout) == 1
    assert "--require-hashes" in checkout[0]

    (tmp_path / "requirements.txt").write_text("2")
    packages.install_python("requirements.txt")
    assert len(checkout) == 2


def test_an_installation_that_failed_is_tried_again(checkout: list[str], monkeypatch: pytest.MonkeyPatch):
    def fail(*command: object, **rest: object) -> int:
        raise Failure("no network")

    with monkeypatch.context() as broken:
        broken.setattr(packages, "run", fail)
        with pytest.raises(Failure, match="no network"):
            packages.install_python("requirements.txt")

    packages.install_python("requirements.txt")
    assert len(checkout) == 1


def test_front_end_packages_are_installed_when_their_lock_changes(checkout: list[str]):
    packages.install_node()
    packages.install_node()
    assert len(checkout) == 1
    assert checkout[0].startswith("/usr/bin/npm ci --ignore-scripts")


def test_without_npm_one_is_installed_from_its_lock(
    checkout: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("shutil.which", lambda name: None)

    packages.install_node()

    assert "requirements-node.txt" in checkout[0]
    assert checkout[1].startswith(f"{tmp_path}/.venv/bin/npm ci")


@pytest.mark.parametrize("name", LOCKS)
def test_python_locks_are_pinned_and_hashed_and_name_no_address(name: str):
    text = (ROOT / name).read_text()
    blocks = [block for block in re.split(r"\n(?=[a-zA-Z])", text) if not block.startswith("#")]
    assert blocks
    for block in blocks:
        assert re.match(r"[\w.-]+(\[[\w, -]+\])?==\S+", block), block[:60]
        assert "--hash=sha256:" in block, block[:60]
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-node"])
def test_every_direct_requirement_is_in_its_lock_with_its_version(name: str):
    lines = (ROOT / f"{name}.in").read_text().splitlines()
    wanted = {normal(line) for line in lines if line and not line.startswith(("#", "-c"))}
    locked = re.findall(r"^[\w.-]+(?:\[[\w, -]+\])?==[^\s;]+", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)

    assert wanted
    assert wanted <= set(map(normal, locked))


def normal(requirement: str) -> str:
    """Without extras, in the one spelling of a name that the index knows."""
    return re.sub(r"\[.*\]", "", requirement).lower().replace("_", "-")


def test_the_front_end_lock_is_hashed_and_names_no_registry():
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert lock["packages"][""]["dependencies"] == json.loads((ROOT / "package.json").read_text())["dependencies"]
    for path, package in lock["packages"].items():
        if path:
            assert package["integrity"].startswith("sha512-"), path
            assert "resolved" not in package, path
