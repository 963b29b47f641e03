"""From an accepted offer to a signed contract, and the conditions that stand before the money."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, Unmet
from branch.models import Attachment
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.services.attachments import attach
from branch.services.events import record
from branch.services.outbox import publish
from branch.services.transition import transition
from branch.services.use_case import use_case
from customers.services.relations import hold_links
from customers.services.screening import Moment, refuse_if_listed
from loans.domain.product_terms import ProductTerms
from loans.domain.terms import RepaymentMethod
from loans.models import Application, Condition, Contract
from loans.queries.renewals import require_conditions
from loans.services.cluster_room import require_cluster_room
from loans.services.documents import render_contract
from loans.services.exposure import hold_group
from loans.services.facilities import open_facility


@use_case("generate_contract")
def generate_contract(*, actor: Actor, application_id: int, expected_version: int | None = None) -> Contract:
    """Fix the terms of the accepted offer and make the paper in both languages."""
    with transition(
        Application, application_id, "contract", actor=actor, expected_version=expected_version
    ) as application:
        rate = application.approved_rate or Decimal(0)
        if not application.approved_amount or not rate:
            raise Unmet(_("The offer has no amount or rate."))
        refuse_if_listed(application.customer, Moment.CONTRACT)
        terms = ProductTerms.from_json(application.quote.get("terms", {}))
        contract = Contract.objects.create(
            number=_contract_number(application),
            application=application,
            customer_id=application.customer_id,
            owner_id=application.owner_id,
            office=application.office,
            amount=application.approved_amount,
            annual_rate=rate,
            penalty_rate=(rate * (1 + terms.overdue_uplift)).quantize(Decimal("0.000001")),
            day_count=application.product_version.day_count,
            instalments=application.instalments,
            frequency_unit=application.frequency_unit,
            frequency_every=application.frequency_every,
            repayment_method=application.repayment_method,
            plan=application.plan if application.repayment_method == RepaymentMethod.AGREED_PLAN else [],
            terms=terms.as_json(),
        )
    contract.pdf_zh = _paper(actor, contract, "zh-hans")
    contract.pdf_en = _paper(actor, contract, "en")
    contract.save()
    record("contract.create", contract, actor=actor)
    publish("contract.generated", contract_id=contract.pk)
    return contract


def _contract_number(application: Application) -> str:
    """The application's number with its own prefix; a further contract of the same file counts on."""
    earlier = application.contracts.count()
    base = application.number.replace("XW-", "HT-", 1)
    return base if not earlier else f"{base}-{earlier + 1}"


def _paper(actor: Actor, contract: Contract, language: str) -> Attachment:
    return attach(
        actor=actor,
        subject=contract,
        kind="contract",
        title=f"{contract.number}-{language[:2]}.pdf",
        upload=render_contract(contract, language),
    )


@use_case("sign_contract")
def sign_contract(*, actor: Actor, contract_id: int, expected_version: int | None = None) -> Contract:
    """Both sides have signed: the line stands, waiting for its conditions."""
    hold_links()
    with transition(Contract, contract_id, "sign", actor=actor, expected_version=expected_version) as contract:
        require_conditions(contract.application)
        hold_group(contract.customer)
        require_cluster_room(contract.customer, contract.amount, file=contract.application)
        refuse_if_listed(contract.customer, Moment.CONTRACT)
        contract.signed_date = business_date()
    open_facility(actor=actor, contract_id=contract.pk)
    publish("contract.signed", contract_id=contract.pk)
    return contract


@use_case("void_contract")
def void_contract(*, actor: Actor, contract_id: int, reason: str, expected_version: int | None = None) -> Contract:
    """The contract no longer holds. Raises Unmet once money was asked for under it."""
    with transition(
        Contract, contract_id, "void", actor=actor, reason=reason, expected_version=expected_version
    ) as contract:
        if not reason.strip():
            raise InvalidInput(fields={"reason": [_("Say why.")]})
        if contract.application.drawdowns.exclude(state__in=("refused", "cancelled")).exists():
            raise Unmet(_("Money was already asked for under this contract."))
    return contract


@use_case("meet_condition")
def meet_condition(
    *, actor: Actor, condition_id: int, document_id: int, expected_version: int | None = None
) -> Condition:
    """Tick a condition off against a document of the same file that the actor sees; InvalidInput for any other."""
    with transition(Condition, condition_id, "meet", actor=actor, expected_version=expected_version) as condition:
        document = visible(Attachment, actor).filter(pk=document_id, file_key=condition.file_key).first()
        if document is None:
            raise InvalidInput(fields={"document_id": [_("This document does not belong to the file.")]})
        condition.document = document
        condition.settled_by_id = actor.user_id
    return condition


@use_case("waive_condition")
def waive_condition(*, actor: Actor, condition_id: int, reason: str, expected_version: int | None = None) -> Condition:
    """Do without a condition, on the record, by whoever may decide."""
    with transition(
        Condition, condition_id, "waive", actor=actor, reason=reason, expected_version=expected_version
    ) as condition:
        if not reason.strip():
            raise InvalidInput(fields={"reason": [_("Say why.")]})
        condition.settled_by_id = actor.user_id
        condition.reason = reason
    return condition
