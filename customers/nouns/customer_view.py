"""The customer's page as sections, each a panel of its own; apps above add theirs under their keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.domain.calendar import add_months
from branch.domain.identity import mask_account, mask_phone, mask_resident_id
from branch.domain.money import format_money
from branch.queries.business_date import business_date
from branch.web.panels import Panel, panel, panels_of
from customers.models import Customer
from customers.queries.invoices import months_by_source
from customers.queries.metrics import metric_choices
from customers.queries.records import Series, record_series
from customers.queries.visibility import INVESTIGATORS

#: The order of the page; a section that does not stand here comes after these.
ORDER = (
    "merged", "identity", "files", "size", "people", "graph", "exposure", "leads", "applications", "lending",
    "repayment", "grades", "warnings", "documents", "consents", "records", "retention",
)  # fmt: skip
_OF_MERGED = ("merged", "identity", "looks")
#: What is left to tell of a customer whose personal data were erased.
_OF_ERASED = ("identity", "applications", "lending", "repayment", "retention", "looks")
REVEAL_CHOICES = [
    ("identity_number", _("Resident identity number")),
    ("phone", _("Phone")),
    ("address", _("Business address")),
    ("repayment_account", _("Repayment account")),
]


def sections(customer: Customer, actor: Actor) -> list[Panel]:
    """What this person sees of the customer, in the order of the page."""

    def place(one: Panel) -> int:
        return ORDER.index(one.key) if one.key in ORDER else len(ORDER)

    shown = sorted(panels_of("customer", customer, actor), key=place)
    # All that a merged file has is read with the file it was merged into.
    left = _OF_ERASED if customer.erased_on else _OF_MERGED if customer.is_merged else ()
    return [one for one in shown if one.key in left] if left else shown


def sees_figures(customer: Customer, actor: Actor) -> bool:
    """Whether outside figures of the customer are for this person."""
    return actor.holds(INVESTIGATORS, customer.office.path) or customer.owner_id == actor.user_id


def masks(customer: Customer) -> dict[str, str]:
    """The personal fields as everybody who sees the customer sees them; empty where nothing is on file."""
    tail = gettext("ending in {tail}")
    return {
        "identity_number": mask_resident_id(customer.identity_number) if customer.identity_number else "",
        "phone": mask_phone(customer.phone) if customer.phone else "",
        "address": f"{customer.address[:3]}****" if customer.address else "",
        "repayment_account": mask_account(customer.repayment_account, pattern=tail)
        if customer.repayment_account
        else "",
    }


@panel("customer")
def identity(customer: Customer, actor: Actor) -> Panel:
    personal = masks(customer)
    context = {
        "customer": customer,
        "known": [
            (_("Kind"), customer.get_kind_display()),
            (_("Unified social credit code"), customer.uscc),
            (_("Owner or legal representative"), customer.contact_name),
            (_("Industry"), customer.industry),
            (_("Established"), customer.established_date),
            (_("Employees"), customer.employees),
            (_("Last year's sales"), customer.annual_sales),
            (_("Account manager"), customer.owner),
            (_("Office"), customer.office),
        ],
        "personal": [(code, label, personal[code]) for code, label in REVEAL_CHOICES],
    }
    return Panel(_("Identity"), "customers/view/identity.html", context, "identity", whole=True)


@panel("customer")
def outside_figures(customer: Customer, actor: Actor) -> Panel | None:
    """What outside sources say of the customer, charted over time."""
    if not sees_figures(customer, actor):
        return None
    series = record_series(customer, until=business_date())
    labels = dict(metric_choices()) if series else {}
    charts = [*_invoice_charts(customer), *(_chart(number, one, labels) for number, one in enumerate(series))]
    if not charts:
        return None
    return Panel(_("Outside figures"), "customers/view/records.html", {"charts": charts}, "records", whole=True)


def _chart(number: int, series: Series, labels: dict[str, str]) -> dict[str, Any]:
    """A series as a chart whose heading says how the last month stands to the one before."""
    metric = labels[series.metric]
    last = series.points[-1]
    title = gettext("%(metric)s in %(month)s: %(value)s") % {
        "metric": metric,
        "month": f"{last.month:%Y-%m}",
        "value": f"{last.value:,.0f}",
    }
    return {
        "id": f"series-{number}",
        "title": title,
        "note": gettext("Source: %(source)s, received %(at)s")
        % {"source": series.source_name, "at": f"{timezone.localtime(series.received_at):%Y-%m-%d}"},
        "data": {
            "kind": "line",
            "x": [f"{point.month:%Y-%m}" for point in series.points],
            "series": [{"name": metric, "data": [float(point.value) for point in series.points]}],
        },
    }


def _invoice_charts(customer: Customer) -> list[dict[str, Any]]:
    """Sales and purchases by invoice, month by month, of each source; a month opens its invoices."""
    charts = []
    for source, months in months_by_source(customer).items():
        last = months[-1]
        of_customer = f"{reverse('invoice-list')}?customer={customer.pk}"
        ends = [add_months(m.month, 1) - timedelta(days=1) for m in months]
        rows = [
            f"{of_customer}&invoice_date__gte={m.month}&invoice_date__lte={end}"
            for m, end in zip(months, ends, strict=True)
        ]
        title = gettext(
            "%(amount)s of sales by invoice in the twelve months to %(month)s, %(active)d of them active"
        ) % {
            "amount": format_money(last.year_sales),
            "month": f"{last.month:%Y-%m}",
            "active": last.months_active,
        }
        charts.append(
            {
                "id": f"invoices-{source.pk}",
                "title": title,
                "note": gettext("Source: %(source)s, worked out %(at)s. Voids are left out, red invoices subtracted.")
                % {"source": source.name, "at": f"{timezone.localtime(last.refreshed_at):%Y-%m-%d %H:%M}"},
                "data": {
                    "kind": "line",
                    "x": [f"{m.month:%Y-%m}" for m in months],
                    "series": [
                        {"name": gettext("sales"), "data": [float(m.sales) for m in months], "urls": rows},
                        {"name": gettext("purchases"), "data": [float(m.purchases) for m in months], "urls": rows},
                    ],
                },
            }
        )
    return charts
