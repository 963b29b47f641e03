"""A client of the API as another system would write it: HTTP only, one token per person."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from typing import Any

TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Answer:
    """What came back: status, decoded JSON and how long it took in milliseconds."""

    status: int
    body: Any
    milliseconds: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def problem(self) -> str:
        """The problem type of a refusal, without its prefix."""
        return str(self.body.get("type", "")).removeprefix("/problems/") if isinstance(self.body, dict) else ""


class Api:
    """Calls below `<base>/api/v1/` as named people; signs each in once."""

    def __init__(self, base_url: str, password: str = "demo") -> None:
        self.base = base_url.rstrip("/")
        self.password = password
        self.tokens: dict[str, str] = {}

    def call(self, person: str, method: str, route: str, body: Any = None, *, once: str = "") -> Answer:
        """One request; `once` is its idempotency key. Raises URLError where nobody answers."""
        headers = {"Authorization": f"Token {self._token(person)}", "Accept-Language": "en"}
        if method == "POST":
            headers["Idempotency-Key"] = once or uuid.uuid4().hex
        if isinstance(body, Upload):
            data: bytes | None
            data, headers["Content-Type"] = body.encoded()
        else:
            data = None if body is None else json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        return self._send(method, f"/api/v1/{route}", data, headers)

    def _token(self, person: str) -> str:
        if person not in self.tokens:
            data = json.dumps({"username": person, "password": self.password}).encode()
            answer = self._send("POST", "/api/v1/auth/token/", data, {"Content-Type": "application/json"})
            if not answer.ok:
                raise PermissionError(f"{person} can't sign in: {answer.status} {answer.problem}")
            self.tokens[person] = answer.body["token"]
        return self.tokens[person]

    def _send(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Answer:
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        begun = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
                status, raw = response.status, response.read()
        except urllib.error.HTTPError as refusal:
            status, raw = refusal.code, refusal.read()
        taken = (time.perf_counter() - begun) * 1000
        try:
            decoded = json.loads(raw) if raw else {}
        except ValueError:
            decoded = {}
        return Answer(status, decoded, taken)


@dataclass(frozen=True)
class Upload:
    """A file with the fields that go with it."""

    fields: dict[str, str]
    name: str
    content: bytes
    media_type: str = "application/pdf"

    def encoded(self) -> tuple[bytes, str]:
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
            for key, value in self.fields.items()
        ]
        head = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{self.name}"\r\n'
            f"Content-Type: {self.media_type}\r\n\r\n"
        )
        parts += [head.encode(), self.content, f"\r\n--{boundary}--\r\n".encode()]
        return b"".join(parts), f"multipart/form-data; boundary={boundary}"
