"""Whether a file fits its version: who may have it, how much, for how long, repaid and secured how."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from branch.queries.business_date import business_date
from branch.words import listed
from customers.models import Customer
from customers.queries.size_classes import SIZE_CLASSES, size_class_of
from loans.domain.eligibility import (
    Applicant,
    Audience,
    Criterion,
    CriterionCode,
    GuaranteeCap,
    check_eligibility,
    check_guarantee_caps,
)
from loans.models import Application, ProductVersion
from loans.models.product import DueDayRule, GuaranteeMode, RepaymentMethod
from loans.queries.applications import known_grade
from loans.queries.clusters import clusters_of

CRITERIA: dict[CriterionCode, Any] = {
    CriterionCode.CUSTOMER_KIND: gettext_lazy("Kind of customer"),
    CriterionCode.SIZE_CLASS: gettext_lazy("Size class"),
    CriterionCode.INDUSTRY: gettext_lazy("Industry"),
    CriterionCode.CLUSTER: gettext_lazy("Cluster"),
    CriterionCode.RISK_GRADE: gettext_lazy("Risk grade"),
}


def offer_problems(application: Application, term_days: int) -> dict[str, list[str]]:
    """What the product does not allow, by field of the application; empty when all is in order."""
    version = application.product_version
    problems: dict[str, list[str]] = {}
    if version.state != "active":
        problems["product_id"] = [_("This version is no longer on sale; choose the product again.")]
    if refusals := [refusal_of(criterion) for criterion in eligibility(application) if criterion.holds is False]:
        problems.setdefault("product_id", []).extend(refusals)
    if not version.min_amount <= application.amount <= version.max_amount:
        band = {"low": f"{version.min_amount:,.2f}", "high": f"{version.max_amount:,.2f}"}
        problems["amount"] = [_("This product lends %(low)s to %(high)s.") % band]
    if term := _term_problem(version, term_days):
        problems["instalments"] = [term]
    if application.repayment_method not in version.repayment_methods:
        problems["repayment_method"] = [_("This product is not repaid this way.")]
    if application.guarantee_mode not in version.guarantee_modes:
        problems["guarantee_mode"] = [_("This product does not take this guarantee.")]
    elif breaches := _cap_problems(application):
        problems["guarantee_mode"] = breaches
    return problems | _schedule_problems(application)


def _term_problem(version: ProductVersion, term_days: int) -> str:
    if term_days > version.max_term_days:
        return _("The term is %(days)d days; this product allows %(most)d.") % {
            "days": term_days,
            "most": version.max_term_days,
        }
    if term_days < version.min_term_days:
        return _("The term is %(days)d days; this product asks for at least %(least)d.") % {
            "days": term_days,
            "least": version.min_term_days,
        }
    return ""


def _cap_problems(application: Application) -> list[str]:
    caps = {
        mode: GuaranteeCap(
            Decimal(cap["share"]) if "share" in cap else None,
            Decimal(cap["max_amount"]) if "max_amount" in cap else None,
        )
        for mode, cap in application.product_version.guarantee_caps.items()
    }
    words = dict(GuaranteeMode.choices)
    return [
        _("%(guarantee)s carries at most %(limit)s of this loan; %(carried)s rests on it.")
        % {"guarantee": words[breach.mode], "limit": f"{breach.limit:,.2f}", "carried": f"{breach.carried:,.2f}"}
        for breach in check_guarantee_caps(application.amount, {application.guarantee_mode: Decimal(1)}, caps)
    ]


def _schedule_problems(application: Application) -> dict[str, list[str]]:
    """Frequency, due day, graces and agreed plan against what the version allows."""
    version, method = application.product_version, application.repayment_method
    problems: dict[str, list[str]] = {}
    paid_in_parts = method not in (RepaymentMethod.BULLET, RepaymentMethod.AGREED_PLAN)
    frequency = f"{application.frequency_unit}:{application.frequency_every}"
    if paid_in_parts and version.frequencies and frequency not in version.frequencies:
        problems["frequency_every"] = [_("This product's instalments don't fall due at this distance.")]
    if application.due_day is not None and version.due_day_rule != DueDayRule.CHOSEN:
        problems["due_day"] = [_("The customer does not choose the due day of this product.")]
    for field, most in (
        ("principal_grace", version.max_principal_grace),
        ("interest_grace", version.max_interest_grace),
    ):
        if getattr(application, field) > most:
            problems[field] = [_("This product allows %(most)d.") % {"most": most}]
    if method == RepaymentMethod.AGREED_PLAN and (problem := _plan_problem(application)):
        problems["plan"] = [problem]
    return problems


def _plan_problem(application: Application) -> str:
    if not application.plan:
        return _("Enter the plan: one row per instalment.")
    planned = sum((Decimal(row["principal"]) for row in application.plan), Decimal(0))
    if planned != application.amount:
        sums = {"planned": f"{planned:,.2f}", "amount": f"{application.amount:,.2f}"}
        return _("The plan repays %(planned)s, the loan is %(amount)s.") % sums
    if application.plan[0]["due_date"] <= business_date().isoformat():
        return _("The plan begins before the loan can be paid out.")
    return ""


# --- who may have it -----------------------------------------------------------------------------------------


def eligibility(application: Application) -> tuple[Criterion, ...]:
    """Every criterion the version sets, with what is known of the customer."""
    audience = audience_of(application.product_version)
    return check_eligibility(audience, _applicant(application, audience)) if audience != Audience() else ()


def audience_of(version: ProductVersion) -> Audience:
    return Audience(
        customer_kinds=frozenset(version.customer_kinds),
        size_classes=frozenset(version.size_classes),
        industries=frozenset(version.industries),
        clusters=frozenset(version.clusters),
        risk_grades=frozenset(version.risk_grades),
    )


def _applicant(application: Application, audience: Audience) -> Applicant:
    customer = application.customer
    return Applicant(
        customer_kind=customer.kind,
        size_class=size_class_of(customer),
        industry=customer.industry,
        clusters=frozenset(clusters_of(customer)),
        risk_grade=known_grade(application) if audience.risk_grades else "",
    )


def refusal_of(criterion: Criterion) -> str:
    """A failed criterion in words: what the product asks for, and what was found."""
    words = CRITERIA[criterion.code]
    wanted = listed(criterion_word(criterion.code, value) for value in criterion.wanted)
    found = listed(criterion_word(criterion.code, value) for value in criterion.found) or _("not known")
    return _("%(criterion)s: this product is for %(wanted)s; here it is %(found)s.") % {
        "criterion": words,
        "wanted": wanted,
        "found": found,
    }


def criterion_word(code: CriterionCode, value: str) -> str:
    """A value of a criterion in the reader's language."""
    choices: dict[str, Any] = {
        CriterionCode.CUSTOMER_KIND: dict(Customer.Kind.choices),
        CriterionCode.SIZE_CLASS: SIZE_CLASSES,
    }.get(code, {})
    return str(choices.get(value, value))
