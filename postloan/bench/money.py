"""What `manage.py bench_money` measures: each a ratio of the program's time to that of a bare yardstick, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from branch.bench.database import scratch_database
from postloan.bench.payoffs import payoffs
from postloan.bench.portfolio import BASE, make_portfolio
from postloan.bench.schedules import schedules
from postloan.services.steps.accrue import accrue
from postloan.services.steps.part import Part

DAY = date(2026, 11, 20)


@dataclass(frozen=True)
class Result:
    """Seconds of the program and of the yardstick: the best of some rounds taken in turn."""

    ours: float
    yardstick: float

    @property
    def ratio(self) -> float:
        return self.ours / self.yardstick


@dataclass(frozen=True)
class Measurement:
    """`run(size, rounds)` measures; the ratio should be no more than `limit`."""

    what: str
    yardstick: str
    limit: float
    run: Callable[[int, int], Result]


def accrual(loans: int, rounds: int) -> Result:
    """A night's accrual of so many loans, posted to the ledger, against a bare insert of as many constant rows.

    The bare rows go to the same table, so columns, keys, partitions and triggers are the same; both commit. Each round
    is another day: the accrual's follow each other, the bare ones stand a year apart.
    """
    ours, bare = [], []
    with scratch_database():
        make_portfolio(loans, DAY)
        for number in range(rounds):
            day = DAY + timedelta(days=number)
            bare.append(_seconds(lambda day=day: _bare_insert(loans, day.replace(year=day.year + 1))))  # type: ignore[misc]
            ours.append(_seconds(lambda day=day: accrue(Part(day, 0, 1))))  # type: ignore[misc]
    return Result(min(ours), min(bare))


def _bare_insert(count: int, day: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO loans_accrual (loan_id, customer_id, date, interest, penalty) "
            "SELECT %(base)s + g, %(base)s + g, %(day)s, 1.23, 0 FROM generate_series(1, %(count)s) g",
            {"base": BASE, "day": day, "count": count},
        )


def _seconds(work: Callable[[], object]) -> float:
    """Wall time of a transaction with its commit, where foreign keys are looked at."""
    begun = time.perf_counter()
    with transaction.atomic():
        work()
    return time.perf_counter() - begun


def schedule_rows(loans: int, rounds: int) -> Result:
    """Schedules of a fiftieth of so many loans against numpy-financial's unrounded, undated columns."""
    return Result(*schedules(max(loans // 50, 1), rounds))


def payoff_after_years(loans: int, rounds: int) -> Result:
    """A pay-off figure late in a loan's life against one at its beginning."""
    with scratch_database():
        return Result(*payoffs(DAY, max(loans // 500, 1), rounds))


#: Every measurement by its name on the command line.
MEASUREMENTS: dict[str, Measurement] = {
    "accrual": Measurement("a day's accrual", "a bare INSERT … SELECT of as many constant rows", 2.0, accrual),
    "schedules": Measurement(
        "schedules of 36 rows", "one vectorised ppmt and ipmt of numpy-financial each", 1.0, schedule_rows
    ),
    "payoff": Measurement("a pay-off figure on day 700", "the same on day 1", 1.25, payoff_after_years),
}
