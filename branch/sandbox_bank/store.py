"""The bank's own database file: one writer at a time, every commit on disk before it is answered."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    number TEXT PRIMARY KEY,
    holder_name TEXT NOT NULL,
    balance_cents INTEGER NOT NULL DEFAULT 0,
    unlimited INTEGER NOT NULL DEFAULT 0,
    opened_at TEXT NOT NULL,
    CHECK (unlimited OR balance_cents >= 0)
);
CREATE TABLE IF NOT EXISTS payments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('payout', 'collection', 'credit')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    debit_account TEXT NOT NULL,
    debit_name TEXT NOT NULL,
    credit_account TEXT NOT NULL,
    credit_name TEXT NOT NULL,
    memo TEXT NOT NULL,
    allow_partial INTEGER NOT NULL,
    business_date TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'processing' CHECK (status IN ('processing', 'succeeded', 'failed')),
    failure_code TEXT,
    failure_reason TEXT,
    moved_cents INTEGER NOT NULL DEFAULT 0 CHECK (moved_cents BETWEEN 0 AND amount_cents),
    received_at TEXT NOT NULL,
    booked_at TEXT,
    settles_at REAL NOT NULL,
    bounces INTEGER NOT NULL,
    available_cap_cents INTEGER
);
CREATE INDEX IF NOT EXISTS payments_processing ON payments (settles_at) WHERE status = 'processing';
CREATE TABLE IF NOT EXISTS flows (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account TEXT NOT NULL REFERENCES accounts (number),
    reference TEXT NOT NULL REFERENCES payments (reference),
    direction TEXT NOT NULL CHECK (direction IN ('in', 'out')),
    amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
    balance_cents INTEGER NOT NULL,
    counterparty_account TEXT NOT NULL,
    counterparty_name TEXT NOT NULL,
    memo TEXT NOT NULL,
    booked_on TEXT NOT NULL,
    booked_at TEXT NOT NULL,
    UNIQUE (reference, direction)
);
CREATE INDEX IF NOT EXISTS flows_by_account ON flows (account, id);
CREATE TABLE IF NOT EXISTS files (
    file_reference TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    ready_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS file_items (
    file_reference TEXT NOT NULL REFERENCES files (file_reference),
    position INTEGER NOT NULL,
    reference TEXT NOT NULL REFERENCES payments (reference),
    PRIMARY KEY (file_reference, position)
);
CREATE TABLE IF NOT EXISTS behaviours (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    match_reference TEXT,
    match_payee_account TEXT,
    match_payer_account TEXT,
    match_kind TEXT,
    seconds REAL,
    amount_cents INTEGER,
    times_left INTEGER CHECK (times_left IS NULL OR times_left > 0)
);
"""


class Store:
    """Opens (or creates) `folder/bank.sqlite3`, readable by its owner only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "bank.sqlite3"
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # An answered payment survives the loss of power, not only of the process.
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA foreign_keys = ON")
        self._db.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one at a time; also across processes on the same folder."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def close(self) -> None:
        with self._lock:
            self._db.close()
