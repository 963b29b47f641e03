"""Quotes: the rate with every part it is made of, the cost of a year by both methods, and the plan it follows from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.calendar import add_months
from branch.domain.refusals import InvalidInput, Unmet
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.services.events import record, snapshot
from branch.services.transition import save
from branch.services.use_case import use_case
from loans.domain.annual_cost import CostError, annual_cost
from loans.domain.periods import Frequency, Unit
from loans.domain.pricing import Component, Price, price_loan
from loans.domain.product_terms import ProductTerms
from loans.domain.repricing import repricing_dates
from loans.domain.schedule import Schedule, build_schedule
from loans.domain.terms import MOST_INSTALMENTS, RepaymentMethod, TermsError
from loans.models import Application, LprRate, ProductVersion
from loans.queries.applications import earlier_loans, known_grade
from loans.queries.clusters import clusters_of
from loans.queries.offer_fit import offer_problems
from loans.queries.products import as_fractions, lpr_on
from loans.queries.terms import end_of_term, floating_at, plan_rows, terms_for_schedule, terms_of_version

#: Fields of an application by the names the schedule knows them under.
_FIELDS = {"principal": "amount", "frequency": "frequency_every"}
RATE = Decimal("0.000001")


def maturity_date(
    start_date: date,
    instalments: int,
    frequency: Frequency,
    terms: ProductTerms | None = None,
    plan: Sequence[Mapping[str, str]] = (),
) -> date:
    """Due date of the last instalment. Raises InvalidInput when it lies beyond the calendar."""
    if not 1 <= instalments <= MOST_INSTALMENTS or frequency.every < 1:
        message = _("Between 1 and %(most)d instalments.") % {"most": MOST_INSTALMENTS}
        raise InvalidInput(fields={"instalments": [message]})
    try:
        return end_of_term(terms or ProductTerms(), start_date, instalments, frequency, plan_rows(plan))
    except OverflowError as error:
        raise InvalidInput(fields={"instalments": [_("The term is too long.")]}) from error


def months_until(start_date: date, end_date: date) -> int:
    """Whole months from start to end, a part of a month counting as one."""
    months = (end_date.year - start_date.year) * 12 + end_date.month - start_date.month
    return months + 1 if add_months(start_date, months) < end_date else months


def quote(
    *,
    product_version: ProductVersion,
    amount: Decimal,
    instalments: int,
    frequency: Frequency,
    method: str,
    guarantee: str,
    start_date: date,
    grade: str = "",
    earlier_loans: int = 0,
    clusters: Iterable[str] = (),
    due_day: int | None = None,
    principal_grace: int = 0,
    interest_grace: int = 0,
    plan: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The quote as JSON values; `without_rows` is what a file keeps of it.

    Amounts and rates are decimal strings, rates fractions a year, `bp` basis points; `terms` is everything else the
    product sets. Raises InvalidInput for terms no schedule can be built from, Unmet while no prime rate has been
    published.
    """
    terms = terms_of_version(
        product_version, due_day=due_day, principal_grace=principal_grace, interest_grace=interest_grace
    )
    plan = plan if method == RepaymentMethod.AGREED_PLAN else ()
    lpr = _lpr_of(start_date)
    price = _price(
        lpr,
        product_version,
        start_date,
        maturity_date(start_date, instalments, frequency, terms, plan),
        _components(product_version, guarantee, grade, earlier_loans, clusters),
    )
    terms = floating_at(terms, product_version, price)
    try:
        schedule = build_schedule(
            terms_for_schedule(
                terms,
                principal=amount,
                annual_rate=price.annual_rate,
                start_date=start_date,
                method=method,
                day_count=product_version.day_count,
                instalments=instalments,
                frequency=frequency,
                plan=plan,
            )
        )
        plan_values = _plan_values(schedule)
    except TermsError as error:
        message = _("No repayment plan can be made of this value.")
        raise InvalidInput(fields={_FIELDS.get(error.field, error.field): [message]}) from error
    except CostError as error:
        raise InvalidInput(fields={"amount": [_("The fees leave nothing of this amount to be paid out.")]}) from error
    maturity = date.fromisoformat(plan_values["maturity_date"])
    return _price_values(price, lpr, product_version, grade) | plan_values | _terms_values(terms, schedule, maturity)


def without_rows(values: dict[str, Any]) -> dict[str, Any]:
    """The quote less its plan: the plan follows from the rest and need not stand on the file."""
    return {key: value for key, value in values.items() if key != "rows"}


# --- the price of a file -------------------------------------------------------------------------------------


def price_application(application: Application) -> dict[str, Any]:
    """The quote of a file as of the business date, its plan included. Raises InvalidInput, Unmet."""
    return quote(
        product_version=application.product_version,
        amount=application.amount,
        instalments=application.instalments,
        frequency=frequency_of(application),
        method=application.repayment_method,
        guarantee=application.guarantee_mode,
        start_date=business_date(),
        grade=known_grade(application),
        earlier_loans=earlier_loans(application.customer),
        clusters=clusters_of(application.customer),
        due_day=application.due_day,
        principal_grace=application.principal_grace,
        interest_grace=application.interest_grace,
        plan=application.plan,
    )


@use_case("reprice_application")
def reprice_application(*, actor: Actor, application: Application) -> None:
    """Price a locked file anew and record it, where the price has changed (a risk grade became known)."""
    before = snapshot(application)
    priced = without_rows(price_application(application))
    if priced == application.quote:
        return
    application.quote = priced
    save(application)
    record("application.reprice", application, actor=actor, before=before)


def problems_of(application: Application) -> dict[str, list[str]]:
    """What the product does not allow, by field."""
    today = business_date()
    terms = terms_of_version(application.product_version, due_day=application.due_day)
    plan = application.plan if application.repayment_method == RepaymentMethod.AGREED_PLAN else ()
    try:
        end = maturity_date(today, application.instalments, frequency_of(application), terms, plan)
    except InvalidInput as refusal:
        return refusal.fields
    return offer_problems(application, (end - today).days)


def frequency_of(application: Application) -> Frequency:
    return Frequency(Unit(application.frequency_unit), application.frequency_every)


# --- inside --------------------------------------------------------------------------------------------------


def _lpr_of(day: date) -> LprRate:
    lpr = lpr_on(day)
    if lpr is None:
        raise Unmet(_("No prime rate (LPR) is on file for %(date)s.") % {"date": day.isoformat()})
    return lpr


def _price(lpr: LprRate, version: ProductVersion, start: date, end: date, components: list[Component]) -> Price:
    return price_loan(
        table=(as_fractions(lpr),),
        day=start,
        term_months=months_until(start, end),
        components=components,
        floor=version.rate_floor,
        cap=version.rate_cap,
        split_months=12 * parameter("lpr.split_years"),
    )


def _components(
    version: ProductVersion, guarantee: str, grade: str, earlier_loans: int, clusters: Iterable[str]
) -> list[Component]:
    source = f"{version.product.code} v{version.number}"
    parts = [Component("product_margin", Decimal(version.margin_bp), source)]
    if grade in version.grade_margins_bp:
        parts.append(Component("grade_margin", Decimal(version.grade_margins_bp[grade]), f"{source}, {grade}"))
    if discount := version.guarantee_discounts_bp.get(guarantee):
        parts.append(Component("guarantee_discount", -Decimal(discount), f"{source}, {guarantee}"))
    if earlier_loans and version.repeat_discount_bp:
        parts.append(Component("repeat_customer", -Decimal(version.repeat_discount_bp), source))
    # A member of several clusters gets the best of their concessions, not their sum.
    conceded = {code: version.cluster_discounts_bp[code] for code in clusters if version.cluster_discounts_bp.get(code)}
    if conceded:
        best = max(sorted(conceded), key=conceded.__getitem__)
        parts.append(Component("cluster_concession", -Decimal(conceded[best]), f"{source}, {best}"))
    return parts


def _price_values(price: Price, lpr: LprRate, version: ProductVersion, grade: str) -> dict[str, Any]:
    return {
        "product_version": version.pk,
        "grade": grade,
        "annual_rate": str(price.annual_rate.quantize(RATE)),
        "lpr": {
            "published_date": price.lpr.published_date.isoformat(),
            "term": price.lpr_term.value,
            "rate": str(price.lpr_rate.quantize(RATE)),
            "source": lpr.source,
        },
        "components": [
            {"code": part.code, "bp": _plain(part.basis_points), "source": part.source} for part in price.components
        ],
        "floor": str(version.rate_floor),
        "cap": str(version.rate_cap),
        "bound": price.bound,
        "day_count": version.day_count,
    }


def _terms_values(terms: ProductTerms, schedule: Schedule, maturity: date) -> dict[str, Any]:
    floating = terms.floating
    start = schedule.terms.start_date
    days = repricing_dates(floating.rule, floating.months, start, maturity) if floating else []
    return {
        "terms": terms.as_json(),
        "rate_kind": "floating" if floating else "fixed",
        "repricing_dates": [day.isoformat() for day in days],
        "paid_out": str(schedule.terms.principal - schedule.start_fees),
        "start_fees": str(schedule.start_fees),
    }


def _plain(number: Decimal) -> str:
    """85.0000 as "85", 12.50 as "12.5"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _plan_values(schedule: Schedule) -> dict[str, Any]:
    cost = annual_cost(schedule)
    rows = [
        {
            "number": row.number,
            "due_date": row.due_date.isoformat(),
            "days": row.days,
            "principal": str(row.principal),
            "interest": str(row.interest),
            "fees": str(row.fees),
            "total": str(row.total),
            "balance": str(row.balance),
        }
        for row in schedule.rows
    ]
    return {
        "start_date": schedule.terms.start_date.isoformat(),
        "maturity_date": rows[-1]["due_date"],
        "apr_simple": str(cost.apr_simple),
        "apr_irr": str(cost.apr_irr),
        "first_instalment": rows[0]["total"],
        "instalment_count": len(rows),
        "interest_total": str(schedule.totals.interest),
        "fees_total": str(schedule.totals.fees),
        "total": str(schedule.totals.total),
        "rows": rows,
    }
