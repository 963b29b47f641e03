"""Asking as somebody, and what must hold of the answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection, transaction
from django.http import HttpResponseBase
from django.test import Client

from branch.models import User
from tests.access.world import MARK, World

JSON = "application/json"
#: Nothing of a denied call may be found in these afterwards.
_TRACES = ("branch_event", "branch_fileduty", "branch_outboxmessage", "branch_attachment", "branch_idempotentanswer")


@dataclass(frozen=True)
class Answer:
    status: int
    text: str

    @property
    def denies(self) -> bool:
        return self.status in (403, 404)

    @property
    def leaks(self) -> bool:
        return MARK in self.text

    @property
    def complaint(self) -> str:
        """What a refusing answer says, without the page around it."""
        if self.text.startswith("{"):
            return self.text[:300]
        said = re.findall(
            r'(?s)class="(?:[^"]*(?:invalid-feedback|notice|alert|refusal)[^"]*)"[^>]*>(.*?)</(?:div|ul|p)>', self.text
        )
        return " | ".join(" ".join(re.sub(r"<[^>]+>", " ", part).split()) for part in said)[:300]


class Caller:
    """One signed-in client per person, kept."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._clients: dict[int | None, Client] = {None: Client(raise_request_exception=False)}

    def client(self, user: User | None) -> Client:
        key = user.pk if user else None
        if key not in self._clients:
            client = Client(raise_request_exception=False)
            session = SessionStore()
            session[SESSION_KEY] = str(key)
            session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
            session[HASH_SESSION_KEY] = user.get_session_auth_hash() if user else ""
            session.save()
            client.cookies["sessionid"] = session.session_key or ""
            self._clients[key] = client
        return self._clients[key]

    def __call__(self, user: User | None, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """Pages take forms, the API takes JSON."""
        client = self.client(user)
        with transaction.atomic():  # a view that breaks its transaction breaks only its own
            if method == "GET":
                response = client.get(path)
            elif path.startswith("/api/"):
                response = client.generic(method, path, json.dumps(body or {}), content_type=JSON)
            else:
                response = client.generic(method, path, *_form(body or {}))
            return Answer(response.status_code, _text(response))

    def undone(self, user: User | None, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        """The same, and nothing of it stays."""
        with undone():
            return self(user, method, path, body)


@contextmanager
def undone() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _form(body: dict[str, Any]) -> tuple[bytes, str]:
    from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

    flat = {k: json.dumps(v) if isinstance(v, dict) or (v and isinstance(v, list) and isinstance(v[0], dict)) else v
            for k, v in body.items()}  # fmt: skip
    return encode_multipart(BOUNDARY, flat), MULTIPART_CONTENT


def _text(response: HttpResponseBase) -> str:
    content = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    if content.startswith(b"PK"):
        return _sheet(content)
    return content.decode(errors="replace")


def _sheet(content: bytes) -> str:
    from io import BytesIO

    from openpyxl import load_workbook

    rows = load_workbook(BytesIO(content), read_only=True).active.iter_rows(values_only=True)
    return "\n".join(str(cell) for row in rows for cell in row)


def traces(*things: Any) -> tuple[Any, ...]:
    """What a denied call must leave as it was: the things' rows, and how much stands in the record."""
    parts = [f"SELECT count(*)::text FROM {table}" for table in _TRACES]
    tables = sorted({(thing._meta.db_table, thing._meta.pk.column, thing.pk) for thing in things})
    parts += [f"SELECT md5(t::text) FROM {table} t WHERE {pk} = '{value}'" for table, pk, value in tables]
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts))
        return tuple(cursor.fetchall())
