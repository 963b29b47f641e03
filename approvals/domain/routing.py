"""Which stages a file goes through, and whether an authority covers a decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

#: Risk grades from best to worst.
GRADES = ("A", "B", "C", "D")


@dataclass(frozen=True)
class StagePlan:
    """One stage of a route: its kind and the role that does it."""

    kind: str
    role: str


#: Every file is looked at by a risk reviewer before an approver decides.
STANDARD_ROUTE = (StagePlan("opinion", "risk_reviewer"), StagePlan("decision", "approver"))


@dataclass(frozen=True)
class AuthorityLine:
    """Up to `limit` yuan for a product family and guarantee (empty: any), down to `worst_grade` (empty: any)."""

    family: str
    guarantee_mode: str
    worst_grade: str
    limit: Decimal


def covers(line: AuthorityLine, *, family: str, guarantee_mode: str, grade: str) -> bool:
    """Whether the line speaks of this kind of file. An ungraded file is only covered by a line for any grade."""
    if line.family not in ("", family) or line.guarantee_mode not in ("", guarantee_mode):
        return False
    if not line.worst_grade:
        return True
    return grade in GRADES and GRADES.index(grade) <= GRADES.index(line.worst_grade)


def limit_for(lines: Iterable[AuthorityLine], *, family: str, guarantee_mode: str, grade: str) -> Decimal:
    """The highest amount these lines allow for such a file; zero where none covers it."""
    allowed = (line.limit for line in lines if covers(line, family=family, guarantee_mode=guarantee_mode, grade=grade))
    return max(allowed, default=Decimal(0))
