"""Reads settings from the environment; says which one is missing instead of starting half configured."""

from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

MODES = ("demo", "test", "production")


def load() -> str:
    """Read `var/demo.env` where nothing else says which database to use; return the mode.

    Raises ImproperlyConfigured for an unknown mode.
    """
    demo_file = BASE_DIR / "var" / "demo.env"
    if "DATABASE_URL" not in env.ENVIRON and "XIAOWEI_MODE" not in env.ENVIRON and demo_file.exists():
        environ.Env.read_env(demo_file)
    mode = env.str("XIAOWEI_MODE", "production")
    if mode not in MODES:
        raise ImproperlyConfigured(f"XIAOWEI_MODE is {mode!r}; it must be one of {', '.join(MODES)}.")
    return mode


def required(name: str) -> str:
    """The value of a setting that has no safe default. Raises ImproperlyConfigured naming it when absent."""
    value = env.str(name, "")
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. It has no default; docs/operations.md says what it is for. "
            "For a trial on this machine run bin/demo, which sets everything."
        )
    return value
