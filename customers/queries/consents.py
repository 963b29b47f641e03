"""What customers have allowed on a day."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, QuerySet

from customers.models import Consent, Customer
from customers.queries.visibility import in_use


def in_force(on: date) -> QuerySet[Consent]:
    """Consents that hold on the day; a withdrawn one holds no longer from the day it was withdrawn."""
    return Consent.objects.filter(given_on__lte=on, expires_on__gte=on).exclude(withdrawn_on__lte=on)


def consenting(customers: QuerySet[Customer], scope: str, on: date) -> QuerySet[Customer]:
    """Those of `customers` who allow `scope` on the day; all in use where nothing has to be allowed."""
    customers = in_use(customers)
    if not scope:
        return customers
    # What the customer signed on a file that was merged into this one holds for it too.
    given = in_force(on).filter(scope=scope)
    own, merged = given.filter(customer=OuterRef("pk")), given.filter(customer__merged_into=OuterRef("pk"))
    return customers.filter(Exists(own) | Exists(merged))
