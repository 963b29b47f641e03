"""What a product version may say: its fields, checked as a whole and each refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from branch.queries.parameters import parameter
from branch.words import listed
from customers.domain.size_class import SizeClass
from customers.models import Customer
from customers.services.profile import Checker
from loans.domain.accrual import MISUSE_UPLIFTS, OVERDUE_UPLIFTS
from loans.domain.grades import DEFAULT_LETTERS
from loans.domain.product_terms import FeeKind, ProductFee
from loans.domain.servicing.events import DEFAULT_ALLOCATION
from loans.domain.terms import FeeOn
from loans.models import ProductVersion
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

GRADES = tuple(letter.letter for letter in DEFAULT_LETTERS)
LONGEST_TERM_DAYS = 36_600
MOST_GRACE = 120
MOST_FEES = 10
#: A percentage above this is a fee typed as percent where a fraction belongs.
HIGHEST_FEE_PERCENT = Decimal("0.2")
_COUNTS = {
    "max_principal_grace": (0, MOST_GRACE),
    "max_interest_grace": (0, MOST_GRACE),
    "grace_days": (0, 90),
    "offer_validity_days": (1, 365),
}
_UPLIFTS = {"overdue_uplift": OVERDUE_UPLIFTS, "misuse_uplift": MISUSE_UPLIFTS}
_FREQUENCY = re.compile(r"(day|week|month):[1-9][0-9]{0,2}", re.ASCII)
_CODE = re.compile(r"[A-Za-z0-9_-]{1,20}", re.ASCII)


class Offer(TypedDict, total=False):
    """What a version offers. Amounts in yuan, rates as fractions a year, margins and discounts in basis points."""

    customer_kinds: list[str]
    size_classes: list[str]
    industries: list[str]
    clusters: list[str]
    risk_grades: list[str]
    min_amount: Decimal
    max_amount: Decimal
    min_term_days: int
    max_term_days: int
    repayment_methods: list[str]
    frequencies: list[str]
    day_count: str
    month_end: str
    due_day_rule: str
    due_day: int | None
    holiday_roll: str
    interest_follows_holiday: bool
    max_principal_grace: int
    max_interest_grace: int
    instalment_rounding: Decimal
    guarantee_modes: list[str]
    guarantee_caps: dict[str, dict[str, str]]
    required_documents: list[str]
    margin_bp: int
    grade_margins_bp: dict[str, int]
    guarantee_discounts_bp: dict[str, int]
    repeat_discount_bp: int
    cluster_discounts_bp: dict[str, int]
    rate_floor: Decimal
    rate_cap: Decimal
    rate_kind: str
    repricing: str
    repricing_months: int | None
    fees: list[dict[str, str]]
    offer_validity_days: int
    overdue_uplift: Decimal
    misuse_uplift: Decimal
    penalty_compounds: bool
    grace_days: int
    allocation_order: list[str]
    allocation_sequence: str
    prepayment_allowed: bool
    surplus: str
    payoff_interest: str


def usual_offer() -> Offer:
    """What the first version of a product starts from: the bank's parameters; the rest is the model's."""
    return {
        "overdue_uplift": parameter("penalty.overdue_uplift"),
        "penalty_compounds": parameter("penalty.compounds"),
        "offer_validity_days": parameter("offer.validity_days"),
    }


def set_offer(version: ProductVersion, offer: Mapping[str, Any]) -> None:
    """Set what is given. Raises InvalidInput naming every field that is then missing or out of bounds."""
    for field, value in offer.items():
        if field not in Offer.__annotations__:
            raise TypeError(f"a product version has no {field}")
        setattr(version, field, value)
    _drop_what_says_nothing(version)
    require_complete(version)


def require_complete(version: ProductVersion) -> None:
    """Raises InvalidInput naming every field that is missing or out of bounds."""
    checker = Checker()
    _check_numbers(checker, version)
    _check_bands(checker, version)
    _check_choices(checker, version)
    _check_texts(checker, version)
    _check_margins(checker, version)
    _check_caps(checker, version)
    _check_fees(checker, version)
    _check_dependents(checker, version)
    checker.done()


def _drop_what_says_nothing(version: ProductVersion) -> None:
    """A day without a fixed due day, a repricing rule of a fixed rate, a cap on a guarantee that is not taken."""
    if version.due_day_rule != DueDayRule.FIXED:
        version.due_day = None
    if version.rate_kind != RateKind.FLOATING:
        version.repricing = ""
    if version.repricing != Repricing.EVERY_MONTHS:
        version.repricing_months = None
    if isinstance(version.guarantee_caps, dict) and isinstance(version.guarantee_modes, list):
        known = set(GuaranteeMode.values)
        version.guarantee_caps = {
            mode: cap
            for mode, cap in version.guarantee_caps.items()
            if cap and (mode in version.guarantee_modes or mode not in known)
        }


# --- numbers -------------------------------------------------------------------------------------------------


def _check_numbers(checker: Checker, version: ProductVersion) -> None:
    for field in ("min_amount", "max_amount"):
        if not _is_money(getattr(version, field)):
            checker.refuse(field, _("Enter an amount above zero."))
    for field in ("rate_floor", "rate_cap"):
        if not _is_fraction(getattr(version, field), Decimal(0), Decimal("0.999999"), places=6):
            checker.refuse(field, _("Enter a yearly rate as a fraction, such as 0.0395."))
    _check_counts(checker, version)
    for field, (lowest, highest) in _UPLIFTS.items():
        if not _is_fraction(getattr(version, field), lowest, highest, places=4):
            message = _("The central bank allows %(lowest)s to %(highest)s of the contract rate.")
            checker.refuse(field, message % {"lowest": f"{lowest:.0%}", "highest": f"{highest:.0%}"})
    if not _is_money(version.instalment_rounding) or version.instalment_rounding > 1000:
        checker.refuse("instalment_rounding", _("Enter a multiple of 0.01, at most 1,000.00."))


def _check_counts(checker: Checker, version: ProductVersion) -> None:
    for field in ("min_term_days", "max_term_days"):
        if not _is_count(getattr(version, field), 1, LONGEST_TERM_DAYS):
            checker.refuse(field, _("Enter a number of days from 1 on."))
    for field, (least, most) in _COUNTS.items():
        if not _is_count(getattr(version, field), least, most):
            message = _("Enter a whole number from %(least)d to %(most)d.")
            checker.refuse(field, message % {"least": least, "most": most})


def _check_bands(checker: Checker, version: ProductVersion) -> None:
    bands = (
        ("min_amount", "max_amount", _("This is below the smallest amount.")),
        ("min_term_days", "max_term_days", _("This is below the shortest term.")),
        ("rate_floor", "rate_cap", _("This is below the lowest rate.")),
    )
    for low, high, message in bands:
        if low not in checker.errors and high not in checker.errors and getattr(version, low) > getattr(version, high):
            checker.refuse(high, message)


def _is_money(value: Any) -> bool:
    return (
        isinstance(value, Decimal) and value.is_finite() and 0 < value < Decimal(10) ** 14 and value == round(value, 2)
    )


def _is_fraction(value: Any, lowest: Decimal, highest: Decimal, *, places: int) -> bool:
    if not isinstance(value, Decimal) or not value.is_finite():
        return False
    return lowest <= value <= highest and value == round(value, places)


def _is_count(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


# --- choices and texts ---------------------------------------------------------------------------------------


def _check_choices(checker: Checker, version: ProductVersion) -> None:
    one_or_more = {"repayment_methods": RepaymentMethod.values, "guarantee_modes": GuaranteeMode.values}
    any_of = {
        "customer_kinds": Customer.Kind.values,
        "size_classes": [size.value for size in SizeClass],
        "risk_grades": GRADES,
    }
    for field, choices in one_or_more.items():
        if not _is_list_of(getattr(version, field), choices.__contains__) or not getattr(version, field):
            checker.refuse(field, _("Choose one or more from the list."))
    for field, allowed in any_of.items():
        if not _is_list_of(getattr(version, field), allowed.__contains__):
            checker.refuse(field, _("Choose from the list: %(choices)s.") % {"choices": listed(allowed)})
    one = {
        "day_count": DayCount,
        "month_end": MonthEnd,
        "due_day_rule": DueDayRule,
        "holiday_roll": HolidayRoll,
        "allocation_sequence": AllocationSequence,
        "surplus": Surplus,
        "payoff_interest": PayoffInterest,
        "rate_kind": RateKind,
    }
    for field, kinds in one.items():
        if getattr(version, field) not in kinds.values:
            checker.refuse(field, _("Choose one from the list."))
    order = version.allocation_order
    if not isinstance(order, list) or sorted(map(str, order)) != sorted(DEFAULT_ALLOCATION):
        checker.refuse("allocation_order", _("Name each kind once: %(kinds)s.") % {"kinds": listed(DEFAULT_ALLOCATION)})


def _check_texts(checker: Checker, version: ProductVersion) -> None:
    lists: dict[str, tuple[Callable[[str], Any], str]] = {
        "industries": (lambda text: 0 < len(text) <= 60, _("One name of at most 60 characters per industry.")),
        "clusters": (_CODE.fullmatch, _("One code of letters, digits, - or _ per cluster.")),
        "frequencies": (_FREQUENCY.fullmatch, _("Choose one or more from the list.")),
        "required_documents": (
            lambda text: 0 < len(text) <= 200,
            _("One title of at most 200 characters per document."),
        ),
    }
    for field, (fits, message) in lists.items():
        if not _is_list_of(getattr(version, field), fits):
            checker.refuse(field, message)


def _is_list_of(value: Any, fits: Callable[[str], Any]) -> bool:
    return isinstance(value, list) and all(isinstance(part, str) and fits(part) for part in value)


# --- price, caps, fees ---------------------------------------------------------------------------------------


def _check_margins(checker: Checker, version: ProductVersion) -> None:
    if not _is_bp(version.margin_bp):
        checker.refuse("margin_bp", _("Enter whole basis points."))
    if not _is_bp(version.repeat_discount_bp) or version.repeat_discount_bp < 0:
        checker.refuse("repeat_discount_bp", _("Enter whole basis points from 0 on."))
    for field, keys in (("grade_margins_bp", GRADES), ("guarantee_discounts_bp", GuaranteeMode.values)):
        value = getattr(version, field)
        if not isinstance(value, dict) or not set(value) <= set(keys) or not all(map(_is_bp, value.values())):
            checker.refuse(field, _("Whole basis points for each of: %(keys)s.") % {"keys": listed(keys)})
    clusters = version.cluster_discounts_bp
    if not isinstance(clusters, dict) or not all(_CODE.fullmatch(str(key)) for key in clusters):
        checker.refuse("cluster_discounts_bp", _("One code of letters, digits, - or _ per cluster."))
    elif not all(_is_bp(value) and value >= 0 for value in clusters.values()):
        checker.refuse("cluster_discounts_bp", _("Enter whole basis points from 0 on."))


def _is_bp(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and -10_000 <= value <= 10_000


def _check_caps(checker: Checker, version: ProductVersion) -> None:
    caps = version.guarantee_caps
    if not isinstance(caps, dict) or not set(caps) <= set(GuaranteeMode.values):
        checker.refuse("guarantee_caps", _("Caps are set for: %(modes)s.") % {"modes": listed(GuaranteeMode.values)})
    elif not all(map(_is_cap, caps.values())):
        checker.refuse("guarantee_caps", _("A cap is a share of the amount up to 1, an amount in yuan, or both."))


def _is_cap(cap: Any) -> bool:
    if not isinstance(cap, dict) or not cap or not set(cap) <= {"share", "max_amount"}:
        return False
    share, amount = _decimal(cap.get("share", "1")), _decimal(cap.get("max_amount", "1"))
    return _is_money(amount) and share is not None and Decimal("0.01") <= share <= 1 and share == round(share, 4)


def _check_fees(checker: Checker, version: ProductVersion) -> None:
    fees = version.fees
    if not isinstance(fees, list) or len(fees) > MOST_FEES or not all(map(_is_fee, fees)):
        checker.refuse("fees", _("A fee has a name in both languages, and is an amount in yuan or up to 20 percent."))


def _is_fee(values: Any) -> bool:
    wanted = {"name_zh", "name_en", "kind", "value", "on"}
    if not isinstance(values, dict) or set(values) != wanted or not all(isinstance(v, str) for v in values.values()):
        return False
    value = _decimal(values["value"])
    if values["kind"] not in set(FeeKind) or values["on"] not in set(FeeOn) or value is None:
        return False
    fee = ProductFee.from_json(values)
    if not all(0 < len(name.strip()) <= 40 for name in (fee.name_zh, fee.name_en)):
        return False
    if fee.kind is FeeKind.FIXED:
        return _is_money(fee.value)
    return 0 < value <= HIGHEST_FEE_PERCENT and value == round(value, 6)


def _decimal(text: Any) -> Decimal | None:
    try:
        value = Decimal(text) if isinstance(text, str) else None
    except ArithmeticError:
        return None
    return value if value is not None and value.is_finite() else None


# --- what goes with what -------------------------------------------------------------------------------------


def _check_dependents(checker: Checker, version: ProductVersion) -> None:
    if version.due_day_rule == DueDayRule.FIXED and not _is_count(version.due_day, 1, 31):
        checker.refuse("due_day", _("Enter a day of the month from 1 to 31."))
    if version.rate_kind == RateKind.FLOATING and version.repricing not in Repricing.values:
        checker.refuse("repricing", _("Say when a floating rate is priced anew."))
    if version.repricing == Repricing.EVERY_MONTHS and not _is_count(version.repricing_months, 1, 60):
        checker.refuse("repricing_months", _("Enter a number of months from 1 to 60."))
    if version.interest_follows_holiday and version.holiday_roll == HolidayRoll.NONE:
        checker.refuse("interest_follows_holiday", _("The due day does not move, so the interest period can't either."))
