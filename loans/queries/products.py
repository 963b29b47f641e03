"""What is on sale, and the published prime rate."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import QuerySet

from loans.domain import pricing
from loans.models import LprRate, ProductVersion


def on_sale() -> QuerySet[ProductVersion]:
    """The active version of every product, by product code."""
    return ProductVersion.objects.filter(state="active").select_related("product").order_by("product__code")


def active_version(product: int | str) -> ProductVersion | None:
    """The version of a product (its id or code) that is on sale now."""
    key = {"product_id": product} if isinstance(product, int) else {"product__code": product}
    return on_sale().filter(**key).first()


def lpr_on(day: date) -> LprRate | None:
    """The announcement in force on a day: the last one published on or before it."""
    return LprRate.objects.filter(published_date__lte=day).order_by("-published_date").first()


def as_fractions(rate: LprRate) -> pricing.LprRate:
    """An announcement as pricing takes it: fractions a year. Before 2019-08 there was no over-five-year rate."""
    over_five_years = rate.one_year if rate.five_year is None else rate.five_year
    return pricing.LprRate(rate.published_date, rate.one_year / Decimal(100), over_five_years / Decimal(100))
