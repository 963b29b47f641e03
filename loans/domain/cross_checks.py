"""Cross-checks of what an owner says against what can't easily be faked. Every result carries its evidence.

Three tables (electricity, water, tax), the IPC equity test and the working-capital need. Sources: deviation
and due equity as Chinese micro-lenders trained by IPC use them; working-capital need by the annex of the
2010 interim measures for working-capital loans.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from branch.domain.money import round_money

RATE_PLACES = 4


class Verdict(StrEnum):
    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Largest deviation, either way, that is still green or amber: bank parameters by industry."""

    green: Decimal = Decimal("0.05")
    amber: Decimal = Decimal("0.20")

    def verdict(self, deviation: Decimal) -> Verdict:
        if abs(deviation) <= self.green:
            return Verdict.GREEN
        return Verdict.AMBER if abs(deviation) <= self.amber else Verdict.RED


DEFAULT_TOLERANCE = Tolerance()


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A stated figure against a checked one. `deviation` is a fraction with four places; it is None, and the
    verdict red, when the stated figure is zero but the checked one is not."""

    code: str
    formula: str
    inputs: Mapping[str, Decimal]
    stated: Decimal
    checked: Decimal
    deviation: Decimal | None
    verdict: Verdict


def deviation(stated: Decimal, checked: Decimal) -> Decimal | None:
    """(stated − checked) ÷ stated with four places: above zero when more was stated than can be found."""
    if stated == 0:
        return Decimal("0.0000") if checked == 0 else None
    return round_money((stated - checked) / stated, places=RATE_PLACES)


def check_table(
    code: str,
    *,
    stated_sales: Decimal,
    usage: Decimal,
    sales_per_unit: Decimal,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> CheckResult:
    """One of the three tables: `usage` (kWh, m³ or yuan of tax) times the sales one unit stands for.

    `sales_per_unit` comes from the firm's own history or its cluster's or industry's ratio.
    """
    implied = round_money(usage * sales_per_unit)
    inputs = {"stated_sales": stated_sales, "usage": usage, "sales_per_unit": sales_per_unit}
    return _result(code, "usage × sales_per_unit", inputs, stated_sales, implied, tolerance)


def check_equity(
    *,
    stated_equity: Decimal,
    opening_equity: Decimal,
    profit: Decimal,
    capital_in: Decimal,
    appreciation: Decimal,
    drawings: Decimal,
    depreciation: Decimal,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
) -> CheckResult:
    """IPC equity test: equity there should be against equity there is.

    Due equity above stated equity (a deviation below zero) points to hidden debt or hidden drawings.
    """
    due = opening_equity + profit + capital_in + appreciation - drawings - depreciation
    inputs = {
        "opening_equity": opening_equity,
        "profit": profit,
        "capital_in": capital_in,
        "appreciation": appreciation,
        "drawings": drawings,
        "depreciation": depreciation,
    }
    formula = "opening_equity + profit + capital_in + appreciation − drawings − depreciation"
    return _result("equity", formula, inputs, stated_equity, round_money(due), tolerance)


@dataclass(frozen=True, slots=True)
class TurnoverDays:
    """Days money is bound in, from average balances of a year of 360 days."""

    inventory: Decimal
    receivable: Decimal
    payable: Decimal
    prepaid: Decimal
    advance_receipt: Decimal

    def cycle(self) -> Decimal:
        return self.inventory + self.receivable - self.payable + self.prepaid - self.advance_receipt


@dataclass(frozen=True, slots=True)
class WorkingCapitalNeed:
    """What the business needs to turn over, and how much of it a new loan may fund (never below zero).

    `turnover_times` and both amounts are zero when suppliers and customers fund the whole cycle.
    """

    formula: str
    inputs: Mapping[str, Decimal]
    turnover_times: Decimal
    need: Decimal
    new_loan_limit: Decimal


def working_capital_need(
    *,
    last_year_sales: Decimal,
    sales_margin: Decimal,
    sales_growth: Decimal,
    days: TurnoverDays,
    own_funds: Decimal,
    existing_loans: Decimal,
    other_financing: Decimal,
) -> WorkingCapitalNeed:
    """need = sales × (1 − margin) × (1 + growth) ÷ turnover times; limit = need less what funds it already.

    Turnover times = 360 ÷ (inventory + receivable − payable + prepaid − advance-receipt days); margin and
    growth are fractions.
    """
    inputs = {
        "last_year_sales": last_year_sales,
        "sales_margin": sales_margin,
        "sales_growth": sales_growth,
        "cycle_days": days.cycle(),
        "own_funds": own_funds,
        "existing_loans": existing_loans,
        "other_financing": other_financing,
    }
    formula = "last_year_sales × (1 − sales_margin) × (1 + sales_growth) ÷ (360 ÷ cycle_days)"
    cycle = days.cycle()
    if cycle <= 0:
        zero = Decimal("0.00")
        return WorkingCapitalNeed(formula, inputs, zero, zero, zero)
    # One division at the end, so that the need does not inherit the rounding of the turnover times.
    need = round_money(last_year_sales * (1 - sales_margin) * (1 + sales_growth) * cycle / 360)
    limit = max(need - own_funds - existing_loans - other_financing, Decimal("0.00"))
    return WorkingCapitalNeed(formula, inputs, round_money(360 / cycle), need, round_money(limit))


def _result(
    code: str,
    formula: str,
    inputs: Mapping[str, Decimal],
    stated: Decimal,
    checked: Decimal,
    tolerance: Tolerance,
) -> CheckResult:
    part = deviation(stated, checked)
    verdict = Verdict.RED if part is None else tolerance.verdict(part)
    return CheckResult(code, formula, inputs, stated, checked, part, verdict)
