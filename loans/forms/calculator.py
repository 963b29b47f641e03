"""The calculator's form: terms, fees, how payments are taken, and what happens to the loan, row by row.

It travels in the address, so that a calculation can be kept, sent on and printed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.domain.calendar import MonthEnd
from branch.domain.refusals import InvalidInput
from branch.web.forms import DateField, MoneyField
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit
from loans.domain.servicing import EventType, PayoffInterest, Surplus
from loans.domain.terms import MOST_INSTALMENTS, Fee, FeeOn, RepaymentMethod
from loans.forms.plan import PlanField
from loans.models.product import DayCount as DayCountChoices
from loans.models.product import FrequencyUnit
from loans.models.product import MonthEnd as MonthEndChoices
from loans.models.product import RepaymentMethod as MethodChoices
from loans.queries.terms import plan_rows

#: More rows than this nobody types.
MOST_ROWS = 30
PERCENT = Decimal(100)

#: What a person may try, in the order of use, and the field each needs.
EVENT_WORDS: dict[EventType, Any] = {
    EventType.REPAYMENT: pgettext_lazy("event of a loan", "Repayment"),
    EventType.PAYOFF: pgettext_lazy("event of a loan", "Pay-off"),
    EventType.RATE_CHANGE: _("Change of rate"),
    EventType.EXTRA_INSTALMENTS: _("Added instalments"),
    EventType.PRINCIPAL_GRACE: _("Principal grace"),
    EventType.INTEREST_PAUSE: _("Interest pause"),
    EventType.DRAWDOWN: pgettext_lazy("event of a loan", "Drawdown"),
    EventType.FEE: pgettext_lazy("event of a loan", "Fee"),
    EventType.PENALTY: pgettext_lazy("event of a loan", "Penalty"),
}
EVENT_NEEDS: dict[EventType, str] = {
    EventType.REPAYMENT: "amount",
    EventType.RATE_CHANGE: "annual_rate",
    EventType.EXTRA_INSTALMENTS: "count",
    EventType.PRINCIPAL_GRACE: "count",
    EventType.INTEREST_PAUSE: "until",
    EventType.DRAWDOWN: "amount",
    EventType.FEE: "amount",
    EventType.PENALTY: "amount",
}
SURPLUS_WORDS: dict[Surplus, Any] = {
    Surplus.SHORTEN_TERM: _("Same instalment, shorter term"),
    Surplus.LOWER_INSTALMENT: _("Same term, lower instalment"),
    Surplus.NEXT_INSTALMENT: _("Next instalments first"),
    Surplus.LAST_INSTALMENT: _("Last instalments first"),
    Surplus.SPREAD_EVENLY: _("Spread evenly"),
    Surplus.HOLD: _("Held for the borrower"),
}
PAYOFF_WORDS: dict[PayoffInterest, Any] = {
    PayoffInterest.TO_DATE: _("To the day of payment"),
    PayoffInterest.TO_PERIOD_END: _("To the end of the period"),
}
ROUNDINGS = [(text, text) for text in ("0.01", "0.10", "1.00", "10.00", "100.00")]


class PercentField(forms.DecimalField):
    """A yearly rate typed in percent; its value is the fraction."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"max_digits": 10, "decimal_places": 6, "min_value": Decimal(0)}
        super().__init__(**(defaults | kwargs))
        self.widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def to_python(self, value: Any) -> Any:
        return super().to_python(value.strip().rstrip("%％").replace("，", "") if isinstance(value, str) else value)

    def clean(self, value: Any) -> Any:
        percent = super().clean(value)
        return None if percent is None else percent / PERCENT


def count_field(most: int = MOST_INSTALMENTS, least: int = 0, **kwargs: Any) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"inputmode": "numeric", "step": "1"})
    return forms.IntegerField(min_value=least, max_value=most, widget=widget, **kwargs)


def words_of(choices: type[Any], without: Sequence[str] = ()) -> list[tuple[str, Any]]:
    return [choice for choice in choices.choices if choice[0] not in without]


class CalculatorForm(forms.Form):
    principal = MoneyField(label=_("Amount"))
    annual_rate = PercentField(label=_("Annual rate, %"))
    start_date = DateField(label=_("Paid out on"))
    repayment_method = forms.ChoiceField(label=_("Repayment method"), choices=words_of(MethodChoices))
    plan = PlanField(
        label=_("Agreed plan"),
        required=False,
        help_text=_("One row per instalment: the day and the principal; interest falls due with it."),
    )
    instalments = count_field(least=1, label=_("Instalments"), required=False)
    frequency_every = count_field(least=1, label=_("Every"))
    frequency_unit = forms.ChoiceField(label=_("Unit"), choices=words_of(FrequencyUnit))
    day_count = forms.ChoiceField(label=_("Day count"), choices=words_of(DayCountChoices))
    first_due_date = DateField(
        label=_("First due on"), required=False, help_text=_("Empty: one period after the start.")
    )
    due_day = count_field(
        31, 1, label=_("Due day of the month"), required=False, help_text=_("Empty: that of the start.")
    )
    month_end = forms.ChoiceField(label=_("A due day the month lacks"), choices=words_of(MonthEndChoices))
    principal_grace = count_field(label=_("Instalments of interest only"), required=False)
    interest_grace = count_field(label=_("Instalments whose interest is put off"), required=False)
    interest_free = count_field(label=_("Instalments free of interest"), required=False)
    instalment_rounding = forms.ChoiceField(label=_("Instalments rounded to"), choices=ROUNDINGS)
    fee_start = MoneyField(label=_("Fee kept back at the start"), required=False, min_value=Decimal(0))
    fee_each = MoneyField(label=_("Fee with each instalment"), required=False, min_value=Decimal(0))
    surplus = forms.ChoiceField(
        label=_("Money beyond what is due"), choices=[(c.value, w) for c, w in SURPLUS_WORDS.items()]
    )
    payoff_interest = forms.ChoiceField(
        label=_("Interest of a pay-off"), choices=[(c.value, w) for c, w in PAYOFF_WORDS.items()]
    )
    is_punctual = forms.BooleanField(
        label=_("Instalments are paid on their days"),
        required=False,
        help_text=_("A repayment below then comes on top of them."),
    )
    grace_days = count_field(365, label=_("Days of grace"), required=False)
    as_of = DateField(label=_("Where the loan is on"), required=False, help_text=_("Empty: the day of the last event."))

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if given.get("repayment_method") != RepaymentMethod.AGREED_PLAN:
            given["plan"] = ()
            if given.get("instalments") is None and "instalments" not in self.errors:
                self.add_error("instalments", self.fields["instalments"].error_messages["required"])
        elif "plan" in given:
            try:
                given["plan"] = plan_rows(given["plan"])
            except (KeyError, ValueError, ArithmeticError):
                self.add_error("plan", _("A row is a day and an amount, such as 2026-06-30 50000.00."))
            else:
                given["instalments"] = len(given["plan"])
                if not given["plan"]:
                    self.add_error("plan", _("Say what is repaid on which day."))
        return given

    #: The form's fields behind the names the domain refuses by.
    BEHIND = {"frequency": "frequency_every", "fees": "fee_start"}

    def terms(self) -> dict[str, Any]:
        """What ScheduleTerms takes."""
        given = self.cleaned_data
        fees = ((given["fee_start"], FeeOn.START), (given["fee_each"], FeeOn.EACH))
        return {
            "principal": given["principal"],
            "annual_rate": given["annual_rate"],
            "start_date": given["start_date"],
            "repayment_method": RepaymentMethod(given["repayment_method"]),
            "day_count": DayCount(given["day_count"]),
            "instalments": given["instalments"],
            "frequency": Frequency(Unit(given["frequency_unit"]), given["frequency_every"]),
            "first_due_date": given["first_due_date"],
            "due_day": given["due_day"],
            "month_end": MonthEnd(given["month_end"]),
            "principal_grace": given["principal_grace"] or 0,
            "interest_grace": given["interest_grace"] or 0,
            "interest_free": given["interest_free"] or 0,
            "instalment_rounding": Decimal(given["instalment_rounding"]),
            "fees": tuple(Fee(amount, on) for amount, on in fees if amount),
            "plan": given["plan"],
        }

    def servicing(self) -> dict[str, Any]:
        """What Servicing takes."""
        given = self.cleaned_data
        return {
            "surplus": Surplus(given["surplus"]),
            "payoff_interest": PayoffInterest(given["payoff_interest"]),
            "grace_days": given["grace_days"] or 0,
        }

    @classmethod
    def starting_with(cls, today: date) -> dict[str, str]:
        """What stands in the form before anybody typed: a usual loan, from today."""
        return {
            "principal": "300,000.00",
            "annual_rate": "4.35",
            "start_date": today.isoformat(),
            "repayment_method": RepaymentMethod.EQUAL_INSTALMENT.value,
            "instalments": "12",
            "frequency_every": "1",
            "frequency_unit": Unit.MONTH.value,
            "day_count": DayCount.ACTUAL_360.value,
            "month_end": MonthEnd.CLAMP.value,
            "instalment_rounding": "0.01",
            "is_punctual": "on",
            "surplus": Surplus.SHORTEN_TERM.value,
            "payoff_interest": PayoffInterest.TO_DATE.value,
        }


class EventForm(forms.Form):
    """One thing that happens to the loan; `row` names the row while others come and go."""

    row = forms.CharField(widget=forms.HiddenInput)
    type = forms.ChoiceField(label=_("What happens"), choices=[(c.value, w) for c, w in EVENT_WORDS.items()])
    date = DateField(label=_("On"))
    amount = MoneyField(label=_("Amount"), required=False)
    annual_rate = PercentField(label=_("New annual rate, %"), required=False)
    count = count_field(least=1, label=_("Instalments"), required=False)
    until = DateField(label=_("Interest runs again from"), required=False)

    PREFIX = "event"

    def __init__(self, data: dict[str, str]) -> None:
        self.token = data["row"]
        values = {f"{self.PREFIX}-{name}": value for name, value in data.items()}
        super().__init__(values, prefix=self.PREFIX, auto_id=f"row-{self.token}-%s")

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        kind = given.get("type")
        needed = EVENT_NEEDS.get(EventType(kind), "") if kind else ""
        if needed and given.get(needed) is None and needed not in self.errors:
            self.add_error(needed, self.fields[needed].error_messages["required"])
        for name in {*EVENT_NEEDS.values()} - {needed}:
            self.errors.pop(name, None)  # not asked for, not shown
        return given

    def event(self) -> dict[str, Any]:
        """What an Event takes."""
        kind = EventType(self.cleaned_data["type"])
        values = {"type": kind, "date": self.cleaned_data["date"]}
        if needed := EVENT_NEEDS.get(kind):
            values[needed] = self.cleaned_data[needed]
        return values


_TOKEN = re.compile(r"[a-z0-9]{1,12}")


def new_row(**values: str) -> EventForm:
    """A row with nothing typed in it but these values; it complains of nothing yet."""
    form = EventForm(values | {"row": get_random_string(8, "abcdefghijklmnopqrstuvwxyz0123456789")})
    form.errors.clear()
    return form


def rows_of(query: QueryDict) -> list[EventForm]:
    """The rows in the order they stand on the page. Every row sends every field, so the lists run side by side."""
    names = list(EventForm.base_fields)
    lists = [query.getlist(f"{EventForm.PREFIX}-{name}")[:MOST_ROWS] for name in names]
    found = [dict(zip(names, values, strict=True)) for values in zip(*lists, strict=False)]
    return [EventForm(values) for values in found if _TOKEN.fullmatch(values["row"])]


def put_on_forms(refusal: InvalidInput, form: CalculatorForm, rows: Sequence[EventForm]) -> None:
    """Say what the domain refused beside the field it is about: `events.1.amount` in the second row."""
    for path, messages in refusal.fields.items():
        first, *rest = path.split(".")
        target: forms.Form = form
        row = f"{int(rest[0]) + 1}: " if first == "plan" and rest else ""
        name = form.BEHIND.get(first, first)
        if first == "events" and rest and rest[0].isdigit() and int(rest[0]) < len(rows):
            target, name = rows[int(rest[0])], rest[1] if len(rest) > 1 else "date"
        for message in messages:
            target.add_error(name if name in target.fields else None, f"{row}{message}")
