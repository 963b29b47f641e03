"""Customers: taking one on, correcting what is known, handing over, showing personal data with a reason."""

from __future__ import annotations

from typing import Unpack

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.machine import Transition
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.services.events import record
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, create, lock, may, require_in_use
from branch.services.use_case import use_case
from customers.models import Customer
from customers.queries.offices import account_manager, person_id, working_office
from customers.queries.visibility import CUSTOMER_READERS
from customers.services.profile import Profile, apply_profile, taken_numbers_refused
from customers.services.relations import hold_links, link_parties
from customers.services.screening import screen_customer

MANAGER = frozenset({Role.ACCOUNT_MANAGER})
#: Personal fields that stand masked and can be shown in clear one at a time.
REVEALABLE = ("identity_number", "phone", "address", "repayment_account")


@use_case("create_customer")
def create_customer(*, actor: Actor, **values: Unpack[Profile]) -> Customer:
    """A new customer of the acting account manager.

    Raises InvalidInput by field: a number whose check digit fails, or one that is on another file.
    """
    hold_links()
    customer = Customer(owner_id=person_id(actor), office=working_office(actor, Role.ACCOUNT_MANAGER))
    apply_profile(customer, {"kind": "", "name": "", "contact_name": "", **values}, actor=actor)
    with taken_numbers_refused():
        create(customer, actor=actor, roles=MANAGER)
    link_parties(customer)
    screen_customer(customer)
    return customer


@use_case("update_customer")
def update_customer(
    *, actor: Actor, customer_id: int, expected_version: int | None = None, **values: Unpack[Profile]
) -> Customer:
    """Change the given facts and leave the others. Raises InvalidInput by field."""
    hold_links()
    with (
        taken_numbers_refused(),
        change(
            Customer, customer_id, "update", actor=actor, roles=MANAGER, expected_version=expected_version
        ) as customer,
    ):
        before = {field: getattr(customer, field) for field in REVEALABLE}
        former_numbers = (customer.uscc, customer.identity_digest)
        apply_profile(customer, values, actor=actor)
        hidden = [field for field in REVEALABLE if getattr(customer, field) != before[field]]
    link_parties(customer, former_numbers)
    if hidden:
        # Their values stand nowhere in the record, so the change itself is told by name.
        record("customer.update_personal", customer, actor=actor, before={}, after={"fields": hidden})
    screen_customer(customer)
    return customer


@use_case("reassign_customer")
def reassign_customer(
    *, actor: Actor, customer_id: int, owner_id: int, reason: str, expected_version: int | None = None
) -> Customer:
    """Hand a customer to another account manager; running files stay with the one who filed them."""
    reason = clean_reason(reason)
    roles = frozenset({Role.BRANCH_MANAGER})
    with change(
        Customer,
        customer_id,
        "reassign",
        actor=actor,
        roles=roles,
        reason=reason,
        expected_version=expected_version,
    ) as customer:
        customer.owner = account_manager(owner_id, customer.office)
    publish("customer.reassigned", customer_id=customer.pk, owner_id=owner_id)
    return customer


@use_case("reveal_personal")
def reveal_personal(*, actor: Actor, customer_id: int, field: str, reason: str) -> str:
    """The value of a personal field in clear; who looked and why stands in the record before it is shown."""
    if field not in REVEALABLE:
        raise InvalidInput(fields={"field": [_("Choose one of the masked fields.")]})
    if not reason.strip():
        raise InvalidInput(fields={"reason": [_("Say why you need it.")]})
    customer = lock(Customer, customer_id, actor, even_retired=True)
    require_in_use(customer)
    roles = CUSTOMER_READERS | MANAGER
    if not may(actor, Transition("reveal", (), "", roles), customer):
        raise PermissionRefused(_("Your role does not allow this here."), event="reveal")
    record("customer.reveal", customer, actor=actor, before={}, after={"field": field}, reason=reason.strip())
    return str(getattr(customer, field))
