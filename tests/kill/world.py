"""What every kill test begins with: the cast, a product on sale, a quiet bank."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from branch.models import ParameterValue
from branch.sandbox_bank.process import BankProcess
from tests.cast import OPENING, make_cast
from tests.kill.crash import Workers
from tests.life import set_up_branch
from tests.loans.bank import Bank

#: Movements on the bank's books, and what a payment came to.
BOOKS = {
    "payments": "SELECT reference, kind, amount_cents, debit_account, credit_account, status, moved_cents,"
    " business_date FROM payments ORDER BY reference",
    "flows": "SELECT account, reference, direction, amount_cents, balance_cents FROM flows ORDER BY account, id",
}


class Books(Bank):
    """The bank, whose books a test can read and empty."""

    def __init__(self, process: BankProcess) -> None:
        super().__init__(process)
        self._new = self._read({"accounts": "SELECT * FROM accounts"})["accounts"]

    def read(self) -> dict[str, list[tuple[Any, ...]]]:
        return self._read(BOOKS)

    def empty(self) -> None:
        """As on its first day."""
        marks = ", ".join("?" * len(self._new[0])) if self._new else ""
        with closing(self._open()) as db, db:
            for table in ("flows", "file_items", "files", "payments", "behaviours", "accounts"):
                db.execute(f"DELETE FROM {table}")
            db.executemany(f"INSERT INTO accounts VALUES ({marks})", self._new)

    def _read(self, statements: dict[str, str]) -> dict[str, list[tuple[Any, ...]]]:
        with closing(self._open()) as db:
            return {name: db.execute(statement).fetchall() for name, statement in statements.items()}

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.process.folder / "bank.sqlite3", timeout=10)


class World:
    """The bank, the workers, and the folder their uploads lie in."""

    def __init__(self, bank: Books, workers: Workers, files: Path) -> None:
        self.bank, self.workers, self.files = bank, workers, files

    def sha256_of(self, storage_name: str) -> str:
        return hashlib.sha256((self.files / storage_name[:2] / storage_name).read_bytes()).hexdigest()


def open_branch() -> None:
    """The cast, a product on sale, and no patience with unanswered payments."""
    set_up_branch(make_cast())
    for code, value in (("sweep.shards", 1), ("payout.ask_after_seconds", 0)):
        ParameterValue.objects.create(code=code, value=value, effective_date=OPENING)
