"""Who sees products, applications and investigations; what is lent on them stands in visibility_lending."""

from __future__ import annotations

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import STAFF as STAFF
from branch.domain.roles import Role
from branch.queries.visibility import owned_or_within, scope, within_offices
from loans.models import Application, Investigation, LprRate, Product, ProductVersion

FILE_READERS = frozenset({Role.CO_INVESTIGATOR, Role.RISK_REVIEWER, Role.APPROVER, Role.BRANCH_MANAGER, Role.AUDITOR})
#: From the offer on, those who release money see the file.
DECIDED = ("approved", "offer_accepted", "contracted")


@scope(Application)
def applications(rows: QuerySet[Application], actor: Actor) -> QuerySet[Application]:
    approved = rows.filter(within_offices(actor, {Role.DISBURSEMENT_OFFICER}), state__in=DECIDED)
    return owned_or_within(rows, actor, subtree=FILE_READERS) | approved


@scope(Investigation)
def investigations(rows: QuerySet[Investigation], actor: Actor) -> QuerySet[Investigation]:
    return owned_or_within(rows, actor, subtree=FILE_READERS)


@scope(Product)
def products(rows: QuerySet[Product], actor: Actor) -> QuerySet[Product]:
    return rows if actor.roles & STAFF else rows.none()


@scope(ProductVersion)
def product_versions(rows: QuerySet[ProductVersion], actor: Actor) -> QuerySet[ProductVersion]:
    return rows if actor.roles & STAFF else rows.none()


@scope(LprRate)
def lpr_rates(rows: QuerySet[LprRate], actor: Actor) -> QuerySet[LprRate]:
    return rows if actor.roles & STAFF else rows.none()
