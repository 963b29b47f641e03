"""The settings of an instance, as environment variables (docs/operations.md has the table)."""

import os
import shlex
import shutil
from collections.abc import Mapping

from launch import postgres, valkey
from launch.folders import VENV, Folders
from launch.state import State, write_private

#: Set in every environment we hand out, to tell our settings, taken over by a shell, from the caller's own.
MARK = "XIAOWEI_INSTANCE"
OURS = (
    "XIAOWEI_MODE",
    "DATABASE_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "CORE_BANK_URL",
    "PROVIDER_ORIGINS",
    "FILES_DIR",
)
SECRETS = ("SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY", "CORE_BANK_TOKEN", "PROVIDER_TOKEN")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def forget_handed_out() -> None:
    """Take our own settings, evaluated by the calling shell, out of the environment again."""
    if os.environ.pop(MARK, None):
        for name in (*OURS, *SECRETS):
            os.environ.pop(name, None)


def settings(folders: Folders, state: State) -> dict[str, str]:
    """The variables the program needs. What the caller has set for servers and secrets wins over our own."""
    own = {
        MARK: folders.key,
        "XIAOWEI_MODE": folders.name,
        "DATABASE_URL": os.environ.get("DATABASE_URL") or postgres.url(state, "app"),
        "DATABASE_OWNER_URL": _owner_url(state),
        "REDIS_URL": os.environ.get("REDIS_URL") or valkey.url(state),
        "FILES_DIR": os.environ.get("FILES_DIR") or str(folders.files),
    }
    return own | {name: os.environ.get(name) or state.values[name] for name in SECRETS}


def _owner_url(state: State) -> str:
    if "DATABASE_URL" in os.environ:
        return os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
    return postgres.url(state, "owner")


def for_programs(values: Mapping[str, str]) -> dict[str, str]:
    """The environment our programs run in: ours over the caller's, and `.venv` first on the path."""
    path = f"{VENV / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "PYTHONPATH")}
    return inherited | {"PATH": path, "VIRTUAL_ENV": str(VENV), "PYTHONUNBUFFERED": "1"} | dict(values)


def for_tests(values: Mapping[str, str]) -> dict[str, str]:
    """What the tests need besides: the browser, and Django's leave to run beside Playwright's event loop."""
    extra = {"DJANGO_SETTINGS_MODULE": "config.settings", "DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    if chromium := find_chromium():
        extra["CHROMIUM_PATH"] = chromium
    return dict(values) | extra


def find_chromium() -> str | None:
    """CHROMIUM_PATH, or a Chromium on the PATH."""
    if named := os.environ.get("CHROMIUM_PATH"):
        return named if os.access(named, os.X_OK) else None
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def write_file(folders: Folders, values: Mapping[str, str]) -> None:
    """Leave the settings where `manage.py` finds them: one KEY=VALUE a line, readable by the owner only."""
    write_private(folders.env_file, "".join(f"{name}={value}\n" for name, value in values.items()))


def exports(values: Mapping[str, str]) -> str:
    """The same as lines for a shell to evaluate."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
