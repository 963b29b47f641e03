"""Every bank parameter: its type, default, unit and where the default comes from.

Grades of a default: S official text, W secondary source, K common knowledge of the trade.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Parameter:
    code: str
    kind: type
    default: Any
    meaning: str
    grade: str = "K"

    def parse(self, raw: Any) -> Any:
        """The typed value of what is stored or typed. Raises ValueError on anything else."""
        if self.kind is bool:
            if raw in (True, "true", "True"):
                return True
            if raw in (False, "false", "False"):
                return False
            raise ValueError(f"{self.code} takes true or false")
        if self.kind is Decimal:
            try:
                value = Decimal(str(raw))
            except ArithmeticError as error:
                raise ValueError(f"{self.code} takes a number") from error
            if not value.is_finite():
                raise ValueError(f"{self.code} takes a finite number")
            return value
        if self.kind is list:
            return [part.strip() for part in raw.split(",") if part.strip()] if isinstance(raw, str) else list(raw)
        try:
            return self.kind(raw)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.code} takes a value of type {self.kind.__name__}") from error

    def store(self, value: Any) -> Any:
        """What JSON can keep: decimals as text."""
        return str(value) if self.kind is Decimal else value


_ALL = (
    Parameter("mfa.required_roles", list, ["administrator"], "Roles that must sign in with a second factor"),
    Parameter("offer.validity_days", int, 90, "Days an offer stands after approval", "W"),
    Parameter("deviation.tolerance_green", Decimal, Decimal("0.05"), "Deviation of stated sales still in order"),
    Parameter("deviation.tolerance_amber", Decimal, Decimal("0.20"), "Deviation of stated sales to be explained"),
    Parameter("arrears.technical_delay_days", int, 0, "Days past due that may stay in class normal (at most 7)"),
    Parameter("penalty.overdue_uplift", Decimal, Decimal("0.50"), "Penalty rate over the contract rate when overdue", "S"),
    Parameter("inspection.first_within_days", int, 15, "Days after release until the first inspection is due", "W"),
    Parameter("case.clock_working_hours", int, 16, "Working hours a warning case may take"),
    Parameter("review.clock_working_hours", int, 8, "Working hours a review stage may take"),
    Parameter("investigation.clock_working_hours", int, 24, "Working hours an investigation may take"),
    Parameter("upload.limit_bytes", int, 10 * 1024 * 1024, "Largest file accepted"),
    Parameter("lpr.split_years", int, 1, "Terms up to this many years price off the 1Y LPR, longer ones off 5Y+"),
    Parameter("sweep.shards", int, 4, "Parts of the portfolio worked on side by side at night"),
    Parameter("sweep.lease_seconds", int, 60, "After how long a shard of a lost worker is taken up by another"),
    Parameter("payout.ask_after_seconds", int, 15, "After how long an unanswered payout is asked about"),
    Parameter("office.opens_hour", int, 9, "Hour at which working time begins"),
    Parameter("office.closes_hour", int, 17, "Hour at which working time ends"),
)

PARAMETERS: dict[str, Parameter] = {parameter.code: parameter for parameter in _ALL}
