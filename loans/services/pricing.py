"""Quotes: the rate with every part it is made of, the cost of a year by both methods, and the plan it follows from."""

from __future__ import annotations

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
from loans.domain.annual_cost import annual_cost
from loans.domain.daycount import DayCount
from loans.domain.periods import Frequency, Unit, nominal_due_dates
from loans.domain.pricing import Component, Price, price_loan
from loans.domain.schedule import Schedule, build_schedule
from loans.domain.terms import MOST_INSTALMENTS, RepaymentMethod, ScheduleTerms, TermsError
from loans.models import Application, ProductVersion
from loans.queries.applications import earlier_loans, known_grade, offer_problems
from loans.queries.products import as_fractions, lpr_on

#: Fields of an application by the names the schedule knows them under.
_FIELDS = {"principal": "amount", "frequency": "frequency_every"}
RATE = Decimal("0.000001")


def maturity_date(start_date: date, instalments: int, frequency: Frequency) -> date:
    """Due date of the last instalment. Raises InvalidInput when it lies beyond the calendar."""
    if not 1 <= instalments <= MOST_INSTALMENTS or frequency.every < 1:
        message = _("Between 1 and %(most)d instalments.") % {"most": MOST_INSTALMENTS}
        raise InvalidInput(fields={"instalments": [message]})
    try:
        return nominal_due_dates(start_date=start_date, instalments=instalments, frequency=frequency)[-1]
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
) -> dict[str, Any]:
    """The quote as JSON values; `without_rows` is what a file keeps of it.

    Amounts and rates are decimal strings, rates fractions a year, `bp` basis points. Raises InvalidInput for
    terms no schedule can be built from, Unmet while no prime rate has been published.
    """
    price = _price(
        product_version, start_date, maturity_date(start_date, instalments, frequency), guarantee, grade, earlier_loans
    )
    try:
        schedule = build_schedule(
            ScheduleTerms(
                principal=amount,
                annual_rate=price.annual_rate,
                start_date=start_date,
                repayment_method=RepaymentMethod(method),
                day_count=DayCount(product_version.day_count),
                instalments=instalments,
                frequency=frequency,
            )
        )
    except TermsError as error:
        message = _("No repayment plan can be made of this value.")
        raise InvalidInput(fields={_FIELDS.get(error.field, error.field): [message]}) from error
    return _price_values(price, product_version, grade) | _plan_values(schedule)


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
        earlier_loans=earlier_loans(application.customer_id),
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
    try:
        end = maturity_date(today, application.instalments, frequency_of(application))
    except InvalidInput as refusal:
        return refusal.fields
    return offer_problems(application, (end - today).days)


def frequency_of(application: Application) -> Frequency:
    return Frequency(Unit(application.frequency_unit), application.frequency_every)


# --- inside --------------------------------------------------------------------------------------------------


def _price(version: ProductVersion, start: date, end: date, guarantee: str, grade: str, earlier_loans: int) -> Price:
    lpr = lpr_on(start)
    if lpr is None:
        raise Unmet(_("No prime rate (LPR) is on file for %(date)s.") % {"date": start.isoformat()})
    return price_loan(
        table=(as_fractions(lpr),),
        day=start,
        term_months=months_until(start, end),
        components=_components(version, guarantee, grade, earlier_loans),
        floor=version.rate_floor,
        cap=version.rate_cap,
        split_months=12 * parameter("lpr.split_years"),
    )


def _components(version: ProductVersion, guarantee: str, grade: str, earlier_loans: int) -> list[Component]:
    source = f"{version.product.code} v{version.number}"
    parts = [Component("product_margin", Decimal(version.margin_bp), source)]
    if grade in version.grade_margins_bp:
        parts.append(Component("grade_margin", Decimal(version.grade_margins_bp[grade]), f"{source}, {grade}"))
    if discount := version.guarantee_discounts_bp.get(guarantee):
        parts.append(Component("guarantee_discount", -Decimal(discount), f"{source}, {guarantee}"))
    if earlier_loans and version.repeat_discount_bp:
        parts.append(Component("repeat_customer", -Decimal(version.repeat_discount_bp), source))
    return parts


def _price_values(price: Price, version: ProductVersion, grade: str) -> dict[str, Any]:
    return {
        "product_version": version.pk,
        "grade": grade,
        "annual_rate": str(price.annual_rate.quantize(RATE)),
        "lpr": {
            "published_date": price.lpr.published_date.isoformat(),
            "term": price.lpr_term.value,
            "rate": str(price.lpr_rate.quantize(RATE)),
        },
        "components": [
            {"code": part.code, "bp": _plain(part.basis_points), "source": part.source} for part in price.components
        ],
        "floor": str(version.rate_floor),
        "cap": str(version.rate_cap),
        "bound": price.bound,
        "day_count": version.day_count,
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
