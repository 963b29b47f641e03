"""Consents: recorded from a signed paper, withdrawn when the customer says so. Every pull looks at them."""

from __future__ import annotations

from datetime import date

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, NotFound, WrongState
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.inputs import clean_reason
from branch.services.transition import change, create, require_open
from branch.services.use_case import use_case
from customers.models import Consent, ConsentScope, Customer
from customers.queries.offices import person_id

RECORDERS = frozenset({Role.ACCOUNT_MANAGER})
WITHDRAWERS = RECORDERS | {Role.BRANCH_MANAGER, Role.POST_LOAN_OFFICER}


@use_case("record_consent")
def record_consent(
    *, actor: Actor, customer_id: int, scope: str, given_by_name: str, given_on: date, expires_on: date
) -> Consent:
    """Note what a customer allowed. Raises InvalidInput by field."""
    customer = visible(Customer, actor).filter(pk=customer_id).select_related("office").first()
    if customer is None:
        raise NotFound(_("There is no such record."))
    require_open(customer)
    errors: dict[str, list[str]] = {}
    if scope not in ConsentScope.values:
        errors["scope"] = [_("Choose what it is for.")]
    if not given_by_name.strip():
        errors["given_by_name"] = [_("This field is required.")]
    if given_on > business_date():
        errors["given_on"] = [_("This date lies in the future.")]
    if expires_on < given_on:
        errors["expires_on"] = [_("It ends before it begins.")]
    if errors:
        raise InvalidInput(fields=errors)
    consent = Consent(
        office=customer.office,
        customer=customer,
        owner_id=person_id(actor),
        scope=scope,
        given_by_name=given_by_name.strip(),
        given_on=given_on,
        expires_on=expires_on,
    )
    return create(consent, actor=actor, roles=RECORDERS)


@use_case("withdraw_consent")
def withdraw_consent(*, actor: Actor, consent_id: int, reason: str, expected_version: int | None = None) -> Consent:
    """From today on it no longer holds; what was pulled before stays. Raises WrongState for one withdrawn before."""
    reason = clean_reason(reason)
    with change(
        Consent,
        consent_id,
        "withdraw",
        actor=actor,
        roles=WITHDRAWERS,
        reason=reason,
        expected_version=expected_version,
    ) as consent:
        if consent.withdrawn_on is not None:
            raise WrongState(_("It was withdrawn before."))
        consent.withdrawn_on = business_date()
    return consent
