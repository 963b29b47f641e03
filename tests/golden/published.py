"""Cases other systems publish in their own tests and manuals, read from the JSON files beside this module.

A file names the repository and file its facts come from; a case has `name`, `source` (the test or section), `note`
(which convention of theirs it shows), `request` (a body of POST /api/v1/quotes/ or /api/v1/simulations/) and
`expected` (as much of the answer as is published: `rows` by number and how many there are in all, `row_count`;
`totals`, `as_of`, `apr_simple`, `apr_irr`).
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loans.api.calculator import (
    QuoteRequestSerializer,
    QuoteSerializer,
    SimulationRequestSerializer,
    SimulationSerializer,
)
from loans.queries import calculator

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


def answer_of(request: dict[str, Any]) -> dict[str, Any]:
    """What the API answers to the body: a simulation where it tells of events, else a quote. All values as text."""
    is_simulation = bool({"events", "as_of", "surplus"} & set(request))
    asked = (SimulationRequestSerializer if is_simulation else QuoteRequestSerializer)(data=request)
    asked.is_valid(raise_exception=True)
    if not isinstance(asked, SimulationRequestSerializer):
        return dict(QuoteSerializer(calculator.quote(asked.terms())).data)
    values = asked.validated_data
    found = calculator.simulate(asked.terms(), values.get("events", []), asked.servicing(), values.get("as_of"))
    return dict(SimulationSerializer(found).data)


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
