"""Cases other systems publish in their own tests and manuals, read from the JSON files beside this module.

A file names the repository and file its facts come from; a case has `name`, `source` (the test or section), `note`
(which convention of theirs it shows), `request` (a body of POST /api/v1/quotes/ or /api/v1/simulations/) and
`expected` (as much of the answer as is published: `rows` by number and how many there are in all, `row_count`;
`totals`, `as_of`, `apr_simple`, `apr_irr`).
"""

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from branch.domain.calendar import MonthEnd
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit
from loans.domain.schedule import Fee, FeeOn, RepaymentMethod, ScheduleTerms

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Published:
    """One published case; `key` is file/name and stands in the list of disagreements."""

    key: str
    source: str
    note: str
    request: dict[str, Any]
    expected: dict[str, Any]

    @property
    def is_whole(self) -> bool:
        """Whether every row is published, not only some."""
        return self.expected.get("row_count") == len(self.rows)

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self.expected.get("rows", ()))


def published(kind: str) -> list[Published]:
    """All cases of `schedules` or `servicing`, in file order."""
    return [
        Published(f"{path.stem}/{case['name']}", case["source"], case["note"], case["request"], case["expected"])
        for path in sorted((HERE / kind).glob("*.json"))
        for case in json.loads(path.read_text())["cases"]
    ]


def terms_of(request: dict[str, Any]) -> ScheduleTerms:
    """The terms a request body asks for."""
    first_due = request.get("first_due_date")
    return ScheduleTerms(
        principal=Decimal(request["principal"]),
        annual_rate=Decimal(request["annual_rate"]),
        start_date=date.fromisoformat(request["start_date"]),
        repayment_method=RepaymentMethod(request["repayment_method"]),
        day_count=DayCount(request["day_count"]),
        instalments=request["instalments"],
        frequency=Frequency(Unit(request["frequency"]["unit"]), request["frequency"]["every"]),
        first_due_date=date.fromisoformat(first_due) if first_due else None,
        month_end=MonthEnd(request["month_end"]),
        principal_grace=request.get("principal_grace", 0),
        interest_free=request.get("interest_free", 0),
        interest_grace=request.get("interest_grace", 0),
        instalment_rounding=Decimal(request.get("instalment_rounding", "0.01")),
        fees=tuple(Fee(Decimal(fee["amount"]), FeeOn(fee["on"])) for fee in request.get("fees", ())),
    )


def differences(expected: dict[str, Any], answer: dict[str, Any]) -> list[str]:
    """What of `expected` the answer says otherwise, as lines of theirs and ours; what they do not publish is free."""
    found = []
    if expected.get("row_count", len(answer["rows"])) != len(answer["rows"]):
        found.append(f"rows: theirs {expected['row_count']}, ours {len(answer['rows'])}")
    by_number = {row["number"]: row for row in answer["rows"]}
    for theirs in expected.get("rows", ()):
        found += _unlike(f"row {theirs['number']} ", theirs, by_number.get(theirs["number"], {}))
    for part in ("totals", "as_of"):
        found += _unlike(f"{part} ", expected.get(part, {}), answer.get(part, {}))
    found += _unlike("", {key: expected[key] for key in ("apr_simple", "apr_irr") if key in expected}, answer)
    return found


def _unlike(where: str, theirs: dict[str, Any], ours: dict[str, Any]) -> list[str]:
    return [
        f"{where}{key}: theirs {value}, ours {ours.get(key)}" for key, value in theirs.items() if ours.get(key) != value
    ]
