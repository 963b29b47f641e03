"""Where the marks of figures stand."""

from __future__ import annotations

from decimal import Decimal

import pytest

from desk.domain.figures import deviation_bar, parts_of_whole, share_of_limit, sparkline, waterfall
from desk.ui.drawings import price_parts

GREEN, AMBER = Decimal("0.05"), Decimal("0.20")


@pytest.mark.parametrize(
    ("stated", "checked", "deviation", "level"),
    [
        ("8600000", "8170000", "0.05", "good"),  # the tolerance itself is still in order
        ("8600000", "8169999.99", "0.05", "yellow"),
        ("8600000", "6880000", "0.20", "yellow"),
        ("8600000", "6622000", "0.23", "red"),  # the filed example of the tax table
        ("8600000", "9460000", "-0.10", "yellow"),
    ],
)
def test_a_deviation_has_its_level(stated: str, checked: str, deviation: str, level: str) -> None:
    bar = deviation_bar(Decimal(stated), Decimal(checked), GREEN, AMBER)
    assert bar is not None
    assert (round(bar.deviation, 2), bar.level) == (Decimal(deviation), level)


def test_the_bar_is_symmetric_about_what_was_stated_and_grows_with_the_deviation() -> None:
    near = deviation_bar(Decimal(100), Decimal(90), GREEN, AMBER)
    far = deviation_bar(Decimal(100), Decimal(10), GREEN, AMBER)
    assert near is not None
    assert far is not None
    assert near.stated == far.stated == 50
    assert near.amber.start + near.amber.width / 2 == pytest.approx(50)
    assert 0 < far.checked < 5, "a breach stays inside the drawing"
    assert far.green.width < near.green.width, "the scale has grown"
    assert far.gap.start == far.checked


def test_checked_above_stated_stands_to_the_right() -> None:
    bar = deviation_bar(Decimal(100), Decimal(110), GREEN, AMBER)
    assert bar is not None
    assert bar.checked > bar.stated
    assert bar.gap.start == bar.stated


@pytest.mark.parametrize("stated", [Decimal(0), Decimal(-1)])
def test_nothing_stated_has_no_bar(stated: Decimal) -> None:
    assert deviation_bar(stated, Decimal(5), GREEN, AMBER) is None


def test_a_waterfall_ends_at_the_total_and_its_bars_join() -> None:
    fall = waterfall(Decimal(600), [("a", Decimal(34)), ("b", Decimal(28)), ("c", Decimal(-12))])
    assert fall.total == 650
    first, second, third = fall.steps
    assert fall.base == 0 == first.bar.start
    assert second.bar.start == pytest.approx(first.bar.start + first.bar.width, abs=0.02)
    assert third.bar.start + third.bar.width == pytest.approx(second.bar.start + second.bar.width, abs=0.02)
    assert [step.adds for step in fall.steps] == [True, True, False]


def test_a_waterfall_of_nothing_stands_still() -> None:
    assert waterfall(Decimal(600), []).total == 600


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [
        ("80", "100", (80.0, 100.0, False)),
        ("100", "100", (100.0, 100.0, False)),
        ("125", "100", (100.0, 80.0, True)),
        ("5", "0", (100.0, 0.0, True)),
        ("0", "0", (0.0, 0.0, False)),
    ],
)
def test_a_limit_and_what_is_taken_of_it(used: str, limit: str, expected: tuple[float, float, bool]) -> None:
    part = share_of_limit(Decimal(used), Decimal(limit))
    assert (part.used, part.limit, part.over) == expected


def test_parts_fill_the_whole() -> None:
    bands = parts_of_whole([Decimal("3"), Decimal("0.9"), Decimal("-0.1")])
    assert bands[0].width == 75
    assert sum(band.width for band in bands) == pytest.approx(100)
    assert bands[2].start == pytest.approx(97.5)


def test_the_parts_of_a_price_say_what_they_add_and_take() -> None:
    parts = price_parts([("LPR", "0.03"), ("Product", "0.009"), ("Repeat customer", "-0.0015")])
    assert [part.text for part in parts] == ["3.00%", "+0.90%", "−0.15%"]
    assert parts[2].css == "part-takes"


def test_a_sparkline_runs_from_left_to_right() -> None:
    points = [tuple(map(float, point.split(","))) for point in sparkline([Decimal(1), Decimal(3), Decimal(2)]).split()]
    assert points == [(2.0, 18.0), (36.0, 2.0), (70.0, 10.0)]
    assert sparkline([Decimal(1)]) == ""
