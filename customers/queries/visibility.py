"""Who sees which leads, customers and outside figures."""

from __future__ import annotations

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import owned_or_within, scope, within_offices
from customers.models import Customer, ExternalRecord, Lead

LEAD_READERS = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR})
INVESTIGATORS = LEAD_READERS | {Role.CO_INVESTIGATOR, Role.RISK_REVIEWER, Role.APPROVER, Role.POST_LOAN_OFFICER}
CUSTOMER_READERS = INVESTIGATORS | {Role.DISBURSEMENT_OFFICER, Role.LOAN_ACCOUNTANT}


@scope(Lead)
def leads(rows: QuerySet[Lead], actor: Actor) -> QuerySet[Lead]:
    return owned_or_within(rows, actor, subtree=LEAD_READERS)


@scope(Customer)
def customers(rows: QuerySet[Customer], actor: Actor) -> QuerySet[Customer]:
    return owned_or_within(rows, actor, subtree=CUSTOMER_READERS)


@scope(ExternalRecord)
def external_records(rows: QuerySet[ExternalRecord], actor: Actor) -> QuerySet[ExternalRecord]:
    return owned_or_within(rows, actor, subtree=INVESTIGATORS, owner="customer__owner", office="customer__office")


def pushable_customers(actor: Actor) -> QuerySet[Customer]:
    """Customers an integration client may send figures of; it can't read them."""
    return Customer.objects.filter(within_offices(actor, {Role.INTEGRATION}))
