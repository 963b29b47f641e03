"""Takes steps over the API and prints each: who, where, how it was answered, from which state to which, how fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from desk.walk.client import Answer, Api

WAIT_SECONDS = 60


class WalkFailed(Exception):
    """A step was not answered as it must be."""


class Walker:
    """Steps and refusals; `write` prints a line. `reader` sees everything and is used to look before and after."""

    def __init__(self, api: Api, write: Callable[[str], None], reader: str = "feng") -> None:
        self.api = api
        self.write = write
        self.reader = reader
        self.steps = self.refusals = 0

    def get(self, route: str, person: str = "") -> Any:
        answer = self.api.call(person or self.reader, "GET", route)
        if not answer.ok:
            raise WalkFailed(f"GET {route} as {person or self.reader}: {answer.status} {answer.problem}")
        return answer.body

    def first(self, route: str, person: str = "") -> Any:
        """The first row of a list. Raises WalkFailed when it is empty."""
        rows = self.get(route, person)["results"]
        if not rows:
            raise WalkFailed(f"{route} is empty")
        return rows[0]

    def step(self, person: str, method: str, route: str, body: Any = None, *, watch: str = "", done: int = 0) -> Any:
        """One step that must succeed. `watch` is the thing whose state it changes, where the answer is another."""
        before = self._state(watch) if watch else ""
        answer = self.api.call(person, method, route, body)
        after = self._state(watch) if watch else _state_of(answer.body)
        self._line(person, method, route, answer, f"{before or '·'} → {after or '·'}")
        if not answer.ok or (done and answer.status != done):
            raise WalkFailed(f"{method} {route} as {person}: {answer.status} {answer.body}")
        self.steps += 1
        return answer.body

    def refused(
        self,
        title: str,
        person: str,
        method: str,
        route: str,
        body: Any = None,
        *,
        watch: str,
        status: int,
        problem: str,
    ) -> None:
        """One step that must be refused, and must change nothing about `watch`."""
        before = self._look(watch)
        answer = self.api.call(person, method, route, body)
        same = self._look(watch) == before
        self._line(person, method, route, answer, f"{answer.problem}; {'nothing changed' if same else 'CHANGED'}")
        self.write(f"          ^ {title}")
        if answer.status != status or answer.problem != problem or not same:
            raise WalkFailed(f"{title}: expected {status} {problem}, got {answer.status} {answer.body}")
        self.refusals += 1

    def wait(self, route: str, state: str) -> Any:
        """Look at a thing until it is in `state`. Raises WalkFailed after a minute."""
        begun = time.monotonic()
        while True:
            found = self.get(route)
            if found["state"] == state:
                taken = (time.monotonic() - begun) * 1000
                self._line("worker", "GET", route, Answer(200, found, taken), f"… → {state}")
                return found
            if time.monotonic() - begun > WAIT_SECONDS:
                raise WalkFailed(f"{route} is {found['state']}, not {state}, after {WAIT_SECONDS} s")
            time.sleep(0.2)

    def _state(self, route: str) -> str:
        return _state_of(self.get(route))

    def _look(self, route: str) -> tuple[Any, Any]:
        """The thing as it stands, and how far its record goes."""
        body = {key: value for key, value in self.get(route).items() if key != "allowed_actions"}
        events = self.get(f"{route}events/")["results"]
        return body, events[0]["id"] if events else None

    def _line(self, person: str, method: str, route: str, answer: Answer, told: str) -> None:
        self.write(
            f"{person:<9} {method:<5} /api/v1/{route:<46} {answer.status}  {told:<40} {answer.milliseconds:7.0f} ms"
        )


def _state_of(body: Any) -> str:
    return str(body.get("state") or "") if isinstance(body, dict) else ""
