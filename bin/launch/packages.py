"""The virtual environment and the front-end packages, from lock files, only when a lock file has changed."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from launch.console import Failure, log_tail, step
from launch.folders import PYTHON, ROOT, VENV
from launch.processes import run

NODE_MODULES = ROOT / "node_modules"
FOR_DEMO = ("requirements.txt",)
FOR_TESTS = ("requirements.txt", "requirements-dev.txt")
INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]


def fingerprint(*files: Path) -> str:
    """Changes when the content of one of the files or this Python does."""
    digest = hashlib.sha256(sys.version.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def install_python(*names: str) -> None:
    """Make the virtual environment and install the requirement files into it."""
    if not _usable():
        with step("Making the virtual environment"):
            _make_venv()
    for name in names:
        stamp, wanted = VENV / f".installed-{name}", fingerprint(ROOT / name)
        if not _matches(stamp, wanted):
            with step(f"Installing {name}"):
                quiet = os.environ | {"PIP_ROOT_USER_ACTION": "ignore"}
                run([PYTHON, *INSTALL, "-r", ROOT / name], environment=quiet, log=_log())
            stamp.write_text(wanted)


def install_node() -> None:
    """Install the front-end packages of package-lock.json."""
    stamp = NODE_MODULES / ".installed"
    wanted = fingerprint(ROOT / "package.json", ROOT / "package-lock.json")
    if _matches(stamp, wanted):
        return
    with step("Installing the front-end packages"):
        if not _npm_ci(shutil.which("npm")):
            install_python("requirements-node.txt")
            if not _npm_ci(str(VENV / "bin" / "npm")):
                raise Failure(f"npm ci failed:\n{log_tail(_log())}\n  The whole output is in {_log()}")
    stamp.write_text(wanted)


def _log() -> Path:
    folder = ROOT / "var"
    folder.mkdir(exist_ok=True)
    return folder / "install.log"


def _matches(stamp: Path, wanted: str) -> bool:
    return stamp.exists() and stamp.read_text() == wanted


def _usable() -> bool:
    """Whether the environment is whole: an interrupted start leaves one without pip."""
    if not PYTHON.exists():
        return False
    question = "import pip, sys; sys.exit(sys.version_info < (3, 11))"
    return subprocess.run([PYTHON, "-c", question], capture_output=True).returncode == 0


def _make_venv() -> None:
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True)
    if done.returncode:
        raise Failure(
            f"Python could not make a virtual environment:\n{done.stdout}{done.stderr}"
            "On Debian and Ubuntu the package python3-venv is needed."
        )


def _npm_ci(npm: str | None) -> bool:
    if npm is None:
        return False
    words = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    path = f"{Path(npm).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # A bank's network has certificates of its own; the system knows them, a Node from a wheel does not.
    environment = os.environ | {"PATH": path, "NODE_USE_SYSTEM_CA": "1"}
    return run(words, environment=environment, log=_log(), check=False) == 0
