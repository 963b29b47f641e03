"""The size class of a customer, with the figures and the bounds behind it."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from branch.domain.actor import Actor
from branch.web.panels import Panel, panel
from customers.domain.size_class import TEN_THOUSAND, Metric, SizeClass, sector_of, size_class
from customers.models import Customer

CLASS_WORDS = {
    SizeClass.MICRO: pgettext_lazy("size", "Micro"),
    SizeClass.SMALL: pgettext_lazy("size", "Small"),
    SizeClass.MEDIUM: pgettext_lazy("size", "Medium"),
    SizeClass.LARGE: pgettext_lazy("size", "Large"),
}
METRIC_WORDS = {
    Metric.EMPLOYEES: _("Employees"),
    Metric.SALES: _("Sales of a year, 10,000 yuan"),
    Metric.ASSETS: _("Total assets, 10,000 yuan"),
}


@panel("customer")
def size(customer: Customer, actor: Actor) -> Panel:
    found = size_class(customer.industry, employees=customer.employees, sales=customer.annual_sales)
    sector = sector_of(customer.industry)
    known = {
        Metric.EMPLOYEES: None if customer.employees is None else Decimal(customer.employees),
        Metric.SALES: None if customer.annual_sales is None else customer.annual_sales / TEN_THOUSAND,
    }
    context = {
        "size": CLASS_WORDS.get(found) if found else None,
        "sector": sector.name,
        "rows": [
            {"metric": METRIC_WORDS[bound.metric], "value": known.get(bound.metric), "bound": bound}
            for bound in sector.bounds
        ],
    }
    return Panel(_("Size class"), "customers/view/size.html", context, "size")
