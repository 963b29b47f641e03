"""What the demo branch sells and watches: prime rates and products; drafted by Zhou, activated by Qian."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from desk.demo.people import actor
from loans.domain.lpr_history import LPR_HISTORY
from loans.services import prime_rates, products

DOCUMENTS = ["营业执照", "购销合同"]
_COMMON: dict[str, Any] = {
    "day_count": "actual/360",
    "grade_margins_bp": {"A": 0, "B": 60, "C": 120, "D": 240},
    "rate_floor": Decimal("0.03"),
    "rate_cap": Decimal("0.12"),
}
PRODUCTS: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
    (
        {"code": "ST", "name_zh": "短期经营贷", "name_en": "Short-term business loan", "family": "short_term"},
        {
            "min_amount": Decimal("10000"),
            "max_amount": Decimal("5000000"),
            "max_term_days": 366,
            "repayment_methods": ["equal_instalment", "equal_principal", "interest_only", "bullet"],
            "guarantee_modes": ["credit", "joint_liability", "mortgage"],
            "margin_bp": 90,
            "required_documents": DOCUMENTS,
        },
    ),
    (
        {"code": "EQ", "name_zh": "设备更新贷", "name_en": "Equipment loan", "family": "term"},
        {
            "min_amount": Decimal("50000"),
            "max_amount": Decimal("3000000"),
            "max_term_days": 1830,
            "repayment_methods": ["equal_instalment", "equal_principal"],
            "guarantee_modes": ["joint_liability", "mortgage", "pledge"],
            "margin_bp": 85,
            "required_documents": [*DOCUMENTS, "设备发票"],
        },
    ),
    (
        {"code": "RV", "name_zh": "随借随还小微贷", "name_en": "Revolving micro line", "family": "revolving"},
        {
            "min_amount": Decimal("5000"),
            "max_amount": Decimal("500000"),
            "max_term_days": 366,
            "repayment_methods": ["bullet", "interest_only"],
            "guarantee_modes": ["credit", "joint_liability"],
            "margin_bp": 120,
            "required_documents": ["营业执照"],
        },
    ),
)


def publish_policies() -> None:
    """Put prime rates and products in force."""
    rates = [
        {
            "published_date": rate.published_date,
            "one_year": rate.lpr_1y * 100,
            "five_year": rate.lpr_5y_plus * 100,
            "source": "National Interbank Funding Center",
        }
        for rate in LPR_HISTORY
    ]
    prime_rates.import_lpr(actor=actor("zhou"), rows=rates)
    for names, offer in PRODUCTS:
        product = products.create_product(actor=actor("zhou"), **names)
        version = products.draft_product_version(actor=actor("zhou"), product_id=product.pk, **_COMMON, **offer)
        products.submit_product_version(actor=actor("zhou"), product_version_id=version.pk)
        products.activate_product_version(actor=actor("qian"), product_version_id=version.pk)
