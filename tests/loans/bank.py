"""A real sandbox core bank for a test: its own process, its own books, trouble on demand."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from branch.sandbox_bank.process import BankProcess

TOKEN = "test-token"
TIMEOUT_SECONDS = 0.5


class Bank:
    """The bank as its own staff see it."""

    def __init__(self, process: BankProcess) -> None:
        self.process = process

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            self.process.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as response:
            return json.load(response)

    def misbehave(self, behaviour: str, **facts: Any) -> None:
        self.call("POST", "/behaviours", {"behaviour": behaviour, **facts})

    def behave(self) -> None:
        self.call("DELETE", "/behaviours")

    def fund(self, account: str, amount: str) -> None:
        """Money from outside on a borrower's account."""
        facts = {"reference": f"fund-{account}-{amount}", "amount": amount}
        self.call("POST", f"/accounts/{account}/credits", facts)

    def balance(self, account: str) -> Decimal:
        return Decimal(self.call("GET", f"/accounts/{account}")["balance"])

    def received(self, account: str) -> list[tuple[str, str]]:
        """Reference and amount of everything that came in on an account."""
        flows = self.call("GET", f"/accounts/{account}/flows")["flows"]
        return [(flow["reference"], flow["amount"]) for flow in flows if flow["direction"] == "in"]


@pytest.fixture
def bank(tmp_path: Path, settings: Any) -> Iterator[Bank]:
    """The core bank of this installation for one test: its own process, honest until told otherwise."""
    with BankProcess(tmp_path / "bank", token=TOKEN) as process:
        settings.CORE_BANK_URL = process.url
        settings.CORE_BANK_TOKEN = TOKEN
        settings.CORE_BANK_TIMEOUT_SECONDS = TIMEOUT_SECONDS
        yield Bank(process)
