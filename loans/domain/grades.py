"""The three grades (character, product, collateral): points for observed facts, by weights passed in.

Nobody types a score: a fact that was not observed earns nothing and is listed as missing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from branch.domain.money import round_money


class Grade(StrEnum):
    CHARACTER = "character"
    PRODUCT = "product"
    COLLATERAL = "collateral"


@dataclass(frozen=True, slots=True)
class Band:
    """Points (0–100) for a number of at least `lower`."""

    lower: Decimal
    points: Decimal


@dataclass(frozen=True, slots=True)
class Criterion:
    """One observed fact and what it is worth.

    An answer from a list earns its `points` entry; a number earns those of the highest band it reaches.
    """

    code: str
    grade: Grade
    weight: Decimal
    points: Mapping[str, Decimal] | None = None
    bands: tuple[Band, ...] = ()

    def score(self, fact: str | Decimal | int) -> Decimal:
        """Points of an observed fact. Raises ValueError for an answer that is not on the list."""
        if self.points is not None:
            if fact not in self.points:
                raise ValueError(f"{self.code}: {fact!r} is not one of the answers")
            return self.points[str(fact)]
        value = Decimal(fact)
        reached = [band for band in self.bands if band.lower <= value]
        return max(reached, key=lambda band: band.lower).points if reached else Decimal(0)


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter for scores of at least `lower`."""

    lower: Decimal
    letter: str


# Bank parameter with this default, not from a published source.
DEFAULT_LETTERS = (
    Letter(Decimal(80), "A"),
    Letter(Decimal(65), "B"),
    Letter(Decimal(50), "C"),
    Letter(Decimal(0), "D"),
)


@dataclass(frozen=True, slots=True)
class FactScore:
    """What one fact contributed; `points` is None when it was not observed."""

    code: str
    grade: Grade
    fact: str | Decimal | int | None
    points: Decimal | None
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Scored:
    """A score of 0–100 with two places and its letter."""

    score: Decimal
    letter: str


@dataclass(frozen=True, slots=True)
class GradeReport:
    """Each grade and the whole, with every fact behind them and the codes of facts not observed."""

    formula: str
    grades: Mapping[Grade, Scored]
    overall: Scored
    facts: tuple[FactScore, ...]
    missing: tuple[str, ...]


def score_grades(
    facts: Mapping[str, str | Decimal | int],
    criteria: Sequence[Criterion],
    *,
    grade_weights: Mapping[Grade, Decimal],
    letters: Sequence[Letter] = DEFAULT_LETTERS,
) -> GradeReport:
    """Weighted points per grade, and over the grades. Raises ValueError where weights sum to zero."""
    scored = tuple(_score_fact(criterion, facts.get(criterion.code)) for criterion in criteria)
    scores = {grade: _weighted([part for part in scored if part.grade is grade]) for grade in grade_weights}
    weight = sum(grade_weights.values(), Decimal(0))
    if weight <= 0:
        raise ValueError("grade weights sum to zero")
    overall = sum((scores[grade] * part for grade, part in grade_weights.items()), Decimal(0)) / weight
    return GradeReport(
        formula="Σ points × weight ÷ Σ weight",
        grades={grade: _lettered(score, letters) for grade, score in scores.items()},
        overall=_lettered(overall, letters),
        facts=scored,
        missing=tuple(part.code for part in scored if part.points is None),
    )


def _score_fact(criterion: Criterion, fact: str | Decimal | int | None) -> FactScore:
    points = None if fact is None else criterion.score(fact)
    return FactScore(criterion.code, criterion.grade, fact, points, criterion.weight)


def _weighted(parts: Sequence[FactScore]) -> Decimal:
    weight = sum((part.weight for part in parts), Decimal(0))
    if weight <= 0:
        raise ValueError("a grade has no criterion with a weight")
    return sum(((part.points or Decimal(0)) * part.weight for part in parts), Decimal(0)) / weight


def _lettered(score: Decimal, letters: Sequence[Letter]) -> Scored:
    rounded = round_money(score)
    reached = [entry for entry in letters if entry.lower <= rounded]
    if not reached:
        raise ValueError(f"no letter for a score of {rounded}")
    return Scored(rounded, max(reached, key=lambda entry: entry.lower).letter)
