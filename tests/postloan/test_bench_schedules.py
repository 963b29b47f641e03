"""The yardstick for schedules is the same loan as ours; how fast either is depends on the machine and is not tested."""

from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from loans.domain.schedule import build_schedule
from postloan.bench.schedules import ROWS, TERMS, _check_agreement, schedules


def test_both_sides_are_the_same_loan() -> None:
    pytest.importorskip("numpy_financial", reason="comes with requirements-dev.txt")

    ours, theirs = schedules(2, 1)

    assert ours > 0
    assert theirs > 0


def test_another_loan_is_no_yardstick() -> None:
    rows = build_schedule(TERMS).rows
    columns = [-float(row.principal) for row in rows], [-float(row.interest) for row in rows]

    _check_agreement(columns)
    columns[0][ROWS - 1] += 1
    with pytest.raises(CommandError, match="Row 36"):
        _check_agreement(columns)
