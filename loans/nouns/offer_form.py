"""The form of a product version, in the sections a product manager thinks in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from branch.web.forms import ActionForm, MoneyField
from customers.models import Customer
from customers.queries.size_classes import SIZE_CLASSES
from loans.models import Product, ProductVersion
from loans.models.product import (
    AllocationSequence,
    DayCount,
    DueDayRule,
    GuaranteeMode,
    HolidayRoll,
    MonthEnd,
    PayoffInterest,
    RateKind,
    RepaymentMethod,
    Repricing,
    Surplus,
)
from loans.nouns.fields import KeyedNumbersField, LinesField
from loans.nouns.offer_fields import CapsField, FeesField, OrderField, PercentField
from loans.queries.terms_words import DUE_KINDS
from loans.services.version_offer import GRADES, usual_offer

FREQUENCIES = [
    ("day:1", _("every day")),
    ("week:1", _("every week")),
    ("week:2", _("every 2 weeks")),
    ("month:1", _("every month")),
    ("month:2", _("every 2 months")),
    ("month:3", _("every quarter")),
    ("month:6", _("every half-year")),
    ("month:12", _("every year")),
]
FEE_KINDS = [("percent", _("% of the amount")), ("fixed", _("yuan"))]
FEE_MOMENTS = [("start", _("kept back at the start")), ("each", _("with each instalment"))]
GRADE_CHOICES = [(grade, grade) for grade in GRADES]


def _many(label: Any, choices: Any, *, required: bool = False, **options: Any) -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label=label, choices=choices, required=required, widget=forms.CheckboxSelectMultiple, **options
    )


def _one(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, **({"required": False} | options))


def _count(label: Any, least: int = 0, **options: Any) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=least, required=False, **options)


class OfferForm(ActionForm):
    """What a version offers. A field that is not sent stays as it is; whether all fit together the service says."""

    customer_kinds = _many(_("Kinds of customer"), Customer.Kind.choices, help_text=_("None ticked: all of them."))
    size_classes = _many(_("Size classes"), list(SIZE_CLASSES.items()), help_text=_("None ticked: all of them."))
    risk_grades = _many(_("Risk grades"), GRADE_CHOICES, help_text=_("None ticked: all of them."))
    industries = LinesField(
        label=_("Industries"), required=False, help_text=_("One per line, or a part of its name. Empty: all of them.")
    )
    clusters = LinesField(
        label=_("Clusters"), required=False, help_text=_("Codes, one per line. Empty: members and others alike.")
    )
    min_amount = MoneyField(label=_("Smallest amount"))
    max_amount = MoneyField(label=_("Largest amount"))
    min_term_days = _count(_("Shortest term, days"), 1)
    max_term_days = forms.IntegerField(label=_("Longest term, days"), min_value=1)
    repayment_methods = _many(_("Repayment methods"), RepaymentMethod.choices, required=True)
    frequencies = _many(_("Instalments fall due"), FREQUENCIES, help_text=_("None ticked: at any distance."))
    day_count = forms.ChoiceField(label=_("Day count"), choices=DayCount.choices)
    due_day_rule = _one(_("Due day"), DueDayRule.choices)
    due_day = _count(_("Day of the month"), 1, max_value=31)
    month_end = _one(_("In a month without that day"), MonthEnd.choices)
    holiday_roll = _one(_("Due day on a day off"), HolidayRoll.choices)
    interest_follows_holiday = forms.BooleanField(label=_("The interest period moves with it"), required=False)
    instalment_rounding = MoneyField(label=_("Instalments rounded to"), required=False)
    max_principal_grace = _count(_("Instalments without principal, at most"))
    max_interest_grace = _count(_("Instalments with deferred interest, at most"))
    guarantee_modes = _many(_("Guarantees taken"), GuaranteeMode.choices, required=True)
    guarantee_caps = CapsField(label=_("Caps by guarantee"), choices=GuaranteeMode.choices)
    required_documents = LinesField(
        label=_("Documents required before release"), required=False, help_text=_("One per line.")
    )
    margin_bp = forms.IntegerField(label=_("Product margin, basis points"))
    grade_margins_bp = KeyedNumbersField(label=_("Margin by risk grade, basis points"), choices=GRADE_CHOICES)
    guarantee_discounts_bp = KeyedNumbersField(
        label=_("Discount by guarantee, basis points"), choices=GuaranteeMode.choices
    )
    repeat_discount_bp = forms.IntegerField(
        label=_("Discount from the second loan on, basis points"), min_value=0, initial=0
    )
    rate_floor = PercentField(label=_("Lowest rate"))
    rate_cap = PercentField(label=_("Highest rate"))
    rate_kind = _one(_("Fixed or floating"), RateKind.choices)
    repricing = _one(_("Priced anew"), [("", "—"), *Repricing.choices])
    repricing_months = _count(_("Months between two prices"), 1)
    fees = FeesField(label=_("Fees"), kinds=FEE_KINDS, moments=FEE_MOMENTS)
    offer_validity_days = _count(_("An offer stands, days"), 1)
    overdue_uplift = PercentField(
        label=_("On top of the contract rate when overdue"),
        required=False,
        max_digits=5,
        decimal_places=4,
        help_text=_("30% to 50%."),
    )
    misuse_uplift = PercentField(
        label=_("On top of the contract rate for misuse"),
        required=False,
        max_digits=5,
        decimal_places=4,
        help_text=_("50% to 100%; only the heavier of the two is charged."),
    )
    penalty_compounds = forms.BooleanField(label=_("Unpaid interest bears interest too"), required=False)
    grace_days = _count(_("Days after the due day without penalty"))
    allocation_order = OrderField(label=_("A repayment pays"), choices=DUE_KINDS.items())
    allocation_sequence = _one(_("and goes"), AllocationSequence.choices)
    prepayment_allowed = forms.BooleanField(label=_("Early repayment is allowed"), required=False, initial=True)
    surplus = _one(_("Money paid early"), Surplus.choices)
    payoff_interest = _one(_("A pay-off owes interest"), PayoffInterest.choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in _usual().items():
            field = self.fields[name]
            field.initial = value if field.initial is None else field.initial

    def values(self, only: set[str] | None = None) -> dict[str, Any]:
        """Cleaned values less those that were not sent at all."""
        omitted = {
            name
            for name, field in self.fields.items()
            if field.widget.value_omitted_from_data(self.data, self.files, self.add_prefix(name))
        }
        return {name: value for name, value in super().values(only).items() if name not in omitted}

    def sections(self) -> Iterator[tuple[Section, list[tuple[forms.BoundField, bool]]]]:
        """Every section with its fields; True where a field takes the whole width."""
        for section in SECTIONS:
            names = [name for name in section.fields if name in self.fields]
            yield section, [(self[name], name in WIDE) for name in names]


def _usual() -> dict[str, Any]:
    """What an empty form starts from: the model's defaults under the bank's parameters."""
    blank = ProductVersion()
    defaults = {name: getattr(blank, name) for name in OfferForm.base_fields}
    return {name: value for name, value in (defaults | dict(usual_offer())).items() if value not in (None, "")}


@dataclass(frozen=True)
class Section:
    code: str
    title: Any
    lead: Any
    fields: tuple[str, ...]


SECTIONS = (
    Section("audience", _("Who may have it"), _("Each criterion that fails is named on the file."), (
        "product_id", "customer_kinds", "size_classes", "risk_grades", "industries", "clusters",
    )),
    Section("band", _("Amount and term"), "", ("min_amount", "max_amount", "min_term_days", "max_term_days")),
    Section("repayment", _("Repayment"), _("How the plan is laid out; the example beside shows it."), (
        "repayment_methods", "frequencies", "day_count", "instalment_rounding", "due_day_rule", "due_day", "month_end",
        "holiday_roll", "interest_follows_holiday", "max_principal_grace", "max_interest_grace",
    )),
    Section("security", _("Guarantees and documents"), "", ("guarantee_modes", "guarantee_caps", "required_documents")),
    Section("price", _("Price"), _("The prime rate of the day, plus and less these, within lowest and highest rate."), (
        "margin_bp", "repeat_discount_bp", "grade_margins_bp", "guarantee_discounts_bp", "rate_floor", "rate_cap",
        "rate_kind", "repricing", "repricing_months", "offer_validity_days",
    )),
    Section("fees", _("Fees"), _("They count in the annualised cost of every quote."), ("fees",)),
    Section("late", _("Paid late"), "", ("overdue_uplift", "misuse_uplift", "grace_days", "penalty_compounds")),
    Section("early", _("Repayments and early repayment"), "", (
        "allocation_order", "allocation_sequence", "surplus", "payoff_interest", "prepayment_allowed",
    )),
)  # fmt: skip
WIDE = frozenset({
    "product_id", "customer_kinds", "size_classes", "risk_grades", "repayment_methods", "frequencies",
    "interest_follows_holiday", "guarantee_modes", "guarantee_caps", "required_documents", "grade_margins_bp",
    "guarantee_discounts_bp", "fees", "penalty_compounds", "allocation_order", "prepayment_allowed",
})  # fmt: skip


class DraftForm(OfferForm):
    product_id = forms.ModelChoiceField(queryset=Product.objects.order_by("code"), label=_("Product"))
    field_order = ("product_id",)


class ExampleForm(OfferForm):
    """An offer, and the loan to try it on; what is left empty is chosen from the offer."""

    product_id = forms.ModelChoiceField(queryset=Product.objects.all(), label=_("Product"), widget=forms.HiddenInput)
    example_amount = MoneyField(label=_("Amount"), required=False)
    example_instalments = forms.IntegerField(label=_("Instalments"), min_value=1, max_value=1200, required=False)
    example_frequency = forms.ChoiceField(label=_("Instalments fall due"), choices=FREQUENCIES, required=False)
    example_method = forms.ChoiceField(label=_("Repayment method"), choices=RepaymentMethod.choices, required=False)
    example_guarantee = forms.ChoiceField(label=_("Guarantee"), choices=GuaranteeMode.choices, required=False)
    example_grade = forms.ChoiceField(
        label=_("Risk grade"), choices=[("", _("not known")), *GRADE_CHOICES], required=False
    )
    example_repeats = forms.BooleanField(label=_("Has had a loan before"), required=False)


EXAMPLE_FIELDS = tuple(name for name in ExampleForm.base_fields if name.startswith("example_"))
