"""What a product version offers, in words, and in what it differs from another."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from branch.words import listed
from customers.models import Customer
from customers.queries.size_classes import SIZE_CLASSES
from loans.domain.product_terms import ProductFee
from loans.models import ProductVersion
from loans.models.product import (
    AllocationSequence,
    DueDayRule,
    GuaranteeMode,
    MonthEnd,
    PayoffInterest,
    RateKind,
    RepaymentMethod,
    Surplus,
)
from loans.nouns.offer_form import FREQUENCIES, SECTIONS
from loans.queries.terms_words import as_percent, fees_word, holiday_word, late_facts, order_word

Fact = tuple[str, str]
EVERYBODY = gettext_lazy("all")


def offer_facts(version: ProductVersion) -> list[tuple[str, Any, list[Fact]]]:
    """What a version offers, section by section: (code, title, label and value pairs)."""
    facts = {
        "audience": _audience(version),
        "band": _band(version),
        "repayment": _repayment(version),
        "security": _security(version),
        "price": _price(version),
        "fees": [(_("Fees"), fees_word(fee_list(version)) or _("none"))],
        "late": late_facts(
            version.overdue_uplift, version.misuse_uplift, version.penalty_compounds, version.grace_days
        ),
        "early": _early(version),
    }
    return [
        (section.code, section.title, [(str(label), str(value) or "—") for label, value in facts[section.code]])
        for section in SECTIONS
    ]


def changes(version: ProductVersion, former: ProductVersion | None) -> list[tuple[str, str, str]]:
    """(label, before, now) of everything in which a version differs from another."""
    if former is None:
        return []
    before = {(code, label): value for code, _title, facts in offer_facts(former) for label, value in facts}
    return [
        (label, before.get((code, label), "—"), value)
        for code, _title, facts in offer_facts(version)
        for label, value in facts
        if before.get((code, label)) != value
    ]


def fee_list(version: ProductVersion) -> tuple[ProductFee, ...]:
    return tuple(ProductFee.from_json(fee) for fee in version.fees)


def _many(codes: list[str], words: Mapping[str, Any]) -> str:
    return listed(str(words.get(code, code)) for code in codes)


def _pairs(values: Mapping[str, int], words: Mapping[str, Any], sign: str) -> str:
    return listed(f"{words.get(key, key)} {sign}{value}" for key, value in values.items())


# --- sections -----------------------------------------------------------------------------------------------------


def _audience(version: ProductVersion) -> list[tuple[Any, Any]]:
    everybody = str(EVERYBODY)
    return [
        (_("Kinds of customer"), _many(version.customer_kinds, dict(Customer.Kind.choices)) or everybody),
        (_("Size classes"), _many(version.size_classes, SIZE_CLASSES) or everybody),
        (_("Risk grades"), listed(version.risk_grades) or everybody),
        (_("Industries"), listed(version.industries) or everybody),
        (_("Clusters"), listed(version.clusters) or everybody),
    ]


def _band(version: ProductVersion) -> list[tuple[Any, Any]]:
    return [
        (_("Amount"), f"{version.min_amount:,.2f} – {version.max_amount:,.2f}"),
        (_("Term, days"), f"{version.min_term_days:,} – {version.max_term_days:,}"),
    ]


def _repayment(version: ProductVersion) -> list[tuple[Any, Any]]:
    rule = DueDayRule(version.due_day_rule)
    due_day = f"{rule.label} ({version.due_day})" if version.due_day else str(rule.label)
    return [
        (_("Repayment methods"), _many(version.repayment_methods, dict(RepaymentMethod.choices))),
        (_("Instalments fall due"), _many(version.frequencies, dict(FREQUENCIES)) or _("at any distance")),
        (_("Day count"), version.get_day_count_display()),
        (_("Instalments rounded to"), f"{version.instalment_rounding:,.2f}"),
        (_("Due day"), due_day),
        (_("In a month without that day"), MonthEnd(version.month_end).label),
        (_("Due day on a day off"), holiday_word(version.holiday_roll, version.interest_follows_holiday)),
        (_("Instalments without principal, at most"), version.max_principal_grace),
        (_("Instalments with deferred interest, at most"), version.max_interest_grace),
    ]


def _security(version: ProductVersion) -> list[tuple[Any, Any]]:
    words = dict(GuaranteeMode.choices)
    caps = listed(f"{words.get(mode, mode)} {_cap_word(cap)}" for mode, cap in version.guarantee_caps.items())
    return [
        (_("Guarantees taken"), _many(version.guarantee_modes, words)),
        (_("Caps by guarantee"), caps or _("none")),
        (_("Documents required before release"), listed(version.required_documents)),
    ]


def _cap_word(cap: Mapping[str, str]) -> str:
    parts = [f"≤ {as_percent(cap['share'])}%"] if "share" in cap else []
    return " ".join([*parts, *([f"≤ {Decimal(cap['max_amount']):,.2f}"] if "max_amount" in cap else [])])


def _price(version: ProductVersion) -> list[tuple[Any, Any]]:
    guarantees = dict(GuaranteeMode.choices)
    kind = str(RateKind(version.rate_kind).label)
    if version.repricing:
        months = f" ({version.repricing_months})" if version.repricing_months else ""
        kind = f"{kind}, {version.get_repricing_display()}{months}"
    return [
        (_("Product margin, basis points"), f"{version.margin_bp:+d}"),
        (_("Margin by risk grade, basis points"), _pairs(version.grade_margins_bp, {}, "+")),
        (_("Discount by guarantee, basis points"), _pairs(version.guarantee_discounts_bp, guarantees, "−")),
        (_("Discount from the second loan on, basis points"), f"−{version.repeat_discount_bp}"),
        (_("Rate"), f"{as_percent(version.rate_floor)}% – {as_percent(version.rate_cap)}%"),
        (_("Fixed or floating"), kind),
        (_("An offer stands, days"), version.offer_validity_days),
    ]


def _early(version: ProductVersion) -> list[tuple[Any, Any]]:
    return [
        (_("A repayment pays"), order_word(version.allocation_order)),
        (_("and goes"), AllocationSequence(version.allocation_sequence).label),
        (_("Early repayment is allowed"), _("Yes") if version.prepayment_allowed else _("No")),
        (_("Money paid early"), Surplus(version.surplus).label),
        (_("A pay-off owes interest"), PayoffInterest(version.payoff_interest).label),
    ]
