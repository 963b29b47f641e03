"""Thresholds of an indicator as they are stored and shipped: level limits and the indicator's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from postloan.domain.indicators import INDICATORS, Level, Thresholds


@dataclass(frozen=True, slots=True)
class Setting:
    """A whole number an indicator needs besides its limits."""

    default: int
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Rule:
    """The limits and settings of one indicator in force; `version` is kept with everything it finds."""

    indicator: str
    version: str
    thresholds: Thresholds
    settings: Mapping[str, int]


class ThresholdError(ValueError):
    """Values that are no thresholds of this indicator; `field` names the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


#: `months` make up the average; a latest month older than `fresh_months` says nothing any more.
SETTINGS: Mapping[str, Mapping[str, Setting]] = {
    "overdue": {},
    "electricity_down": {"months": Setting(6, 2, 24), "fresh_months": Setting(3, 1, 12)},
}
#: In force until the bank activates its own (grade K: no published figures).
SHIPPED: Mapping[str, Mapping[str, str]] = {
    "overdue": {"yellow": "1", "orange": "8", "red": "31"},
    "electricity_down": {"yellow": "0.15", "orange": "0.25", "red": "0.40"},
}


def shipped_rule(indicator: str) -> Rule:
    """The rule that came with the program, version 0."""
    return parse_rule(indicator, f"{indicator} v0", SHIPPED[indicator])


def parse_rule(indicator: str, version: str, values: Mapping[str, Any]) -> Rule:
    """Read stored or typed values. Raises KeyError for an unknown indicator, ThresholdError for bad values."""
    wanted = SETTINGS[INDICATORS[indicator].code]
    unknown = set(values) - set(Level) - set(wanted)
    if unknown:
        raise ThresholdError(sorted(unknown)[0], "unknown")
    limits = {level: _decimal(level, values[level]) for level in Level if values.get(level) not in (None, "")}
    try:
        thresholds = Thresholds(limits)
    except ValueError as error:
        raise ThresholdError("limits", str(error)) from error
    settings = {name: _whole(name, setting, values.get(name)) for name, setting in wanted.items()}
    return Rule(indicator, version, thresholds, settings)


def stored_values(rule: Rule) -> dict[str, str | int]:
    """What JSON keeps of a rule, in the order of the levels."""
    return {level.value: str(limit) for level, limit in rule.thresholds.limits.items()} | dict(rule.settings)


def _decimal(field: str, raw: Any) -> Decimal:
    try:
        value = Decimal(str(raw))
    except InvalidOperation as error:
        raise ThresholdError(field, "not a number") from error
    if not value.is_finite() or value <= 0 or value >= 10**12:
        raise ThresholdError(field, "not above zero")
    return value


def _whole(field: str, setting: Setting, raw: Any) -> int:
    if raw in (None, ""):
        return setting.default
    try:
        value = int(str(raw))
    except ValueError as error:
        raise ThresholdError(field, "not a whole number") from error
    if not setting.least <= value <= setting.most:
        raise ThresholdError(field, f"between {setting.least} and {setting.most}")
    return value
