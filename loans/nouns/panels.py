"""What pages of other things show of lending: a customer's lines and loans, what a file renews."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.panels import Panel, panel
from customers.models import Campaign, Cluster, Customer
from customers.nouns.customers import CUSTOMER_NOUN
from customers.queries.merges import files_of, kept_id
from customers.queries.relations import network_of
from loans.models import Application, Drawdown, Facility, Investigation, Loan
from loans.nouns.facilities import FACILITY_NOUN
from loans.nouns.loans import LOAN_NOUN
from loans.nouns.movements import compared
from loans.queries.campaigns import booked_by
from loans.queries.clusters import cluster_exposure, products_for
from loans.queries.exposure import Exposure, exposures_of, group_limit, guarantees_of, own_limit
from loans.queries.renewals import CONDITION_WORDS, GROUND_WORDS, conditions_of, interest_to_pay, renewal_picture
from loans.queries.visibility_lending import LOAN_READERS

SHOWN = 20


@panel("customer")
def lines_and_loans(customer: Customer, actor: Actor) -> Panel | None:
    """The customer's lines and loans, newest first, as far as this person may see them."""
    lines = (
        visible(Facility, actor)
        .filter(customer__in=files_of(customer))
        .select_related("contract")
        .order_by("-pk")[:SHOWN]
    )
    loans = visible(Loan, actor).filter(customer__in=files_of(customer)).order_by("-pk")[:SHOWN]
    if not lines and not loans:
        return None
    context = {
        "facilities": lines,
        "loans": loans,
        "all_facilities": f"{FACILITY_NOUN.url()}?customer={customer.pk}",
        "all_loans": f"{LOAN_NOUN.url()}?customer={customer.pk}",
    }
    return Panel(_("Lines and loans"), "loans/_customer_panel.html", context, "lending")


@panel("campaign")
def what_it_booked(campaign: Campaign, actor: Actor) -> Panel:
    """How far the campaign's customers came in lending, and what a loan cost."""
    booked = booked_by([campaign.pk])[campaign.pk]
    context = {"booked": booked, "cost_per_loan": booked.cost_per_loan(campaign.spent)}
    return Panel(_("Down to loans"), "loans/_campaign_panel.html", context)


@panel("customer")
def group_exposure(customer: Customer, actor: Actor) -> Panel | None:
    """What the customer and those it is one risk with owe and may draw, against the limits."""
    if not actor.roles & LOAN_READERS:
        return None
    network, kept = network_of(customer, actor), kept_id(customer)
    exposures = exposures_of(network.group_customers or [kept])
    given = guarantees_of(network, exposures)
    own, together = exposures[kept], sum(exposures.values(), Exposure())
    context = {
        "members": [
            {
                "name": network.name_of(f"c{pk}"),
                "url": CUSTOMER_NOUN.url() + f"{pk}/" if pk in network.seen_customers and pk != kept else "",
                # What somebody else's customer owes is told in the sum alone.
                "exposure": one if pk == kept or pk in network.seen_customers else None,
                "guaranteed": given.get(pk),
            }
            for pk, one in exposures.items()
        ],
        "own": own,
        "own_limit": own_limit(customer),
        "together": together,
        "group_limit": group_limit(),
    }
    return Panel(_("Exposure"), "loans/_exposure_panel.html", context, "exposure")


@panel("customer")
def grades_over_time(customer: Customer, actor: Actor) -> Panel | None:
    """The risk grade each investigation came to, newest first."""
    rows = visible(Investigation, actor).filter(customer__in=files_of(customer)).exclude(findings={})
    found = [
        one for one in rows.select_related("application").order_by("-pk")[:SHOWN] if one.findings.get("risk_grade")
    ]
    if not found:
        return None
    return Panel(_("Risk grade over time"), "loans/_grades_panel.html", {"rows": found}, "grades")


@panel("application")
def what_it_renews(application: Application, actor: Actor) -> Panel | None:
    """The old loan, the five conditions as they stand, and the old plan beside the new."""
    loan = application.renews
    if loan is None:
        return None
    # What the renewal rested on stands in the record; once it is done, the conditions of today mean nothing.
    is_over = loan.state != "active"
    context = {
        "loan": loan,
        "statement": [
            (CONDITION_WORDS[code], application.renewal_statement.get(code, "")) for code in list(CONDITION_WORDS)[:2]
        ],
        "conditions": [
            (CONDITION_WORDS[held.condition], [GROUND_WORDS[ground] for ground in held.grounds])
            for held in (() if is_over else conditions_of(application))
        ],
        "interest": None if is_over else interest_to_pay(loan, business_date()),
        "movement": None if is_over else compared(renewal_picture(application) or {}),
    }
    return Panel(_("Renewal without repaying principal"), "loans/_renewal_panel.html", context)


@panel("drawdown")
def what_it_takes_over(drawdown: Drawdown, actor: Actor) -> Panel | None:
    return what_it_renews(drawdown.application, actor)


@panel("cluster")
def exposure_and_products(cluster: Cluster, actor: Actor) -> Panel | None:
    """What members have been lent and promised against the cap, and the products that are for them."""
    context = {"exposure": cluster_exposure(cluster), "cap": cluster.cap, "products": products_for(cluster)}
    return Panel(_("Exposure"), "loans/_cluster_panel.html", context)
