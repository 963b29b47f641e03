"""How a cluster is judged: points for what is known of its anchor and members, weighed into a score and a grade.

The points are the bank's own judgement (grade K: common knowledge of the trade, no official text), its weights are
the bank parameters `cluster.weight_*`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum


class Standing(StrEnum):
    """What the anchor counts for in its trade."""

    LEADING = "leading"
    SOUND = "sound"
    ORDINARY = "ordinary"
    WEAK = "weak"


@dataclass(frozen=True)
class ClusterFacts:
    """`members_left` are those of the last twelve months, `defaulted_members` of all time."""

    anchor_standing: str
    anchor_years: int
    members_count: int
    members_left: int
    defaulted_members: int
    years_running: int

    @property
    def churn(self) -> Decimal:
        """Of all who were there a year ago or came since, the share that left."""
        everybody = self.members_count + self.members_left
        return Decimal(self.members_left) / everybody if everybody else Decimal(0)

    @property
    def default_share(self) -> Decimal:
        return Decimal(self.defaulted_members) / self.members_count if self.members_count else Decimal(0)


#: Points out of 100. "At least" tables give the points of the first limit the value reaches, "at most" tables those
#: of the first limit it does not exceed; below or above all of them there are the points named LEAST.
STANDING_POINTS = {Standing.LEADING: 100, Standing.SOUND: 80, Standing.ORDINARY: 50, Standing.WEAK: 10}
ANCHOR_YEARS = ((10, 100), (5, 80), (3, 60), (1, 30))
MEMBERS = ((100, 100), (50, 80), (20, 60), (10, 40))
YEARS_RUNNING = ((5, 100), (3, 80), (1, 50))
CHURN = ((Decimal("0.05"), 100), (Decimal("0.10"), 80), (Decimal("0.20"), 50), (Decimal("0.30"), 20))
DEFAULTS = ((Decimal(0), 100), (Decimal("0.01"), 80), (Decimal("0.03"), 50), (Decimal("0.05"), 20))
LEAST = {"anchor_years": 0, "members": 20, "years_running": 20, "churn": 0, "defaults": 0}
#: Score from which a grade is given; below the last it is D.
GRADES = ((80, "A"), (65, "B"), (50, "C"))
CRITERIA = ("anchor_standing", "anchor_years", "members", "churn", "defaults", "years_running")


@dataclass(frozen=True)
class Line:
    """One criterion: its points out of 100 and what it weighs."""

    criterion: str
    points: int
    weight: int


@dataclass(frozen=True)
class Score:
    """`total` is the weighted mean of the points, a whole number from 0 to 100."""

    lines: tuple[Line, ...]
    total: int
    grade: str


def score_cluster(facts: ClusterFacts, weights: Mapping[str, int]) -> Score:
    """Weights by criterion; they need not make 100. Raises ValueError where all are zero."""
    points = {
        "anchor_standing": STANDING_POINTS[Standing(facts.anchor_standing)],
        "anchor_years": _at_least(facts.anchor_years, ANCHOR_YEARS, LEAST["anchor_years"]),
        "members": _at_least(facts.members_count, MEMBERS, LEAST["members"]),
        "churn": _at_most(facts.churn, CHURN, LEAST["churn"]),
        "defaults": _at_most(facts.default_share, DEFAULTS, LEAST["defaults"]),
        "years_running": _at_least(facts.years_running, YEARS_RUNNING, LEAST["years_running"]),
    }
    lines = tuple(Line(name, points[name], weights[name]) for name in CRITERIA)
    weight = sum(line.weight for line in lines)
    if weight <= 0:
        raise ValueError("no criterion has a weight")
    mean = Decimal(sum(line.points * line.weight for line in lines)) / weight
    total = int(mean.quantize(Decimal(1), ROUND_HALF_UP))
    grade = next((grade for limit, grade in GRADES if total >= limit), "D")
    return Score(lines, total, grade)


def _at_least(value: int, table: tuple[tuple[int, int], ...], least: int) -> int:
    return next((points for limit, points in table if value >= limit), least)


def _at_most(value: Decimal, table: tuple[tuple[Decimal, int], ...], least: int) -> int:
    return next((points for limit, points in table if value <= limit), least)
