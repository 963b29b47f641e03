"""What runs in a process of its own: one piece of work, to its end or to the failpoint it dies at.

The process is forked from a server that has done nothing but import this module: one that has rendered a contract,
say, runs threads that a fork would lose.
"""

from __future__ import annotations

import os
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import django
from django.apps import apps

if not apps.ready:
    django.setup()

from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils.translation import gettext

from branch import failpoints
from branch.domain.actor import Actor
from branch.models import User
from branch.queries.actors import actor_for
from branch.tasks import deliver_outbox
from branch.web.idempotency import once
from loans.tasks import resume_payouts
from postloan.tasks import resume_sweeps
from tests.life import Life

Deed = Callable[[], Any]
MOST_ROUNDS = 50


@dataclass(frozen=True)
class Place:
    """The test's own database and settings."""

    database: str
    values: dict[str, Any]

    def enter(self) -> None:
        connection.settings_dict["NAME"] = self.database
        for name, value in self.values.items():
            setattr(settings, name, value)
        current_app.send_task = QUEUE.take  # type: ignore[method-assign, assignment]


def die(place: Place, mouth: Connection, failpoint: str, deed: Deed) -> None:
    """Do the deed, and say so in the end: whoever is killed by the failpoint says nothing."""
    place.enter()
    failpoints.armed = failpoint
    mouth.send(_done(deed))
    os._exit(0)


def serve(place: Place, line: Connection) -> None:
    """Do one deed after another, and say what came of each."""
    place.enter()
    while (deed := line.recv()) is not None:
        line.send(_done(deed))
    os._exit(0)


def _done(deed: Deed) -> tuple[Any, tuple[str, ...]] | str:
    """The deed's result with the failpoints it passed, in the order they were first reached; or what went wrong."""
    passed: dict[str, None] = {}
    failpoints.watcher = passed.setdefault
    try:
        return deed(), tuple(passed)
    except BaseException:
        return traceback.format_exc()


class Queue(deque[tuple[str, tuple[Any, ...]]]):
    """The broker as far as this process is concerned: what is in it dies with the process."""

    def take(self, name: str, args: tuple[Any, ...] = (), **_options: Any) -> None:
        self.append((name, args))


QUEUE = Queue()
# Done once here, it need not be done by every process forked from this one.
current_app.finalize()
gettext("warm")


# --- deeds


def actor(username: str) -> Actor:
    return actor_for(User.objects.get(username=username))


def life() -> Life:
    """The one loan of the kill tests: its instalments fall due day by day."""
    return Life(actor, instalments=4, frequency_unit="day")


def take_step(step: str, key: str) -> bool:
    """A step of the life as a request with an Idempotency-Key; whether it was answered from before."""
    return keyed(key, getattr(life(), step))


def keyed(key: str, call: Deed) -> bool:
    def work() -> tuple[int, Any]:
        call()
        return 200, {}

    return once(caller="test", route="/", key=key, body_sha256="0" * 64, work=work)[2]


def work() -> None:
    """What beat and the workers do, until they find nothing to do. What others handed to the broker is lost."""
    QUEUE.clear()
    for _round in range(MOST_ROUNDS):
        found = resume_payouts() + deliver_outbox() + resume_sweeps()
        while QUEUE:
            name, args = QUEUE.popleft()
            current_app.tasks[name](*args)
        if not found:
            return
    raise AssertionError("the background work comes to no end")
