"""The walk of one loan over HTTP, as `manage.py walk_loan` takes it; the worker's part is done as it is sent out."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.core.cache import cache
from django.core.management import CommandError, call_command
from pytest_django.live_server_helper import LiveServer

from desk.demo import people, policies
from tests.cast import OPENING
from tests.loans.bank import Bank

#: Title, status and problem type of what must be refused.
REFUSALS = {
    ("another branch's account manager reads the customer", 404, "not-found"),
    ("another branch's account manager reads the file", 404, "not-found"),
    ("the owner signs as the second investigator", 403, "permission-denied"),
    ("the owner of the file approves it", 403, "permission-denied"),
    ("an approval above the approver's authority", 403, "authority-exceeded"),
    ("a release with an open condition", 409, "precondition-unmet"),
    ("a release by the owner of the file", 403, "permission-denied"),
    ("a second release of the same drawdown", 409, "wrong-state"),
    ("a repayment booked by whoever released the money", 403, "separation-of-duties"),
}
REFUSED = re.compile(r"(\d{3})  ([\w-]+); nothing changed +\d+ ms\n +\^ (.+)")


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent to the workers is done at once."""
    current_app.loader.import_default_modules()
    monkeypatch.setattr(current_app, "send_task", lambda name, args=(), **_how: current_app.tasks[name].apply(args))


def test_one_loan_from_lead_to_settlement(
    transactional_db: None, live_server: LiveServer, bank: Bank, inline: None, settings: Any, tmp_path: Path
) -> None:
    cache.clear()
    settings.FILES_DIR = str(tmp_path / "files")
    people.found_branch(OPENING)
    policies.publish_policies()
    out = io.StringIO()

    call_command("walk_loan", base_url=live_server.url, stdout=out)

    lines = out.getvalue()
    refused = {(title, int(status), problem) for status, problem, title in REFUSED.findall(lines)}
    assert refused == REFUSALS
    assert lines.count("… → done") == 9
    assert re.search(r"he +POST +/api/v1/loans/\d+/repay/ +201  active → settled", lines)
    assert re.fullmatch(r"\d+ steps taken, 10 refusals as they must be, [\d.]+ s", lines.splitlines()[-1])


def test_nobody_answers() -> None:
    with pytest.raises(CommandError, match=r"Nobody answers at http://127\.0\.0\.1:9"):
        call_command("walk_loan", base_url="http://127.0.0.1:9", stdout=io.StringIO())
