"""Where the marks of small figures stand, in percent of their width: plain numbers for SVG attributes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

#: The deviation bar ends beyond the wider tolerance, so that a breach can be seen leaving the band.
DEVIATION_REACH = Decimal("1.35")


@dataclass(frozen=True)
class Band:
    start: float
    width: float


@dataclass(frozen=True)
class DeviationBar:
    """`stated` and `checked` are tick positions; `gap` lies between them. `level` is good, yellow or red."""

    deviation: Decimal
    stated: float
    checked: float
    gap: Band
    green: Band
    amber: Band
    level: str


@dataclass(frozen=True)
class Step:
    """One row of a waterfall: its bar and whether it adds."""

    label: str
    amount: Decimal
    bar: Band
    adds: bool


@dataclass(frozen=True)
class Waterfall:
    base: float
    steps: tuple[Step, ...]
    total: Decimal


@dataclass(frozen=True)
class Share:
    """A used part of a limit, in percent of the bar; `limit` is where the limit's tick stands."""

    used: float
    limit: float
    over: bool


def deviation_bar(stated: Decimal, checked: Decimal, green: Decimal, amber: Decimal) -> DeviationBar | None:
    """deviation = (stated − checked) / stated; None where nothing was stated.

    The scale is symmetric about the stated figure and grows with the deviation, so that no tick leaves it.
    """
    if stated <= 0:
        return None
    deviation = (stated - checked) / stated
    reach = max(amber * DEVIATION_REACH, abs(deviation) * Decimal("1.05"))

    def place(share: Decimal) -> float:
        """Position of a figure `share` below (above, when negative) the stated one."""
        return _percent((1 - share / reach) / 2)

    def band(tolerance: Decimal) -> Band:
        return Band(place(tolerance), round(place(-tolerance) - place(tolerance), 2))

    at, centre = place(deviation), place(Decimal(0))
    size = abs(deviation)
    level = "good" if size <= green else "yellow" if size <= amber else "red"
    gap = Band(min(at, centre), round(abs(at - centre), 2))
    return DeviationBar(deviation, centre, at, gap, band(green), band(amber), level)


def waterfall(base: Decimal, steps: Sequence[tuple[str, Decimal]]) -> Waterfall:
    """Bars that start where the last one ended, scaled to everything they cover."""
    edges = [base]
    for _label, amount in steps:
        edges.append(edges[-1] + amount)
    low, high = min(edges), max(edges)
    span = (high - low) or Decimal(1)

    def place(value: Decimal) -> float:
        return _percent((value - low) / span)

    rows = []
    for (label, amount), start, end in zip(steps, edges, edges[1:], strict=False):
        left, right = sorted((place(start), place(end)))
        rows.append(Step(label, amount, Band(left, round(max(right - left, 0.8), 2)), amount >= 0))
    return Waterfall(place(base), tuple(rows), edges[-1])


def share_of_limit(used: Decimal, limit: Decimal) -> Share:
    """How much of a limit is used; when it is exceeded the bar shrinks so that the limit's tick stays inside."""
    if limit <= 0:
        return Share(100.0 if used > 0 else 0.0, 0.0, used > 0)
    scale = max(used, limit)
    return Share(_percent(used / scale), _percent(limit / scale), used > limit)


def parts_of_whole(parts: Sequence[Decimal]) -> tuple[Band, ...]:
    """Adjoining bands of one bar, in the order given; negative parts count by size."""
    sizes = [abs(part) for part in parts]
    whole = sum(sizes, Decimal(0)) or Decimal(1)
    bands, at = [], Decimal(0)
    for size in sizes:
        bands.append(Band(_percent(at / whole), _percent(size / whole)))
        at += size
    return tuple(bands)


def sparkline(values: Sequence[Decimal], width: int = 72, height: int = 20) -> str:
    """The points of an SVG polyline, left to right, two pixels of air above and below."""
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or Decimal(1)
    step = Decimal(width - 4) / (len(values) - 1)
    points = []
    for index, value in enumerate(values):
        y = 2 + (high - value) / span * (height - 4)
        points.append(f"{2 + step * index:.1f},{y:.1f}")
    return " ".join(points)


def _percent(share: Decimal) -> float:
    return round(float(share) * 100, 2)
