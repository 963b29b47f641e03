"""Noting who looked at a customer."""

from __future__ import annotations

from branch.domain.actor import Actor
from branch.queries.business_date import business_date
from customers.models import Customer, CustomerLook


def note_look(customer: Customer, actor: Actor) -> None:
    """Once per person, customer and business day; no event, as nothing changed."""
    if actor.user_id is not None:
        look = CustomerLook(customer=customer, user_id=actor.user_id, date=business_date())
        CustomerLook.objects.bulk_create([look], ignore_conflicts=True)
