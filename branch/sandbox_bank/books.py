"""The bank's books: payments received once per reference, settled when due, two flows for every movement.

Every payment is journalled as "processing" with the moment it settles, mostly at once. Whoever comes next,
also after a restart, settles what has fallen due: a kill at any point neither loses nor doubles a payment.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from . import behaviours
from .behaviours import NONE, OUTCOME, TRANSPORT, Behaviour
from .shapes import LENDING_ACCOUNT, CollectionFile, Order
from .store import Store

CHINA = timezone(timedelta(hours=8))
#: The request never reaches the books.
NEVER_BOOKED = ("timeout", "error_500")
#: Of the outcomes, the one a whole file can have; the others are its items' own.
SLOW_FILE = {"processing": OUTCOME["processing"]}


class Conflict(Exception):
    """The reference already stands for something else."""


@dataclass(frozen=True)
class Received:
    """`view` is the answer; None when the request never reached the books. `answer` is how to give it."""

    view: dict[str, Any] | None
    answer: Behaviour


class Books:
    """`clock` gives seconds since the epoch."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        self._store, self._clock = Store(folder), clock
        with self._store.transaction() as db:
            _open_account(db, LENDING_ACCOUNT, "Bank lending account", clock(), unlimited=True)

    def close(self) -> None:
        self._store.close()

    # --- payments ------------------------------------------------------------------------------------
    def receive(self, order: Order) -> Received:
        """Take a payment order, once per reference. Raises Conflict if that stands for another order."""
        now = self._clock()
        with self._store.transaction() as db:
            _settle_due(db, now)
            known = _payment(db, order.reference)
            if known and known["fingerprint"] != order.fingerprint:
                raise Conflict
            answer = _take(db, TRANSPORT, order)
            if answer.name in NEVER_BOOKED:
                return Received(None, answer)
            if known is None:
                wait = answer.seconds if answer.name == "delay" else 0.0
                _journal(db, order, now, settles_at=now + wait)
                _settle_due(db, now)
            return Received(_payment_view(_payment(db, order.reference)), answer)

    def payment(self, reference: str) -> dict[str, Any] | None:
        with self._store.transaction() as db:
            _settle_due(db, self._clock())
            row = _payment(db, reference)
            return _payment_view(row) if row else None

    def query(self, reference: str) -> Received:
        """A caller's question about a payment; `view` None when the bank never saw it."""
        with self._store.transaction() as db:
            _settle_due(db, self._clock())
            answer = behaviours.take(db, TRANSPORT, kind="query", reference=reference)
            row = _payment(db, reference)
            return Received(_payment_view(row) if row else None, answer)

    # --- collection files ----------------------------------------------------------------------------
    def receive_file(self, file: CollectionFile) -> Received:
        """Take a debit file, once per file reference, all items or none. Raises Conflict."""
        now = self._clock()
        with self._store.transaction() as db:
            _settle_due(db, now)
            known = _file(db, file.file_reference)
            if known and known["fingerprint"] != file.fingerprint:
                raise Conflict
            answer = behaviours.take(db, TRANSPORT, kind="collection_file", reference=file.file_reference)
            if answer.name in NEVER_BOOKED:
                return Received(None, answer)
            if known is None:
                slow = behaviours.take(db, SLOW_FILE, kind="collection_file", reference=file.file_reference)
                wait = slow.seconds + (answer.seconds if answer.name == "delay" else 0.0)
                _journal_file(db, file, now, ready_at=now + wait)
            return Received({"file_reference": file.file_reference, "status": "accepted"}, answer)

    def file_result(self, file_reference: str) -> dict[str, Any] | None:
        """None for an unknown file; without "items" while some item is still processing."""
        now = self._clock()
        with self._store.transaction() as db:
            _settle_due(db, now)
            file = _file(db, file_reference)
            if file is None:
                return None
            items = db.execute(
                "SELECT p.* FROM file_items i JOIN payments p USING (reference)"
                " WHERE i.file_reference = ? ORDER BY i.position",
                (file_reference,),
            ).fetchall()
        if file["ready_at"] > now or any(item["status"] == "processing" for item in items):
            return {"file_reference": file_reference, "status": "processing"}
        views = [_payment_view(item) for item in items]
        return {"file_reference": file_reference, "status": "done", "items": views}

    # --- accounts ------------------------------------------------------------------------------------
    def account(self, number: str) -> dict[str, Any]:
        """Any well-formed number is an account; it holds nothing until money first comes in."""
        with self._store.transaction() as db:
            _settle_due(db, self._clock())
            row = db.execute("SELECT * FROM accounts WHERE number = ?", (number,)).fetchone()
        if row is None:
            return {
                "number": number,
                "holder_name": "",
                "balance": "0.00",
                "unlimited": False,
                "opened_at": None,
            }
        view = dict(row)
        view["balance"] = money(view.pop("balance_cents"))
        return view | {"unlimited": bool(view["unlimited"])}

    def flows(self, number: str, first: str, last: str, after_id: int, limit: int) -> list[dict[str, Any]]:
        """Movements booked on `first` to `last` inclusive, in order of booking, after a flow id."""
        with self._store.transaction() as db:
            _settle_due(db, self._clock())
            rows = db.execute(
                "SELECT * FROM flows WHERE account = ? AND id > ? AND booked_on BETWEEN ? AND ? ORDER BY id LIMIT ?",
                (number, after_id, first, last, limit),
            ).fetchall()
        return [_flow_view(row) for row in rows]

    # --- trouble on demand ---------------------------------------------------------------------------
    def add_behaviour(self, value: object) -> int:
        with self._store.transaction() as db:
            return behaviours.add(db, value)

    def behaviours(self) -> list[dict[str, Any]]:
        with self._store.transaction() as db:
            return behaviours.every(db)

    def clear_behaviours(self) -> int:
        """Back to an honest bank: forgets every behaviour and settles at once what they held back."""
        now = self._clock()
        with self._store.transaction() as db:
            db.execute("UPDATE payments SET settles_at = ? WHERE status = 'processing'", (now,))
            db.execute("UPDATE files SET ready_at = ? WHERE ready_at > ?", (now, now))
            _settle_due(db, now)
            return behaviours.clear(db)


# --- inside one transaction ------------------------------------------------------------------------------
def _take(db: sqlite3.Connection, among: dict[str, float], order: Order) -> Behaviour:
    if order.kind == "credit":  # money in for a trial always arrives
        return NONE
    return behaviours.take(
        db,
        among,
        kind=order.kind,
        reference=order.reference,
        payee_account=order.credit_account,
        payer_account=order.debit_account,
    )


def _journal(db: sqlite3.Connection, order: Order, now: float, settles_at: float) -> None:
    outcome = _take(db, OUTCOME, order)
    if order.kind != "credit":
        _open_account(db, order.debit_account, order.debit_name, now)
    _open_account(db, order.credit_account, order.credit_name, now)
    db.execute(
        "INSERT INTO payments (reference, fingerprint, kind, amount_cents, debit_account, debit_name,"
        " credit_account, credit_name, memo, allow_partial, business_date, received_at, settles_at, bounces,"
        " available_cap_cents)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            order.reference,
            order.fingerprint,
            order.kind,
            order.amount_cents,
            order.debit_account,
            order.debit_name or _holder(db, order.debit_account),
            order.credit_account,
            order.credit_name or _holder(db, order.credit_account),
            order.memo,
            order.allow_partial,
            order.business_date or datetime.fromtimestamp(now, CHINA).date().isoformat(),
            timestamp(now),
            settles_at + outcome.seconds,
            outcome.name == "bounce",
            outcome.amount_cents if outcome.name == "partial" else None,
        ),
    )


def _journal_file(db: sqlite3.Connection, file: CollectionFile, now: float, ready_at: float) -> None:
    db.execute("INSERT INTO files VALUES (?, ?, ?)", (file.file_reference, file.fingerprint, ready_at))
    for position, order in enumerate(file.orders):
        known = _payment(db, order.reference)
        if known and known["fingerprint"] != order.fingerprint:
            raise Conflict
        if known is None:
            _journal(db, order, now, settles_at=ready_at)
        item = (file.file_reference, position, order.reference)
        db.execute("INSERT INTO file_items VALUES (?, ?, ?)", item)


def _settle_due(db: sqlite3.Connection, now: float) -> None:
    due = "SELECT * FROM payments WHERE status = 'processing' AND settles_at <= ? ORDER BY settles_at, id"
    for row in db.execute(due, (now,)).fetchall():
        _settle(db, row)


def _settle(db: sqlite3.Connection, row: sqlite3.Row) -> None:
    """Book the payment, or fail it: the receiver sends it back, or the account is short."""
    cents = row["amount_cents"]
    available = _available(db, row)
    if row["bounces"]:
        return _fail(db, row, "bounced", "The payment was sent back by the receiving bank.")
    if available is not None and available < cents:
        if not row["allow_partial"] or available <= 0:
            return _fail(db, row, "insufficient_funds", "The account does not hold the amount.")
        cents = available
    if row["kind"] != "credit":
        _post(db, row, "out", cents)
    _post(db, row, "in", cents)
    db.execute(
        "UPDATE payments SET status = 'succeeded', moved_cents = ?, booked_at = ? WHERE reference = ?",
        (cents, timestamp(row["settles_at"]), row["reference"]),
    )


def _fail(db: sqlite3.Connection, row: sqlite3.Row, code: str, reason: str) -> None:
    db.execute(
        "UPDATE payments SET status = 'failed', failure_code = ?, failure_reason = ? WHERE reference = ?",
        (code, reason, row["reference"]),
    )


def _available(db: sqlite3.Connection, row: sqlite3.Row) -> int | None:
    """Cents the debited account can give, None for no limit; a "partial" behaviour may say it has less."""
    if row["kind"] == "credit":
        return None
    account = db.execute("SELECT * FROM accounts WHERE number = ?", (row["debit_account"],)).fetchone()
    limits = [] if account["unlimited"] else [account["balance_cents"]]
    if row["available_cap_cents"] is not None:
        limits.append(row["available_cap_cents"])
    return min(limits) if limits else None


def _post(db: sqlite3.Connection, row: sqlite3.Row, direction: str, cents: int) -> None:
    own, other = ("debit", "credit") if direction == "out" else ("credit", "debit")
    change = -cents if direction == "out" else cents
    number = row[f"{own}_account"]
    db.execute("UPDATE accounts SET balance_cents = balance_cents + ? WHERE number = ?", (change, number))
    db.execute(
        "INSERT INTO flows (account, reference, direction, amount_cents, balance_cents, counterparty_account,"
        " counterparty_name, memo, booked_on, booked_at)"
        " SELECT number, ?, ?, ?, balance_cents, ?, ?, ?, ?, ? FROM accounts WHERE number = ?",
        (
            row["reference"],
            direction,
            cents,
            row[f"{other}_account"],
            row[f"{other}_name"],
            row["memo"],
            row["business_date"],
            timestamp(row["settles_at"]),
            number,
        ),
    )


def _open_account(db: sqlite3.Connection, number: str, name: str, now: float, *, unlimited: bool = False) -> None:
    """Open on first use; a name that was not known yet is filled in, a known one stays."""
    db.execute(
        "INSERT INTO accounts (number, holder_name, unlimited, opened_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (number) DO UPDATE SET holder_name = excluded.holder_name WHERE holder_name = ''",
        (number, name, unlimited, timestamp(now)),
    )


def _holder(db: sqlite3.Connection, number: str) -> str:
    row = db.execute("SELECT holder_name FROM accounts WHERE number = ?", (number,)).fetchone()
    return row["holder_name"] if row else ""


def _payment(db: sqlite3.Connection, reference: str) -> Any:
    return db.execute("SELECT * FROM payments WHERE reference = ?", (reference,)).fetchone()


def _file(db: sqlite3.Connection, file_reference: str) -> Any:
    return db.execute("SELECT * FROM files WHERE file_reference = ?", (file_reference,)).fetchone()


# --- what the bank answers -------------------------------------------------------------------------------
def money(cents: int) -> str:
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _payment_view(row: Any) -> dict[str, Any]:
    view = {name: row[name] for name in ("reference", "kind", "status", "failure_code", "failure_reason")}
    view |= {"amount": money(row["amount_cents"]), "booked_at": row["booked_at"]}
    view["business_date"] = row["business_date"]
    if row["kind"] == "collection":
        view["collected_amount"] = money(row["moved_cents"])
    return view


def _flow_view(row: sqlite3.Row) -> dict[str, Any]:
    view = dict(row)
    view["amount"], view["balance"] = money(view.pop("amount_cents")), money(view.pop("balance_cents"))
    del view["account"]
    return view
