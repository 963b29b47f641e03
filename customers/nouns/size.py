"""The size class of a customer, with the figures and the bounds behind it."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.web.panels import Panel, panel
from customers.domain.size_class import TEN_THOUSAND, Metric, sector_of
from customers.models import Customer
from customers.queries.size_classes import SIZE_CLASSES, size_class_of

METRIC_WORDS = {
    Metric.EMPLOYEES: _("Employees"),
    Metric.SALES: _("Sales of a year, 10,000 yuan"),
    Metric.ASSETS: _("Total assets, 10,000 yuan"),
}


@panel("customer")
def size(customer: Customer, actor: Actor) -> Panel:
    sector = sector_of(customer.industry)
    known = {
        Metric.EMPLOYEES: None if customer.employees is None else Decimal(customer.employees),
        Metric.SALES: None if customer.annual_sales is None else customer.annual_sales / TEN_THOUSAND,
    }
    context = {
        "size": SIZE_CLASSES.get(size_class_of(customer)),
        "sector": sector.name,
        "rows": [
            {"metric": METRIC_WORDS[bound.metric], "value": known.get(bound.metric), "bound": bound}
            for bound in sector.bounds
        ],
    }
    return Panel(_("Size class"), "customers/view/size.html", context, "size")
