"""An offer tried out before anybody sells it: the quote of an example loan under a version that is not on file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Unpack

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.calendar import add_months
from branch.domain.money import round_money
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.queries.business_date import business_date
from loans.domain.periods import Frequency, Unit
from loans.domain.terms import RepaymentMethod
from loans.models import Product, ProductVersion
from loans.queries.products import active_version
from loans.services.pricing import quote
from loans.services.products import MANAGERS
from loans.services.version_offer import Offer, set_offer, usual_offer

USUAL_AMOUNT = Decimal("300000.00")
USUAL_INSTALMENTS = 12
MONTH_DAYS = 31


@dataclass(frozen=True)
class Example:
    """The version as typed (not saved), the one on sale, and the quote of the example under the first."""

    version: ProductVersion
    on_sale: ProductVersion | None
    quote: dict[str, Any]


def price_example(
    *,
    actor: Actor,
    product_id: int,
    example_amount: Decimal | None = None,
    example_instalments: int | None = None,
    example_frequency: str = "",
    example_method: str = "",
    example_guarantee: str = "",
    example_grade: str = "",
    example_repeats: bool = False,
    **offer: Unpack[Offer],
) -> Example:
    """Price an example loan under an offer as typed, without saving it; what the example is silent on is usual.

    Raises InvalidInput by field for an offer that can't be made, Unmet while no prime rate has been published.
    """
    if not actor.holds_bank_wide(MANAGERS):
        raise PermissionRefused(_("Your role does not allow this here."))
    product = Product.objects.filter(pk=product_id).first()
    if product is None:
        raise InvalidInput(fields={"product_id": [_("Choose a product.")]})
    version = _version(product, offer)
    method = example_method if example_method in version.repayment_methods else version.repayment_methods[0]
    usual_frequency = version.frequencies[0] if version.frequencies else _usual_frequency(version)
    unit, _colon, every = (example_frequency or usual_frequency).partition(":")
    frequency = Frequency(Unit(unit), int(every))
    amount = example_amount or min(version.max_amount, max(version.min_amount, USUAL_AMOUNT))
    instalments = example_instalments or _usual_instalments(version, frequency)
    start = business_date()
    values = quote(
        product_version=version,
        amount=amount,
        instalments=instalments,
        frequency=frequency,
        method=method,
        guarantee=example_guarantee if example_guarantee in version.guarantee_modes else version.guarantee_modes[0],
        start_date=start,
        grade=example_grade,
        earlier_loans=1 if example_repeats else 0,
        plan=_even_plan(start, amount, instalments) if method == RepaymentMethod.AGREED_PLAN else (),
    )
    return Example(version, active_version(product.pk), values | {"amount": str(amount), "method": method})


def _version(product: Product, offer: Offer) -> ProductVersion:
    """The version this offer would make; what it is silent on is as in the latest one."""
    latest = product.versions.order_by("-number").first()
    number = 1 if latest is None else latest.number + (latest.state != "draft")
    version = ProductVersion(product=product, number=number)
    inherited = {field: getattr(latest, field) for field in Offer.__annotations__} if latest else {}
    set_offer(version, {**usual_offer(), **inherited, **offer})
    return version


def _usual_frequency(version: ProductVersion) -> str:
    return "month:1" if version.max_term_days >= MONTH_DAYS else "day:1"


def _usual_instalments(version: ProductVersion, frequency: Frequency) -> int:
    """A year of instalments, or as many as the longest term takes."""
    days = frequency.every * {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: MONTH_DAYS}[frequency.unit]
    return max(1, min(USUAL_INSTALMENTS, version.max_term_days // days))


def _even_plan(start: date, amount: Decimal, rows: int) -> list[dict[str, str]]:
    """A plan to show an agreed one by: even parts at the month's end, the last takes the rest."""
    part = round_money(amount / rows)
    parts = [part] * (rows - 1) + [amount - part * (rows - 1)]
    days = [add_months(start, number + 1, 31) for number in range(rows)]
    return [
        {"due_date": (day if day > start else start + timedelta(days=1)).isoformat(), "principal": str(amount)}
        for day, amount in zip(days, parts, strict=True)
    ]
