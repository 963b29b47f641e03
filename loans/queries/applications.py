"""What a file still lacks, what it may start from, and what can be checked of it before anybody visits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.text import capfirst

from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from customers.models import Customer
from customers.queries.merges import files_of
from customers.queries.records import year_total
from loans.domain.cross_checks import CheckResult, Tolerance, check_table
from loans.domain.findings import TABLES
from loans.models import Application, Investigation, Loan, ProductVersion
from loans.queries.products import active_version, on_sale

#: A year's use in the three tables → the metric of the customer's outside records that tells it.
RECORDED_AS = {"electricity_kwh": "electricity_kwh", "water_m3": "water_m3", "taxed_sales": "tax_declared"}


@dataclass(frozen=True)
class Missing:
    """A fact that must be there before a file is submitted. `of` is "customer" or "application"."""

    code: str
    of: str
    label: str


def missing_facts(application: Application) -> list[Missing]:
    """What is not on file yet, in the order of the page."""
    customer = application.customer
    wanted: list[tuple[str, Customer | Application, str]] = [
        *(("customer", customer, code) for code in _customer_facts(customer)),
        ("application", application, "purpose"),
        ("application", application, "stated_annual_sales"),
    ]
    return [
        Missing(code, of, capfirst(label_of(thing, code)))
        for of, thing, code in wanted
        if getattr(thing, code) in (None, "")
    ]


def label_of(thing: Customer | Application, field: str) -> str:
    column = thing._meta.get_field(field)
    return str(getattr(column, "verbose_name", field))


def fact_count(application: Application) -> int:
    """How many facts a complete file has."""
    return len(_customer_facts(application.customer)) + 2


def _customer_facts(customer: Customer) -> tuple[str, ...]:
    code = () if customer.kind == Customer.Kind.FARM_HOUSEHOLD else ("uscc",)
    return *code, "identity_number", "phone", "address", "industry", "repayment_account"


def earlier_loans(customer: Customer) -> int:
    """Loans the customer has had before, running ones included."""
    return Loan.objects.filter(customer__in=files_of(customer)).count()


def known_grade(application: Application) -> str:
    """The risk grade of this file's investigation; before there is one, of the customer's last; else empty."""
    rows = Investigation.objects.filter(customer__in=files_of(application.customer)).exclude(findings={})
    own = rows.filter(application_id=application.pk).first()
    found = own or rows.filter(state="closed").order_by("-pk").first()
    return str(found.findings.get("risk_grade") or "") if found else ""


def defaults_for(customer: Customer, version: ProductVersion | None = None) -> dict[str, Any]:
    """What a new application of this customer starts from: the terms of the last one filed, else the product's own.

    `version` is the product chosen, where one was; without one, that of the last file. Empty when nothing is on sale.
    """
    filed = Application.objects.filter(customer__in=files_of(customer)).exclude(state="draft")
    last = filed.select_related("product_version").order_by("-pk").first()
    if version is None:
        version = (last and active_version(last.product_version.product_id)) or on_sale().first()
    if version is None:
        return {}
    if last is not None and last.product_version.product_id == version.product_id:
        fields = (
            "amount", "instalments", "frequency_unit", "frequency_every", "repayment_method", "guarantee_mode",
            "principal_grace", "interest_grace", "due_day",
        )  # fmt: skip
        return {"product_version": version} | {field: getattr(last, field) for field in fields}
    return {
        "product_version": version,
        "amount": version.min_amount,
        "instalments": 12,
        "frequency_unit": "month",
        "frequency_every": 1,
        "repayment_method": version.repayment_methods[0],
        "guarantee_mode": version.guarantee_modes[0],
    }


@dataclass(frozen=True)
class TableCheck:
    """Sales the bank can check before anybody visits, against the stated ones; `source` says from what."""

    check: CheckResult
    source: str


def sales_checks(application: Application) -> list[TableCheck]:
    """The three tables as far as outside records cover a year and the last visit knew what a unit stands for."""
    stated = application.stated_annual_sales
    if stated is None:
        return []
    visited = (
        Investigation.objects.filter(customer__in=files_of(application.customer), state="closed")
        .order_by("-pk")
        .first()
    )
    tolerance = Tolerance(parameter("deviation.tolerance_green"), parameter("deviation.tolerance_amber"))
    checks = []
    for code, (use, ratio) in TABLES.items():
        usage = year_total(application.customer, RECORDED_AS[use], until=business_date())
        per_unit = getattr(visited, ratio, None) if ratio else Decimal(1)
        if usage is not None and per_unit is not None:
            result = check_table(code, stated_sales=stated, usage=usage, sales_per_unit=per_unit, tolerance=tolerance)
            checks.append(TableCheck(result, RECORDED_AS[use]))
    return checks
