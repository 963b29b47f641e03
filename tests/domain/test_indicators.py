"""Early-warning indicators with thresholds as data."""

from datetime import date
from decimal import Decimal

import pytest

from postloan.domain.indicators import (
    INDICATORS,
    Level,
    MonthlySeries,
    OverdueFacts,
    Thresholds,
    evaluate,
)

# Published: 1 / 91 / 271 / 361 days past due (2023 classification rules).
OVERDUE = Thresholds(dict(zip(Level, map(Decimal, (1, 91, 271, 361)), strict=True)))
DROP = Thresholds({Level.YELLOW: Decimal("0.30"), Level.RED: Decimal("0.50")})


def series(*usage: str, months: int = 3) -> MonthlySeries:
    """Months from January 2026 on; the last is the one under question."""
    values = {date(2026, month, 1): Decimal(value) for month, value in enumerate(usage, 1) if value}
    return MonthlySeries(values, date(2026, len(usage), 1), months)


@pytest.mark.parametrize(
    ("days", "level", "threshold"),
    [(0, None, None), (1, Level.BLUE, 1), (90, Level.BLUE, 1), (91, Level.YELLOW, 91), (271, Level.ORANGE, 271),
     (400, Level.RED, 361)],
)  # fmt: skip
def test_overdue(days: int, level: Level | None, threshold: int | None) -> None:
    evidence = evaluate("overdue", OverdueFacts(days, Decimal("12.00"), date(2026, 1, 15)), OVERDUE)

    assert (evidence.level, evidence.threshold) == (level, threshold)
    assert evidence.value == days
    assert evidence.inputs["oldest_unpaid_due_date"] == "2026-01-15"


@pytest.mark.parametrize(
    ("usage", "value", "level"),
    [
        # Average 1,000: 30 % down is yellow, 50 % red, less than 30 % nothing, a rise is below zero.
        (("900", "1000", "1100", "700"), "0.3000", Level.YELLOW),
        (("900", "1000", "1100", "701"), "0.2990", None),
        (("900", "1000", "1100", "500"), "0.5000", Level.RED),
        (("900", "1000", "1100", "0"), "1.0000", Level.RED),
        (("900", "1000", "1100", "1200"), "-0.2000", None),
    ],
)
def test_electricity_down(usage: tuple[str, ...], value: str, level: Level | None) -> None:
    evidence = evaluate("electricity_down", series(*usage), DROP)

    assert (str(evidence.value), evidence.level) == (value, level)
    assert evidence.inputs["average"] == "1000.00"
    assert evidence.inputs["2026-04"] == usage[-1]


@pytest.mark.parametrize(
    ("usage", "note"),
    [
        (("900", "", "1100", "100"), "months_missing"),
        (("900", "1000", "1100", ""), "months_missing"),
        (("0", "0", "0", "100"), "no_usage_before"),
    ],
)
def test_no_finding_without_the_data(usage: tuple[str, ...], note: str) -> None:
    evidence = evaluate("electricity_down", series(*usage), DROP)

    assert (evidence.level, evidence.value, evidence.note) == (None, None, note)


def test_the_average_looks_at_the_months_asked_for_only() -> None:
    evidence = evaluate("electricity_down", series("9000", "1000", "1000", "700", months=2), DROP)

    assert evidence.value == Decimal("0.3000")
    assert "2026-01" not in evidence.inputs


def test_every_entry_names_itself_and_its_facts() -> None:
    assert set(INDICATORS) == {"overdue", "electricity_down"}
    with pytest.raises(TypeError):
        evaluate("overdue", series("1", "1", "1", "1"), OVERDUE)
    with pytest.raises(KeyError):
        evaluate("unknown", series("1"), OVERDUE)


@pytest.mark.parametrize("limits", [{}, {Level.BLUE: Decimal(5), Level.RED: Decimal(5)}])
def test_thresholds_must_rise(limits: dict[Level, Decimal]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Thresholds(limits)
