"""Servers of their own to be killed in the night: PostgreSQL, broker and Celery worker as an installation runs them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg2
from celery import Celery
from django.conf import settings
from launch import postgres, processes, valkey
from launch.folders import PYTHON, Folders
from launch.processes import Process
from launch.state import State

LOANS = 60
#: A machine with other work to do is slow; on an idle one a night takes seconds.
NIGHT_SECONDS = 300
BEAT_SECONDS = 2
#: A worker that finishes no part for so long hangs.
STUCK_SECONDS = 60
QUEUE = "xiaowei"
BEATS = ("postloan.tasks.resume_sweeps", "branch.tasks.deliver_outbox")
#: What the night leaves behind, by the loan or customer it is about; numbers are given out in the order of work.
LEFT_BEHIND = {
    "accruals": "SELECT l.number, a.date, a.interest, a.penalty"
    " FROM loans_accrual a JOIN loans_loan l ON l.id = a.loan_id",
    "days": "SELECT l.number, d.date, d.outstanding_principal, d.overdue_amount, d.days_past_due, d.asset_class,"
    " d.class_rule, d.provision FROM postloan_loanday d JOIN loans_loan l ON l.id = d.loan_id",
    "loans": "SELECT number, state, outstanding_principal, penalty_due, suspense_amount, days_past_due, asset_class,"
    " version FROM loans_loan",
    "instalments": "SELECT l.number, i.number, i.principal_paid, i.interest_paid"
    " FROM loans_instalment i JOIN loans_loan l ON l.id = i.loan_id",
    "entries": "SELECT l.number, e.kind, e.amount, e.value_date"
    " FROM loans_loanentry e JOIN loans_loan l ON l.id = e.loan_id",
    "readings": "SELECT l.number, r.date, r.indicator, r.level, r.value, r.evidence::text"
    " FROM postloan_indicatorreading r JOIN loans_loan l ON l.id = r.loan_id",
    "signals": "SELECT l.number, s.indicator, s.state, s.level, s.value, s.raised_on, s.case_id IS NULL"
    " FROM postloan_signal s JOIN loans_loan l ON l.id = s.loan_id",
    "cases": "SELECT customer_id, state, level, opened_on FROM postloan_warningcase",
    "case numbers": "SELECT number FROM postloan_warningcase",
    "collection": "SELECT l.number, c.state, c.opened_on"
    " FROM postloan_collectioncase c JOIN loans_loan l ON l.id = c.loan_id",
    "inspections": "SELECT l.number, i.state, i.sequence, i.due_date"
    " FROM postloan_inspection i JOIN loans_loan l ON l.id = i.loan_id",
    "journal": "SELECT j.event, j.value_date, l.account, l.family, sum(l.debit), sum(l.credit), count(*)"
    " FROM loans_journalline l JOIN loans_journalentry j ON j.id = l.entry_id GROUP BY 1, 2, 3, 4",
    "balances": "SELECT date, office_id, family, account, opening, debit, credit, closing FROM loans_accountbalance",
    "days of the ledger": "SELECT date, entries, lines, debit, credit FROM loans_ledgerday",
    "days of business": "SELECT date, state FROM branch_businessday",
    "seals": "SELECT business_date, event_count FROM branch_seal",
    "parts": "SELECT step, shard, state, row_count, set_aside::text FROM postloan_sweepshard",
    "events": "SELECT name, business_date, count(*) FROM branch_event GROUP BY 1, 2",
    "messages": "SELECT topic, delivered_at IS NULL, count(*) FROM branch_outboxmessage GROUP BY 1, 2",
    "notices": "SELECT user_id, kind, count(*) FROM branch_notification GROUP BY 1, 2",
}


class Installation:
    """The servers, and one database per night, each a copy of the same portfolio."""

    def __init__(self, folders: Folders) -> None:
        self.folders, self.state = folders, State(folders)
        self.state.fill_secrets()
        self.broker = valkey.start(folders, self.state)
        # What is made before the nights need not wait for the disk; what is committed in one must survive.
        preparing = postgres.start(folders, self.state, for_tests=True)
        self._prepare()
        processes.stop([preparing])
        self.postgres = postgres.start(folders, self.state)
        self._nights = 0

    def night(self) -> Night:
        """A fresh copy of the portfolio, and a queue of its own."""
        self._nights += 1
        name = f"night{self._nights}"
        with self.connect("owner") as cursor:
            cursor.execute(f"CREATE DATABASE {name} TEMPLATE {postgres.DATABASE}")
        return Night(self, name, self._nights)

    def kill_postgres(self) -> None:
        _kill(self.postgres)
        self.postgres = postgres.start(self.folders, self.state)

    def kill_broker(self) -> None:
        _kill(self.broker)
        self.broker = valkey.start(self.folders, self.state)

    @contextlib.contextmanager
    def connect(self, role: str, database: str = "postgres") -> Iterator[Any]:
        connection = psycopg2.connect(self._database_url(role, database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def environment(self, database: str, queue: int, role: str = "app") -> dict[str, str]:
        """An installation of ours, not of whoever runs the tests."""
        own = {
            "XIAOWEI_MODE": "demo",
            "XIAOWEI_DB_ROLE": role,
            "DATABASE_URL": self._database_url("app", database),
            "DATABASE_OWNER_URL": self._database_url("owner", database),
            "REDIS_URL": self._broker_url(queue),
            "CELERY_QUEUE": QUEUE,
            "FILES_DIR": str(self.folders.files),
        }
        secrets = {name: self.state.values[name] for name in ("SECRET_KEY", "FIELD_KEYS", "LOOKUP_KEY")}
        return dict(os.environ) | own | secrets | {"DJANGO_SETTINGS_MODULE": "config.settings"}

    def _database_url(self, role: str, database: str) -> str:
        return postgres.url(self.state, role).rpartition("/")[0] + f"/{database}"

    def _broker_url(self, queue: int) -> str:
        return valkey.url(self.state).rpartition("/")[0] + f"/{queue}"

    def _prepare(self) -> None:
        owner = self.environment(postgres.DATABASE, 0, "owner")
        log = self.folders.logs / "prepare.log"
        processes.run([PYTHON, "manage.py", "migrate", "--verbosity", "0"], environment=owner, log=log)
        app = self.environment(postgres.DATABASE, 0)
        processes.run([PYTHON, "-m", "tests.kill.portfolio", str(LOANS)], environment=app, log=log)


class Night:
    """One close of day on a database of its own."""

    def __init__(self, installation: Installation, database: str, queue: int) -> None:
        self.installation, self.database = installation, database
        self.environment = installation.environment(database, queue)
        self._beat = Celery("beat", broker=self.environment["REDIS_URL"])
        self._beat.conf.task_routes = settings.CELERY_TASK_ROUTES
        self._beat.conf.broker_transport_options = {"socket_timeout": 2, "socket_connect_timeout": 2}
        self._progress = -1, time.monotonic()
        self.worker = self._start_worker()

    def run(self, disturb: Callable[[Night], None] | None = None, *, after_parts: int = 0) -> dict[str, list[Any]]:
        """Close the day, disturb it once so many of its parts are done, and wait for its end; what it left behind."""
        try:
            self.send("postloan.tasks.nightly_close")
            if disturb is not None:
                self._wait(lambda: self._parts_done() >= after_parts)
                assert not self._is_done(), "the night was over before anything could happen to it"
                disturb(self)
            self._wait(self._is_done, beating=True)
            return self._left_behind()
        finally:
            _kill(self.worker)

    def send(self, task: str) -> None:
        """As beat would: a broker that is down is tried again at the next beat."""
        with contextlib.suppress(*self._beat.connection().connection_errors, OSError):
            self._beat.send_task(task, queue=QUEUE, retry=False)

    def kill_worker(self) -> None:
        _kill(self.worker)
        self.worker = self._start_worker()

    def _start_worker(self) -> Process:
        command: list[str | Path] = [
            PYTHON,
            "-m",
            "celery",
            "-A",
            "config",
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "WARNING",
        ]
        return processes.spawn(
            f"worker-{self.database}", command, self.installation.folders, environment=self.environment
        )

    def _wait(self, holds: Callable[[], bool], *, beating: bool = False) -> None:
        deadline, next_beat = time.monotonic() + NIGHT_SECONDS, 0.0
        while not holds():
            if beating and time.monotonic() > next_beat:
                next_beat = time.monotonic() + BEAT_SECONDS
                self._keep_a_worker()
                for task in BEATS:
                    self.send(task)
            if time.monotonic() > deadline:
                raise AssertionError(f"the night came to no end:\n{self.worker.log.read_text()[-3000:]}")
            time.sleep(0.02)

    def _keep_a_worker(self) -> None:
        """One that ended by itself is started again, as bin/demo's supervisor and docker-compose do; so is one that
        does nothing any more, which its heartbeat shows to whoever watches /readyz.

        A broker that goes in the middle of an acknowledgement can take Celery's worker with it: kombu then asks a
        connection that is closed for its host.
        """
        done, now = self._parts_done(), time.monotonic()
        if done != self._progress[0]:
            self._progress = done, now
        if not self.worker.alive() or now - self._progress[1] > STUCK_SECONDS:
            self._progress = done, now
            self.kill_worker()

    def _parts_done(self) -> int:
        return int(self._ask("SELECT count(*) FROM postloan_sweepshard WHERE state = 'done'")[0][0])

    def _is_done(self) -> bool:
        waiting = "SELECT count(*) FROM branch_outboxmessage WHERE delivered_at IS NULL"
        run = self._ask("SELECT state FROM postloan_sweeprun")
        return run == [("done",)] and self._ask(waiting) == [(0,)]

    def _left_behind(self) -> dict[str, list[Any]]:
        return {name: sorted(map(str, self._ask(statement))) for name, statement in LEFT_BEHIND.items()}

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        with self.installation.connect("owner", self.database) as cursor:
            cursor.execute(statement)
            return cursor.fetchall()


@contextlib.contextmanager
def installation() -> Iterator[Installation]:
    """In a temporary folder, which is gone afterwards with everything that ran there."""
    # Not pytest's own temporary folder: that one is closed to the user the database runs as.
    base = Path(tempfile.mkdtemp(prefix="xiaowei-night-"))
    base.chmod(0o711)
    folders = Folders("demo", base / "var")
    folders.make()
    try:
        yield Installation(folders)
    finally:
        processes.stop_all(processes.remembered(folders))
        postgres.forget(folders)
        shutil.rmtree(base)


def _kill(process: Process) -> None:
    """SIGKILL to the process and all its children."""
    process.signal(signal.SIGKILL)
    process.kill_group()
