"""Products, prime rates and files at each step, made through the services."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from branch.domain.actor import Actor
from customers.models import Customer
from loans.models import Application, Investigation, LprRate, Product, ProductVersion
from loans.services import applications, investigations, products
from tests.customers.making import make_customer

Actors = Callable[[str], Actor]

OFFER: dict[str, Any] = {
    "min_amount": Decimal("10000.00"),
    "max_amount": Decimal("3000000.00"),
    "max_term_days": 1100,
    "repayment_methods": ["equal_instalment", "interest_only"],
    "guarantee_modes": ["credit", "mortgage"],
    "day_count": "30/360",
    "margin_bp": 85,
    "grade_margins_bp": {"A": 0, "B": 40, "C": 90},
    "guarantee_discounts_bp": {"mortgage": 15},
    "repeat_discount_bp": 10,
    "rate_floor": Decimal("0.0345"),
    "rate_cap": Decimal("0.0550"),
    "required_documents": ["设备购销合同"],
}
TERMS: dict[str, Any] = {
    "amount": Decimal("800000.00"),
    "instalments": 36,
    "frequency_unit": "month",
    "frequency_every": 1,
    "repayment_method": "equal_instalment",
    "guarantee_mode": "credit",
    "purpose": "购置数控冲床 2 台",
    "stated_annual_sales": Decimal("8600000.00"),
}
FACTS: dict[str, Any] = {
    "visited_on": date(2026, 3, 2),
    "visit_place": "江北五金城 B 区 12 号",
    "repays_on_time": 2,
    "known_in_trade": 2,
    "family_stable": 1,
    "product_sells": 2,
    "margin_holds": 1,
    "buyers_spread": 1,
    "title_clear": 2,
    "assets_cover": 1,
    "assets_sellable": 0,
    "electricity_kwh": Decimal("257520.00"),
    "sales_per_kwh": Decimal("32.0000"),
    "water_m3": Decimal("3744.00"),
    "sales_per_m3": Decimal("2200.0000"),
    "taxed_sales": Decimal("6622000.00"),
    "opinion": "经营稳定,建议批准。",
    "deviation_note": "门市零售约占两成未开票。",
}


def publish_lpr() -> LprRate:
    return LprRate.objects.create(
        published_date=date(2025, 5, 20), one_year=Decimal("3.00"), five_year=Decimal("3.50"), source="NIFC"
    )


def draft_version(actor: Actor, product: Product | None = None, **changes: Any) -> ProductVersion:
    product = product or products.create_product(
        actor=actor, code="SB", name_zh="设备更新贷", name_en="Equipment renewal loan", family="term"
    )
    return products.draft_product_version(actor=actor, product_id=product.pk, **(OFFER | changes))


def product_on_sale(actors: Actors, product: Product | None = None, **changes: Any) -> ProductVersion:
    """Drafted and submitted by Qian, activated by Zhou; the prime rate is on file."""
    if not LprRate.objects.exists():
        publish_lpr()
    version = draft_version(actors("qian"), product, **changes)
    products.submit_product_version(actor=actors("qian"), product_version_id=version.pk)
    return products.activate_product_version(actor=actors("zhou"), product_version_id=version.pk)


def draft_file(actors: Actors, customer: Customer | None = None, **terms: Any) -> Application:
    lin = actors("lin")
    customer = customer or make_customer(lin)
    return applications.draft_application(actor=lin, customer_id=customer.pk, **(TERMS | terms))


def submitted_file(actors: Actors, **terms: Any) -> Application:
    application = draft_file(actors, **terms)
    return applications.submit_application(actor=actors("lin"), application_id=application.pk)


def investigated_file(actors: Actors, **facts: Any) -> Investigation:
    """A file being investigated, with all facts on it and no signature."""
    application = submitted_file(actors)
    applications.start_investigation(actor=actors("lin"), application_id=application.pk)
    investigation = Investigation.objects.get(application=application)
    return investigations.save_investigation(actor=actors("lin"), investigation_id=investigation.pk, **(FACTS | facts))


def signed_file(actors: Actors) -> Investigation:
    """Signed by Lin and then by Zhao."""
    investigation = investigated_file(actors)
    investigations.sign_as_owner(actor=actors("lin"), investigation_id=investigation.pk)
    return investigations.sign_as_second(actor=actors("zhao"), investigation_id=investigation.pk)
