"""Why something was refused. Each refusal has a stable type, an HTTP status and the facts it rests on."""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """The use case said no; nothing was changed."""

    type = "refused"
    title = "Refused"
    status = 409

    def __init__(self, detail: str = "", **facts: Any) -> None:
        self.detail = str(detail) or self.title
        self.facts = facts
        super().__init__(self.detail)


class NotFound(Refusal):
    """Not there, or not for this person to know of."""

    type, title, status = "not-found", "Not found", 404


class PermissionRefused(Refusal):
    type, title, status = "permission-denied", "Not permitted", 403


class DutiesConflict(Refusal):
    """The person already did something else on this file that excludes this."""

    type, title, status = "separation-of-duties", "Separation of duties", 403


class AuthorityExceeded(Refusal):
    type, title, status = "authority-exceeded", "Above your authority", 403


class WrongState(Refusal):
    type, title, status = "wrong-state", "Not possible in this state", 409


class Unmet(Refusal):
    """A fact that must hold first does not: an open condition, a missing document, a closing day."""

    type, title, status = "precondition-unmet", "Something is missing", 409


class StaleVersion(Refusal):
    type, title, status = "stale-version", "Changed by somebody else meanwhile", 412


class InvalidInput(Refusal):
    """Bad values, by field: `fields={"amount": ["…"]}`; `facts` are further members of the answer.

    `links` lead from a field to what its messages name: `{"uscc": [{"text": "…", "url": "/…"}]}`.
    """

    type, title, status = "invalid-input", "Please correct the marked fields", 400

    def __init__(self, detail: str = "", *, fields: dict[str, list[str]] | None = None, **facts: Any) -> None:
        self.fields = fields or {}
        super().__init__(detail or "; ".join(m for messages in self.fields.values() for m in messages), **facts)


class KeyReused(Refusal):
    type, title, status = "idempotency-key-reused", "Idempotency key used with another request", 409
