"""What the page of a warning case shows of its customer: standing, lines, and how each indicator moved."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import F, Max, Sum

from branch.domain.calendar import add_months
from branch.domain.money import ZERO
from customers.models import Customer
from customers.queries.merges import files_of
from customers.queries.records import figures_of
from loans.models import Facility, Loan
from postloan.domain.indicators import MonthlySeries, Thresholds, evaluate
from postloan.domain.thresholds import Rule, parse_rule, shipped_rule
from postloan.models import LoanDay, Signal, ThresholdSet

LIVE = ("active", "called_in")
DAYS_SHOWN = 60
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class Standing:
    """A customer's debt today, in yuan."""

    outstanding_principal: Decimal
    undrawn_amount: Decimal
    days_past_due: int


@dataclass(frozen=True)
class Course:
    """How an indicator moved: its value by day or month, None where the figures don't allow one."""

    labels: list[str]
    values: list[Decimal | None]


def standing_of(customer: Customer) -> Standing:
    files = files_of(customer)
    loans = Loan.objects.filter(customer__in=files, state__in=LIVE)
    sums = loans.aggregate(owed=Sum("outstanding_principal"), days=Max("days_past_due"))
    lines = Facility.objects.filter(customer__in=files, state="effective")
    left = lines.aggregate(left=Sum(F("limit_amount") - F("drawn_amount")))["left"]
    return Standing(sums["owed"] or ZERO, left or ZERO, sums["days"] or 0)


def rule_of(signal: Signal) -> Rule:
    """The rule a signal rests on, by the version kept with it."""
    number = signal.threshold_version.rpartition(" v")[2]
    row = ThresholdSet.objects.filter(indicator=signal.indicator, number=int(number)).first() if number != "0" else None
    return parse_rule(signal.indicator, str(row), row.values) if row else shipped_rule(signal.indicator)


def course_of(signal: Signal, rule: Rule, until: date) -> Course:
    """The values behind a signal, up to `until`."""
    if signal.indicator == "overdue":
        return _days_past_due(signal.loan_id, until)
    return _electricity(signal.customer, rule, until)


def _days_past_due(loan_id: int, until: date) -> Course:
    rows = LoanDay.objects.filter(loan=loan_id, date__gt=until - timedelta(days=DAYS_SHOWN), date__lte=until)
    found = list(rows.order_by("date").values_list("date", "days_past_due"))
    return Course([day.isoformat() for day, _days in found], [Decimal(days) for _day, days in found])


def _electricity(customer: Customer, rule: Rule, until: date) -> Course:
    """Each month against the average before it, as the indicator itself works it out."""
    this_month = until.replace(day=1)
    span = rule.settings["months"]
    usage = electricity_by_month(customer, add_months(this_month, -(MONTHS_SHOWN + span)), this_month)
    months = [add_months(this_month, -back) for back in range(MONTHS_SHOWN, 0, -1)]
    shown = [month for month in months if month in usage]
    found = [_drop(MonthlySeries(usage, month, span), rule.thresholds) for month in shown]
    return Course([f"{month:%Y-%m}" for month in shown], found)


def _drop(series: MonthlySeries, thresholds: Thresholds) -> Decimal | None:
    return evaluate("electricity_down", series, thresholds).value


def electricity_by_month(customer: Customer, start: date, end: date) -> dict[date, Decimal]:
    """Use in kWh by month from `start` (in) to `end` (out); the meters of a customer are added up."""
    used: dict[date, Decimal] = defaultdict(Decimal)
    for row in figures_of(customer, "electricity_kwh", start, end):
        used[row.period_month] += row.value
    return dict(used)
