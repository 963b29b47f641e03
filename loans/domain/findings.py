"""What follows from the facts two investigators observed: three grades, three tables, one risk grade.

The policy (points, weights, letters, tolerance) is passed in and comes back with the findings, so that they
can be replayed under the rules of their day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from loans.domain.cross_checks import CheckResult, Tolerance, Verdict, check_table
from loans.domain.grades import Criterion, Grade, GradeReport, Letter, score_grades

#: The facts behind each grade; each is answered 0 (not met), 1 (partly) or 2 (fully) and weighs the same.
GRADED_FACTS: Mapping[str, Grade] = {
    "repays_on_time": Grade.CHARACTER,
    "known_in_trade": Grade.CHARACTER,
    "family_stable": Grade.CHARACTER,
    "product_sells": Grade.PRODUCT,
    "margin_holds": Grade.PRODUCT,
    "buyers_spread": Grade.PRODUCT,
    "title_clear": Grade.COLLATERAL,
    "assets_cover": Grade.COLLATERAL,
    "assets_sellable": Grade.COLLATERAL,
}
#: Table → the fact that tells the year's use, and the one that tells what sales a unit stands for.
TABLES: Mapping[str, tuple[str, str]] = {
    "electricity": ("electricity_kwh", "sales_per_kwh"),
    "water": ("water_m3", "sales_per_m3"),
    "tax": ("taxed_sales", ""),
}
TABLE_FACTS = tuple(fact for pair in TABLES.values() for fact in pair if fact)


@dataclass(frozen=True, slots=True)
class FindingPolicy:
    """Bank parameters. `partly_points` is what "partly" earns of 100."""

    partly_points: Decimal
    grade_weights: Mapping[Grade, Decimal]
    letters: tuple[Letter, ...]
    tolerance: Tolerance


@dataclass(frozen=True, slots=True)
class Findings:
    """`risk_grade` is the overall letter, and empty until every graded fact was observed."""

    grades: GradeReport
    tables: tuple[CheckResult, ...]
    risk_grade: str

    @property
    def to_explain(self) -> tuple[str, ...]:
        """Tables whose deviation is beyond the green tolerance."""
        return tuple(table.code for table in self.tables if table.verdict is not Verdict.GREEN)


def find(
    ratings: Mapping[str, int], usage: Mapping[str, Decimal], stated_sales: Decimal | None, policy: FindingPolicy
) -> Findings:
    """Findings from the facts there are; a table without its facts, or without stated sales, is left out."""
    points = {"0": Decimal(0), "1": policy.partly_points, "2": Decimal(100)}
    criteria = [Criterion(code, grade, Decimal(1), points) for code, grade in GRADED_FACTS.items()]
    answers = {code: str(rating) for code, rating in ratings.items()}
    grades = score_grades(answers, criteria, grade_weights=policy.grade_weights, letters=policy.letters)
    tables = _tables(usage, stated_sales, policy.tolerance) if stated_sales is not None else ()
    return Findings(grades, tables, "" if grades.missing else grades.overall.letter)


def _tables(usage: Mapping[str, Decimal], stated_sales: Decimal, tolerance: Tolerance) -> tuple[CheckResult, ...]:
    results = []
    for code, (use, ratio) in TABLES.items():
        # Sales declared for tax are sales already: one yuan stands for one yuan.
        per_unit = usage.get(ratio) if ratio else Decimal(1)
        if use in usage and per_unit is not None:
            results.append(
                check_table(
                    code, stated_sales=stated_sales, usage=usage[use], sales_per_unit=per_unit, tolerance=tolerance
                )
            )
    return tuple(results)
