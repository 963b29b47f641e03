"""Schedules of 36 instalments, rounded and dated, against numpy-financial's two columns of the same."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from decimal import Decimal

from django.core.management.base import CommandError

from loans.domain.daycount import DayCount
from loans.domain.schedule import RepaymentMethod, ScheduleTerms, build_schedule

ROWS = 36
TERMS = ScheduleTerms(
    principal=Decimal("300000.00"),
    annual_rate=Decimal("0.0435"),
    start_date=date(2026, 3, 2),
    repayment_method=RepaymentMethod.EQUAL_INSTALMENT,
    day_count=DayCount.THIRTY_360,
    instalments=ROWS,
)


def schedules(count: int, rounds: int) -> tuple[float, float]:
    """Seconds of `count` schedules of ours, and of as many pairs of one vectorised `ppmt` and `ipmt`: the best rounds.

    Both are of the same loan: their first and last row must agree. Raises CommandError without the library.
    """
    yardstick = _numpy_financial()
    _check_agreement(yardstick())
    ours, theirs = [], []
    for _round in range(rounds):
        theirs.append(_seconds(yardstick, count))
        ours.append(_seconds(lambda: build_schedule(TERMS), count))
    return min(ours), min(theirs)


def _numpy_financial() -> Callable[[], tuple[list[float], list[float]]]:
    try:
        import numpy
        import numpy_financial
    except ImportError as error:
        raise CommandError("numpy-financial is needed to measure against: it is in requirements-dev.txt.") from error
    rate, periods = float(TERMS.annual_rate) / 12, numpy.arange(1, ROWS + 1)
    principal = float(TERMS.principal)

    def both() -> tuple[list[float], list[float]]:
        parts = numpy_financial.ppmt(rate, periods, ROWS, principal)
        return parts, numpy_financial.ipmt(rate, periods, ROWS, principal)

    return both


def _check_agreement(columns: tuple[list[float], list[float]]) -> None:
    rows = build_schedule(TERMS).rows
    for row in (rows[0], rows[-1]):
        for ours, theirs in zip((row.principal, row.interest), columns, strict=True):
            # Theirs is carried unrounded, so cents add up over the rows.
            if abs(float(ours) + theirs[row.number - 1]) > ROWS / 100:
                raise CommandError(f"Row {row.number} is {ours} here and {-theirs[row.number - 1]:.2f} there.")


def _seconds(work: Callable[[], object], count: int) -> float:
    begun = time.perf_counter()
    for _number in range(count):
        work()
    return time.perf_counter() - begun
