"""A real Chromium before the live server. Where there is none the tests say so; CI must have one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from pytest_django.live_server_helper import LiveServer

from branch.models import ParameterValue
from branch.sandbox_bank.process import BankProcess
from desk.demo import people, policies
from tests.browser.person import Stage
from tests.cast import OPENING

_NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str | None:
    candidates = [os.environ.get("CHROMIUM_PATH", ""), "/usr/bin/chromium", *(shutil.which(n) or "" for n in _NAMES)]
    return next((path for path in candidates if path and Path(path).exists()), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    path = chromium()
    if path is None:
        if os.environ.get("XIAOWEI_REQUIRE_BROWSER"):
            pytest.fail("no Chromium was found, and XIAOWEI_REQUIRE_BROWSER is set")
        pytest.skip("no Chromium was found: install it, or set CHROMIUM_PATH, to run the browser tests")
    quiet = ["--disable-background-networking", "--disable-quic", "--no-first-run", "--disable-component-update"]
    return browser_type_launch_args | {"executable_path": path, "args": ["--no-sandbox", *quiet]}


@pytest.fixture
def bank(tmp_path: Path, settings: Any) -> Iterator[BankProcess]:
    """The sandbox core bank as its own process."""
    with BankProcess(tmp_path / "bank", token="browser") as process:
        settings.CORE_BANK_URL, settings.CORE_BANK_TOKEN = process.url, "browser"
        yield process


@pytest.fixture
def stage(
    transactional_db: None, live_server: LiveServer, bank: BankProcess, browser: Any, settings: Any
) -> Iterator[Stage]:
    """The demo branch on an open day, with nothing on file, and a way to sit its people before a browser."""
    cache.clear()
    settings.FILES_DIR = str(bank.folder.parent / "files")
    people.found_branch(OPENING)
    policies.publish_policies()
    # One part is enough for the nights of a loan, and four times as fast.
    ParameterValue.objects.create(code="sweep.shards", value=1, effective_date=OPENING)
    made = Stage(browser, live_server.url)
    yield made
    made.close()
