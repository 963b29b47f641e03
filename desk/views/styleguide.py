"""Every component in every state, on one page; served in demo and test mode only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import django_tables2 as tables
from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from approvals.domain.machines import STAGE
from branch.web.forms import DateField, MoneyField
from branch.web.tables import DateColumn, LevelColumn, MoneyColumn, NounTable, RateColumn, StateColumn
from branch.web.timeline import Entry
from desk.domain.clocks import Clock
from desk.labels import LEVELS
from loans.domain.machines import APPLICATION, DRAWDOWN, LOAN

MACHINES = (APPLICATION, STAGE, DRAWDOWN, LOAN)


@dataclass
class Row:
    """A row as a list shows it, without a table behind it."""

    MACHINE = APPLICATION
    number: str
    customer: str
    amount: Decimal
    rate: Decimal
    level: str
    state: str
    on: date


class GuideTable(NounTable):
    number = tables.Column(linkify=lambda record: "#")
    customer = tables.Column()
    amount = MoneyColumn(footer=lambda table: f"{sum(row.amount for row in table.data):,.2f}")
    rate = RateColumn()
    level = LevelColumn()
    state = StateColumn()
    on = DateColumn()


class GuideForm(forms.Form):
    """One field of each kind, so that labels, help and errors can be seen."""

    customer = forms.CharField(help_text="As it stands in the business licence.")
    amount = MoneyField()
    term = forms.ChoiceField(choices=[("12", "12 months"), ("24", "24 months"), ("36", "36 months")])
    method = forms.ChoiceField(
        choices=[("equal", "Equal instalments"), ("principal", "Equal principal"), ("end", "All at maturity")],
        widget=forms.RadioSelect,
    )
    due = DateField()
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agreed = forms.BooleanField(required=False, label="The borrower agrees to be asked about")
    document = forms.FileField(required=False)


@login_required
def styleguide(request: HttpRequest) -> HttpResponse:
    return render(request, "desk/styleguide.html", _context())


def _context() -> dict[str, Any]:
    table = GuideTable(ROWS)
    table.paginate(page=1, per_page=25)
    return {
        "machines": [(machine.name, machine.states) for machine in MACHINES],
        "levels": list(LEVELS),
        "clocks": [Clock(960, 380), Clock(480, 440), Clock(480, 1100), Clock(1440 * 3, 300)],
        "table": table,
        "form": GuideForm(),
        "wrong_form": GuideForm({"amount": "1,2o0.00", "term": "12"}),
        "entries": _entries(timezone.now()),
        "facts": FACTS,
        "stated": Decimal("9600000"),
        "green": Decimal("0.05"),
        "amber": Decimal("0.20"),
        "checked": CHECKED,
        "steps": STEPS,
        "price": PRICE,
        "trend": [12, 13, 12.5, 15, 14, 17, 19, 18, 21],
        "line_chart": LINE_CHART,
        "bar_chart": BAR_CHART,
        "offers": OFFERS,
        "segments": [("Month", "#", False), ("Quarter", "#", True), ("Year", "#", False)],
    }


def _entries(now: datetime) -> list[Entry]:
    signatures = [("state", "signed by owner", "signed by both"), ("electricity, kWh a year", "", "413,400")]
    opinion = "建议附条件同意 800,000.00，以回款归集控制。"
    return [
        Entry(now, "孙", "", "gave an opinion", "", [("state", "claimed", "done")], opinion, False),
        Entry(now - timedelta(minutes=37), "System", "", "scored 684, rule v3.2", "", [], "", True),
        Entry(now - timedelta(days=1), "赵", "", "signed second", "", signatures, "", False),
        Entry(
            now - timedelta(days=4), "林", "", "submitted", "", [("state", "draft", "submitted")], "老客户第三笔", False
        ),
    ]


def _row(number: str, customer: str, amount: str, rate: str, level: str, state: str, day: int) -> Row:
    return Row(number, customer, Decimal(amount), Decimal(rate), level, state, date(2026, 3, day))


ROWS = [
    _row("XW-2026-004182", "梅林五金制品有限公司", "800000", "0.0435", "orange", "in_review", 13),
    _row("XW-2026-004177", "Yongfeng Stamping Co.", "1250000", "0.0395", "red", "returned", 12),
    _row("XW-2026-004169", "河东汽配店", "60000.5", "0.052", "blue", "approved", 11),
    _row("XW-2026-004101", "兴隆建材经营部", "300000", "0.045", "yellow", "draft", 2),
]
FACTS = [
    ("USCC", "91330212MA7K4T2CXN"),
    ("Established", date(2016, 4, 18)),
    ("Employees", 38),
    ("Last year's sales", Decimal("6622000")),
    ("Inclusive scope", True),
    ("Address", None),
]
CHECKED = [
    ("VAT invoices", Decimal("9182300")),
    ("Electricity", Decimal("8309340")),
    ("Account inflow", Decimal("7391480")),
    ("Water", Decimal("9950000")),
]
STEPS = [
    ("Two loans repaid on time", 34),
    ("Tax paid for 24 months", 28),
    ("Collateral cover 1.10", 40),
    ("Largest buyer 46%", -12),
    ("Electricity deviates", -6),
]
PRICE = [
    ("LPR", Decimal("0.03")),
    ("Product", Decimal("0.009")),
    ("Grade", Decimal("0.006")),
    ("Repeat customer", Decimal("-0.0015")),
]
LINE_CHART = {
    "kind": "line",
    "unit": "%",
    "x": [f"2025-{month:02d}" for month in range(4, 13)],
    "series": [{"name": "Invoiced sales", "data": [2, 5, 1, 0, -6, -9, -15, -22, -27.4]}],
    "bands": [{"from": -10, "to": -20, "level": "yellow"}, {"from": -20, "to": -35, "level": "orange"}],
}
BAR_CHART = {
    "kind": "bar",
    "x": ["Leads", "Applied", "Approved", "Booked"],
    "series": [{"name": "Files", "data": [412, 148, 104, 92]}],
}
OFFERS = [
    {"name": "approve", "label": "Approve 800,000.00", "url": "#", "tone": "primary"},
    {"name": "return", "label": "Return", "url": "#", "tone": "plain"},
    {"name": "decline", "label": "Decline", "url": "#", "tone": "danger"},
]
