"""The product's terms in words: as a contract prints them, as a loan's page shows them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _

from branch.words import listed
from loans.domain.product_terms import FeeKind, ProductFee, ProductTerms
from loans.domain.repricing import RepricingRule
from loans.domain.terms import FeeOn
from loans.models.product import DueDayRule, HolidayRoll, MonthEnd, PayoffInterest, Surplus

DUE_KINDS = {
    "penalty": pgettext_lazy("what a repayment pays", "Penalty interest"),
    "fee": pgettext_lazy("what a repayment pays", "Fees"),
    "interest": pgettext_lazy("what a repayment pays", "Interest"),
    "principal": pgettext_lazy("what a repayment pays", "Principal"),
}


def as_percent(fraction: Any) -> str:
    """0.0395 as "3.95"; what is no number as it is."""
    try:
        percent = Decimal(str(fraction)) * 100
    except ArithmeticError:
        return str(fraction)
    return f"{percent.normalize():f}" if percent.is_finite() else str(fraction)


def terms_facts(terms: ProductTerms) -> list[tuple[str, str]]:
    """The product's terms a contract or loan was signed under."""
    facts: list[tuple[Any, Any]] = [
        (_("Rate"), rate_word(terms)),
        (_("Due day"), due_day_word(terms)),
        (_("Due day on a day off"), holiday_word(terms.holiday_roll.value, terms.interest_follows_holiday)),
    ]
    if terms.principal_grace:
        facts.append((_("Instalments without principal"), terms.principal_grace))
    if terms.interest_grace:
        facts.append((_("Instalments with deferred interest"), terms.interest_grace))
    facts += [
        (_("Fees"), fees_word(terms.fees) or _("none")),
        *late_facts(terms.overdue_uplift, terms.misuse_uplift, terms.penalty_compounds, terms.grace_days),
        (_("A repayment pays"), order_word([kind.value for kind in terms.allocation_order])),
        (_("Early repayment"), early_word(terms)),
    ]
    return [(str(label), str(value)) for label, value in facts]


# --- words ------------------------------------------------------------------------------------------------------


def fees_word(fees: tuple[ProductFee, ...]) -> str:
    zh = (get_language() or "").startswith("zh")
    return listed(f"{fee.name_zh if zh else fee.name_en} {_fee_word(fee)}" for fee in fees)


def _fee_word(fee: ProductFee) -> str:
    value = f"{as_percent(fee.value)}%" if fee.kind is FeeKind.PERCENT else f"{fee.value:,.2f}"
    if fee.on is FeeOn.START:
        return _("%(value)s kept back at the start") % {"value": value}
    return _("%(value)s with each instalment") % {"value": value}


def rate_word(terms: ProductTerms) -> str:
    floating = terms.floating
    if floating is None:
        return _("Fixed for the whole term")
    values = {"spread": f"{floating.spread_bp:+.0f}", "months": floating.months}
    if floating.rule is RepricingRule.EACH_JANUARY:
        return _("Floating: LPR %(spread)s bp, priced anew each 1 January") % values
    return _("Floating: LPR %(spread)s bp, priced anew every %(months)s months") % values


def due_day_word(terms: ProductTerms) -> str:
    if terms.due_day is None:
        return str(DueDayRule.START_DAY.label)
    return _("The %(day)s of the month; in a month without it: %(else)s") % {
        "day": terms.due_day,
        "else": MonthEnd(terms.month_end.value).label,
    }


def early_word(terms: ProductTerms) -> str:
    if not terms.prepayment_allowed:
        return _("Not allowed before maturity")
    return _("Allowed; money paid early: %(surplus)s; a pay-off owes interest: %(interest)s") % {
        "surplus": Surplus(terms.surplus.value).label,
        "interest": PayoffInterest(terms.payoff_interest.value).label,
    }


def order_word(order: list[str]) -> str:
    return " → ".join(str(DUE_KINDS.get(kind, kind)) for kind in order)


def holiday_word(rule: str, follows: bool) -> str:
    word = str(HolidayRoll(rule).label)
    return _("%(rule)s, the interest period with it") % {"rule": word} if follows else word


def late_facts(overdue: Decimal, misuse: Decimal, compounds: bool, grace_days: int) -> list[tuple[Any, Any]]:
    return [
        (_("On top of the contract rate when overdue"), f"{as_percent(overdue)}%"),
        (_("On top of the contract rate for misuse"), f"{as_percent(misuse)}%"),
        (_("Unpaid interest bears interest too"), _("Yes") if compounds else _("No")),
        (_("Days after the due day without penalty"), grace_days),
    ]
