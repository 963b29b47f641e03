"""Pre-screening of a cluster's members: a decision table (GoRules JDM, run by zen) from facts to outcome and amount.

A table takes the FACTS of one member and gives `outcome` (fit, refer or unfit), `amount` in yuan and `reasons`, a list
of `{"code", "value"}`. The shipped one is the bank's own judgement (grade K) and is meant to be replaced.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any

import zen

from branch.domain.money import MoneyError, Rounding, round_money


class Outcome(StrEnum):
    """Fit: may be offered the amount. Refer: a person looks first. Unfit: not now."""

    FIT = "fit"
    REFER = "refer"
    UNFIT = "unfit"


#: What a table may ask. Amounts in yuan a year but for the last two; None where it is not known. `trade_share` is
#: yearly trade with the anchor over yearly sales; `standing` what loans on file say of a customer: none, good, watch
#: or bad; `has_documents` whether orders or receivables were taken in, of which `financeable_amount` is worked out.
FACTS: Mapping[str, Any] = {
    "role": "supplier",
    "years_with_anchor": 3.0,
    "annual_trade": 1000000.0,
    "annual_sales": 4000000.0,
    "trade_share": 0.25,
    "employees": 10,
    "has_overdue": False,
    "is_duplicate": False,
    "standing": "none",
    "cluster_grade": "A",
    "has_documents": False,
    "financeable_amount": 0.0,
    "member_cap": 500000.0,
}
#: Programs in a table are not run: what decides stands in cells that can be read.
NODES = frozenset({"inputNode", "outputNode", "decisionTableNode", "expressionNode", "switchNode"})
MOST_CHARACTERS = 500_000
MOST_REASONS = 20


class TableError(ValueError):
    """The content is no decision table, or does not answer as one for members must."""


@dataclass(frozen=True)
class Answer:
    """`amount` in yuan, 0 unless fit. Reasons are codes with the value they rest on."""

    outcome: Outcome
    amount: Decimal
    reasons: tuple[dict[str, Any], ...]


class Table:
    """A decision table ready to be asked. Raises TableError for what is none."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        try:
            text = json.dumps(content, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TableError("not JSON") from error
        if len(text) > MOST_CHARACTERS:
            raise TableError("too large")
        nodes = content.get("nodes")
        kinds = {node.get("type") for node in nodes if isinstance(node, dict)} if isinstance(nodes, list) else set()
        if not kinds <= NODES:
            raise TableError(f"these nodes are not used: {', '.join(sorted(map(str, kinds - NODES)))}")
        try:
            self._decision = zen.ZenEngine().create_decision(text)
            self._decision.validate()
        except (RuntimeError, ValueError) as error:
            raise TableError(_first_line(error)) from error

    def ask(self, facts: Mapping[str, Any]) -> Answer:
        """What the table says of one member; no more than the cap per member. Raises TableError for no answer."""
        try:
            result = self._decision.evaluate(dict(facts))["result"]
        except (RuntimeError, ValueError) as error:
            raise TableError(_first_line(error)) from error
        if not isinstance(result, dict) or result.get("outcome") not in set(Outcome):
            raise TableError("outcome is none of fit, refer, unfit")
        outcome = Outcome(result["outcome"])
        amount = min(_amount(result.get("amount", 0)), _amount(facts["member_cap"]))
        return Answer(outcome, amount if outcome is Outcome.FIT else Decimal(0), _reasons(result.get("reasons", [])))


def check_table(content: Mapping[str, Any]) -> None:
    """Ask for the example and for a member nothing is known of. Raises TableError where either has no answer."""
    table = Table(content)
    table.ask(FACTS)
    unknown = dict.fromkeys(("years_with_anchor", "annual_trade", "annual_sales", "trade_share", "employees"), None)
    table.ask({**FACTS, **unknown})


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200]


def _amount(value: Any) -> Decimal:
    """Whole cents, downward: a table calculates in binary fractions. Raises TableError for no amount."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise TableError("amount is no number")
    try:
        amount = round_money(Decimal(str(value)), mode=Rounding.DOWN)
    except (ArithmeticError, MoneyError) as error:
        raise TableError("amount is no number") from error
    if not 0 <= amount < Decimal(10) ** 14:
        raise TableError("amount is out of range")
    return amount


def _reasons(found: Any) -> tuple[dict[str, Any], ...]:
    if not isinstance(found, list) or len(found) > MOST_REASONS:
        raise TableError("reasons are no short list")
    for reason in found:
        if not isinstance(reason, dict) or not isinstance(reason.get("code"), str) or not reason["code"]:
            raise TableError("a reason has no code")
    return tuple({"code": reason["code"][:40], "value": reason.get("value")} for reason in found)


# --- the table as shipped


def _row(number: int, tests: Mapping[str, str], code: str, weight: str, value: str) -> dict[str, str]:
    cells = {f"in_{field}": tests.get(field, "") for field in _ASKED}
    return {"_id": f"row{number}", **cells, "out_code": f"'{code}'", "out_weight": f"'{weight}'", "out_value": value}


_ASKED = (
    "has_overdue", "is_duplicate", "standing", "years_with_anchor", "annual_trade", "trade_share", "cluster_grade",
    "limit",
)  # fmt: skip
#: Tests (all of a row must hold) → reason, what it makes of the member, and the value told with it.
_RULES: tuple[tuple[Mapping[str, str], str, str, str], ...] = (
    ({"has_overdue": "true"}, "overdue", "unfit", "null"),
    ({"standing": "'bad'"}, "bad_standing", "unfit", "null"),
    ({"standing": "'watch'"}, "watch_standing", "refer", "null"),
    ({"is_duplicate": "true"}, "duplicate", "refer", "null"),
    ({"years_with_anchor": "null"}, "years_unknown", "refer", "null"),
    ({"years_with_anchor": "$ != null and $ < 1"}, "years_too_few", "unfit", "years_with_anchor"),
    ({"years_with_anchor": "$ != null and $ >= 1 and $ < 2"}, "years_few", "refer", "years_with_anchor"),
    ({"annual_trade": "null"}, "trade_unknown", "refer", "null"),
    ({"annual_trade": "$ != null and $ < 100000"}, "trade_too_small", "unfit", "annual_trade"),
    ({"trade_share": "$ != null and $ > 0.7 and $ <= 1"}, "depends_on_anchor", "refer", "trade_share"),
    ({"trade_share": "$ != null and $ > 1"}, "trade_above_sales", "refer", "trade_share"),
    ({"cluster_grade": "'D'"}, "cluster_grade", "refer", "cluster_grade"),
    ({"limit": "$ < 10000"}, "amount_too_small", "refer", "limit"),
)


def _node(name: str, kind: str, place: int, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
    node: dict[str, Any] = {"id": name, "type": kind, "name": name, "position": {"x": 260 * place, "y": 100}}
    return node | ({"content": dict(content)} if content is not None else {})


def _sums(**expressions: str) -> dict[str, Any]:
    rows = [{"id": key, "key": key, "value": value} for key, value in expressions.items()]
    return {"expressions": rows, "passThrough": True, "inputField": None, "outputPath": None, "executionMode": "single"}


SHIPPED: dict[str, Any] = {
    "nodes": [
        _node("request", "inputNode", 0),
        _node(
            "amount",
            "expressionNode",
            1,
            _sums(
                share="cluster_grade == 'A' ? 0.2 : cluster_grade == 'B' ? 0.15 : cluster_grade == 'C' ? 0.1 : 0",
                basis="has_documents ? financeable_amount : (annual_trade ?? 0) * $.share",
                limit="floor(min([$.basis, member_cap]) / 1000) * 1000",
            ),
        ),
        _node(
            "reasons",
            "decisionTableNode",
            2,
            {
                "hitPolicy": "collect",
                "passThrough": True,
                "inputField": None,
                "outputPath": "found",
                "executionMode": "single",
                "inputs": [{"id": f"in_{field}", "name": field, "field": field} for field in _ASKED],
                "outputs": [{"id": f"out_{name}", "name": name, "field": name} for name in ("code", "weight", "value")],
                "rules": [_row(number, *rule) for number, rule in enumerate(_RULES, start=1)],
            },
        ),
        _node(
            "outcome",
            "expressionNode",
            3,
            _sums(
                outcome="some(found, #.weight == 'unfit') ? 'unfit' : "
                "some(found, #.weight == 'refer') ? 'refer' : 'fit'",
                amount="$.outcome == 'fit' ? limit : 0",
                reasons="found",
            ),
        ),
        _node("response", "outputNode", 4),
    ],
    "edges": [
        {"id": f"edge{number}", "type": "edge", "sourceId": source, "targetId": target}
        for number, (source, target) in enumerate(
            (("request", "amount"), ("amount", "reasons"), ("reasons", "outcome"), ("outcome", "response")), start=1
        )
    ],
}
