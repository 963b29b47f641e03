"""What the demo branch sells and watches: prime rates and products; drafted by Zhou, activated by Qian."""

from __future__ import annotations

import os
from decimal import Decimal
from typing import Any

from django.conf import settings

from customers.services import feeds, record_sources
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
            "repayment_methods": ["bullet", "interest_only", "pay_as_you_use"],
            "guarantee_modes": ["credit", "joint_liability"],
            "guarantee_caps": {"credit": {"max_amount": "300000.00"}},
            "margin_bp": 120,
            "required_documents": ["营业执照"],
        },
    ),
    (
        {"code": "SE", "name_zh": "商铺抵押贷", "name_en": "Loan on shop premises", "family": "secured"},
        {
            "customer_kinds": ["company", "sole_trader"],
            "min_amount": Decimal("100000"),
            "max_amount": Decimal("5000000"),
            "min_term_days": 180,
            "max_term_days": 3660,
            "repayment_methods": ["equal_instalment", "equal_principal", "interest_only", "agreed_plan"],
            "frequencies": ["month:1", "month:3"],
            "due_day_rule": "chosen",
            "holiday_roll": "following",
            "max_principal_grace": 6,
            "guarantee_modes": ["mortgage", "joint_liability"],
            "guarantee_caps": {"mortgage": {"max_amount": "5000000.00"}, "joint_liability": {"share": "0.3"}},
            "margin_bp": 60,
            "guarantee_discounts_bp": {"mortgage": 20},
            "repeat_discount_bp": 10,
            "rate_kind": "floating",
            "repricing": "every_months",
            "repricing_months": 12,
            "surplus": "lower_instalment",
            "required_documents": [*DOCUMENTS, "不动产权证书", "评估报告"],
        },
    ),
    (
        {"code": "SC", "name_zh": "应收账款贷", "name_en": "Loan on receivables", "family": "supply_chain"},
        {
            "customer_kinds": ["company"],
            "size_classes": ["micro", "small", "medium"],
            "min_amount": Decimal("20000"),
            "max_amount": Decimal("2000000"),
            "max_term_days": 185,
            "repayment_methods": ["bullet", "agreed_plan"],
            "holiday_roll": "following",
            "interest_follows_holiday": True,
            "guarantee_modes": ["pledge"],
            "margin_bp": 75,
            "overdue_uplift": Decimal("0.30"),
            "grace_days": 3,
            "surplus": "next_instalment",
            "required_documents": ["购销合同", "应收账款确认书"],
        },
    ),
    (
        {"code": "RN", "name_zh": "无还本续贷", "name_en": "Renewal without repaying principal", "family": "renewal"},
        {
            "risk_grades": ["A", "B"],
            "min_amount": Decimal("10000"),
            "max_amount": Decimal("3000000"),
            "max_term_days": 1097,
            "repayment_methods": ["interest_only", "equal_principal", "flat"],
            "frequencies": ["month:1", "month:3"],
            "guarantee_modes": ["credit", "joint_liability", "mortgage"],
            "margin_bp": 80,
            "repeat_discount_bp": 15,
            "rate_kind": "floating",
            "repricing": "each_january",
            "offer_validity_days": 30,
            "payoff_interest": "to_date",
            "required_documents": ["营业执照", "续贷申请书"],
        },
    ),
)


#: Who tells the branch figures: code and name.
SOURCES = (
    ("grid", "国家电网", ""),
    ("water", "自来水公司", ""),
    ("tax", "税务局", "tax"),
    ("bank", "结算账户流水", ""),
    ("courts", "法院公告", ""),
)
#: What the sandbox provider is asked: name, source, layout, path, columns.
FEEDS: tuple[tuple[str, str, str, str, dict[str, str]], ...] = (
    (
        "税务申报", "tax", "months", "/tax",
        {"period_month": "period", "metric_tax_declared": "sales.declared", "metric_tax_paid": "paid",
         "metric_headcount": "insured"},
    ),
    (
        "涉诉公告", "courts", "notices", "/courts",
        {"metric": "kind", "occurred_on": "date", "reference": "number", "value": "amount", "text": "matter"},
    ),
)  # fmt: skip


def publish_policies() -> None:
    """Register the sources of figures; put prime rates and products in force."""
    sources = {
        code: record_sources.create_source(actor=actor("zhou"), code=code, name=name, consent_scope=scope).pk
        for code, name, scope in SOURCES
    }
    _set_up_feeds(sources)
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


def _set_up_feeds(sources: dict[str, int]) -> None:
    """Ask the sandbox provider, where one runs beside the demo."""
    token = os.environ.get("PROVIDER_TOKEN", "")
    if not (settings.PROVIDER_ORIGINS and token):
        return
    for name, source, layout, path, columns in FEEDS:
        feeds.create_feed(
            actor=actor("zhou"),
            name=name,
            source_id=sources[source],
            layout=layout,
            url=f"{settings.PROVIDER_ORIGINS[0]}{path}?uscc={{uscc}}&until={{month}}",
            auth="bearer",
            secret=token,
            rows_path="data.rows",
            paging="next",
            paging_name="data.next",
            columns=columns,
        )
