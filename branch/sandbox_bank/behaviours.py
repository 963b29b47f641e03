"""Trouble on demand: what the bank was told to do wrong, to which requests, and how often."""

import sqlite3
from dataclasses import dataclass
from typing import Any

from .shapes import BadRequest, Body

#: What happens to the answer; applies to every attempt, repeats included. Value: default seconds.
TRANSPORT = {"delay": 5.0, "timeout": 60.0, "error_500": 0.0, "drop_after_booking": 0.0}
#: What happens to the payment; applies once, when it is first received. Value: default seconds of processing.
OUTCOME = {"bounce": 0.0, "partial": 0.0, "processing": 5.0}
MATCH_KINDS = ("payout", "collection", "collection_file", "query")
MAX_SECONDS = 86_400
MAX_TIMES = 1_000_000


@dataclass(frozen=True)
class Behaviour:
    name: str
    seconds: float
    amount_cents: int | None = None


NONE = Behaviour("none", 0.0)


def add(db: sqlite3.Connection, value: object) -> int:
    """Store one behaviour from its JSON body; its id."""
    body = Body(value)
    match = Body(body.take("match", {}), "match")
    name = body.take("behaviour")
    if not isinstance(name, str) or name not in {**TRANSPORT, **OUTCOME}:
        raise BadRequest("behaviour", f"must be one of {', '.join([*TRANSPORT, *OUTCOME])}")
    row = (
        name,
        match.reference("reference", None),
        match.account("payee_account", None),
        match.account("payer_account", None),
        _kind(match.take("kind", None)),
        _seconds(body.take("seconds", None)),
        body.cents("amount", None),
        _times(body.take("times", None)),
    )
    match.finish()
    body.finish()
    if name == "partial" and row[6] is None:
        raise BadRequest("amount", "is missing: how much the account is taken to hold")
    cursor = db.execute(
        "INSERT INTO behaviours (name, match_reference, match_payee_account, match_payer_account, match_kind,"
        " seconds, amount_cents, times_left) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        row,
    )
    return int(cursor.lastrowid or 0)


def every(db: sqlite3.Connection) -> list[dict[str, Any]]:
    return [dict(row) for row in db.execute("SELECT * FROM behaviours ORDER BY id")]


def clear(db: sqlite3.Connection) -> int:
    return db.execute("DELETE FROM behaviours").rowcount


def take(
    db: sqlite3.Connection,
    among: dict[str, float],
    *,
    kind: str,
    reference: str,
    payee_account: str = "",
    payer_account: str = "",
) -> Behaviour:
    """The oldest behaviour of `among` that matches, used up by one; `NONE` when there is none.

    Questions about a payment are answered honestly unless a behaviour names kind "query".
    """
    row = db.execute(
        f"""SELECT * FROM behaviours WHERE name IN ({", ".join("?" * len(among))})
            AND (match_reference IS NULL OR match_reference = ?)
            AND (match_payee_account IS NULL OR match_payee_account = ?)
            AND (match_payer_account IS NULL OR match_payer_account = ?)
            AND (match_kind = ? OR (match_kind IS NULL AND ? <> 'query'))
            ORDER BY id LIMIT 1""",
        (*among, reference, payee_account, payer_account, kind, kind),
    ).fetchone()
    if row is None:
        return NONE
    if row["times_left"] == 1:
        db.execute("DELETE FROM behaviours WHERE id = ?", (row["id"],))
    elif row["times_left"] is not None:
        db.execute("UPDATE behaviours SET times_left = times_left - 1 WHERE id = ?", (row["id"],))
    seconds = among[row["name"]] if row["seconds"] is None else row["seconds"]
    return Behaviour(row["name"], seconds, row["amount_cents"])


def _kind(value: object) -> object:
    if value is not None and value not in MATCH_KINDS:
        raise BadRequest("match.kind", f"must be one of {', '.join(MATCH_KINDS)}")
    return value


def _seconds(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_SECONDS:
        raise BadRequest("seconds", f"must be a number from 0 to {MAX_SECONDS}")
    return value


def _times(value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_TIMES:
        raise BadRequest("times", f"must be a whole number from 1 to {MAX_TIMES}")
    return value
