"""Credit lines: opened by the signed contract, effective once its conditions are settled, frozen and ended."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from branch.domain.actor import Actor, system_actor
from branch.domain.money import format_money
from branch.domain.refusals import InvalidInput, Unmet
from branch.domain.roles import Duty, Role
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, create, lock, take_duty, transition
from branch.services.use_case import use_case
from customers.services.screening import Moment, refuse_if_listed
from loans.domain.periods import Frequency, Unit
from loans.models import Contract, Drawdown, Facility, Loan, Product
from loans.queries.facilities import open_conditions, open_drawdowns, undrawn_amount
from loans.queries.terms import end_of_term, plan_rows, terms_of
from loans.services.cluster_room import require_cluster_room
from loans.services.inputs import clean_amount

LIMIT_SETTERS = frozenset({Role.BRANCH_MANAGER})
OPENERS = frozenset({Role.ACCOUNT_MANAGER})
LOAN_OVER = ("settled", "renewed", "recovered")
#: A failed one can be tried again only while the line is effective.
DRAWDOWN_OVER = ("disbursed", "refused", "cancelled", "failed")


@use_case("open_facility")
def open_facility(*, actor: Actor, contract_id: int) -> Facility:
    """The line of a contract just signed: its limit is the contract's amount, its term the contract's term.

    Raises NotFound, or Unmet when the contract is not signed.
    """
    contract = lock(Contract, contract_id, actor)
    family = contract.application.product_version.product.family
    facility = Facility(
        office=contract.office,
        contract=contract,
        application_id=contract.application_id,
        customer_id=contract.customer_id,
        owner_id=contract.owner_id,
        limit_amount=contract.amount,
        maturity_date=contract_end(contract),
        is_revolving=family == Product.Family.REVOLVING,
    )
    return create(facility, actor=actor, roles=OPENERS, event="open")


def contract_end(contract: Contract) -> date:
    """The last due date of a loan paid out on the day of signing. Raises Unmet before it is signed."""
    if contract.state != "signed" or contract.signed_date is None:
        raise Unmet(_("The contract is not signed."))
    frequency = Frequency(Unit(contract.frequency_unit), contract.frequency_every)
    plan = plan_rows(contract.plan)
    return end_of_term(terms_of(contract), contract.signed_date, contract.instalments, frequency, plan)


@use_case("make_effective")
def make_effective(*, actor: Actor, facility_id: int, expected_version: int | None = None) -> Facility:
    """Money may be released from now on. Raises Unmet with the conditions still open."""
    with transition(
        Facility, facility_id, "make_effective", actor=actor, expected_version=expected_version
    ) as facility:
        if facility.contract.state != "signed":
            raise Unmet(_("The contract is not signed."), contract=facility.contract.number)
        require_settled_conditions(facility.application_id)
        refuse_if_listed(facility.customer, Moment.LINE)
    publish("facility.effective", facility_id=facility.pk)
    return facility


def require_settled_conditions(application_id: int) -> None:
    """Raises Unmet naming every condition that is neither met nor waived."""
    unsettled = list(open_conditions(application_id))
    if unsettled:
        raise Unmet(
            _("%(count)s conditions are still open.") % {"count": len(unsettled)},
            open_conditions=[{"id": condition.pk, "title": condition.title} for condition in unsettled],
        )


@use_case("freeze_facility")
def freeze_facility(*, actor: Actor, facility_id: int, reason: str, expected_version: int | None = None) -> Facility:
    """Nothing more is drawn until it is unfrozen; what is drawn stays as it is."""
    reason = clean_reason(reason)
    with transition(
        Facility, facility_id, "freeze", actor=actor, reason=reason, expected_version=expected_version
    ) as facility:
        pass
    publish("facility.frozen", facility_id=facility.pk)
    return facility


@use_case("unfreeze_facility")
def unfreeze_facility(*, actor: Actor, facility_id: int, reason: str, expected_version: int | None = None) -> Facility:
    """It may be drawn again. Raises Unmet while a screening hit of the customer is not cleared."""
    reason = clean_reason(reason)
    with transition(
        Facility, facility_id, "unfreeze", actor=actor, reason=reason, expected_version=expected_version
    ) as facility:
        refuse_if_listed(facility.customer, Moment.LINE)
    return facility


@use_case("change_facility_limit")
def change_facility_limit(
    *, actor: Actor, facility_id: int, limit_amount: Decimal, reason: str, expected_version: int | None = None
) -> Facility:
    """Another limit for an effective or frozen line: not below what is drawn or asked for, nor above the contract.

    Raises InvalidInput; more than was signed takes a new contract. More than before is refused with Unmet while a
    screening hit of the customer is not cleared; less goes on.
    """
    limit_amount, reason = clean_amount(limit_amount, "limit_amount"), clean_reason(reason)
    with change(
        Facility, facility_id, "change_limit", actor=actor, roles=LIMIT_SETTERS, states=("effective", "frozen"),
        reason=reason, expected_version=expected_version,
    ) as facility:  # fmt: skip
        take_duty(actor, facility.file_key, Duty.APPROVE)
        taken = facility.limit_amount - undrawn_amount(facility)
        if not taken <= limit_amount <= facility.contract.amount:
            message = _("Choose an amount from %(least)s, drawn or asked for, to %(most)s, signed.") % {
                "least": format_money(taken), "most": format_money(facility.contract.amount),
            }  # fmt: skip
            raise InvalidInput(fields={"limit_amount": [message]})
        if limit_amount > facility.limit_amount:
            # The customer is locked before its clusters, as where a file is submitted or signed.
            refuse_if_listed(facility.customer, Moment.LINE)
            require_cluster_room(facility.customer, limit_amount - facility.limit_amount)
        facility.limit_amount = limit_amount
    publish("facility.limit_changed", facility_id=facility.pk)
    return facility


@use_case("cancel_facility")
def cancel_facility(*, actor: Actor, facility_id: int, reason: str, expected_version: int | None = None) -> Facility:
    """Give up a line nothing was drawn from. Raises Unmet while a drawdown is requested."""
    reason = clean_reason(reason)
    with transition(
        Facility, facility_id, "cancel", actor=actor, reason=reason, expected_version=expected_version
    ) as facility:
        waiting = list(open_drawdowns(facility.pk).values_list("number", flat=True))
        if waiting:
            raise Unmet(_("A drawdown is still requested. Cancel or refuse it first."), drawdowns=waiting)
    return facility


@use_case("mature_facility")
def mature_facility(*, facility_id: int, on_date: date) -> Facility:
    """The term is over. Raises Unmet before that day."""
    with transition(Facility, facility_id, "mature", actor=system_actor()) as facility:
        if facility.maturity_date > on_date:
            raise Unmet(_("The line has not matured."), maturity_date=str(facility.maturity_date))
    return facility


@use_case("close_facility")
def close_facility(*, actor: Actor, facility_id: int, expected_version: int | None = None) -> Facility:
    """The end of a matured line. Raises Unmet while a loan or drawdown of it is open."""
    with transition(Facility, facility_id, "close", actor=actor, expected_version=expected_version) as facility:
        loans = Loan.objects.filter(drawdown__facility=facility).exclude(state__in=LOAN_OVER)
        unfinished = [*loans.values_list("number", flat=True)]
        unfinished += facility.drawdowns.exclude(state__in=DRAWDOWN_OVER).values_list("number", flat=True)
        if unfinished:
            raise Unmet(_("Not everything under this line is finished."), unfinished=unfinished)
    return facility


def due_to_mature(on_date: date) -> list[int]:
    """Lines whose term is over by `on_date` and that are still open, oldest first."""
    rows = Facility.objects.filter(state__in=("effective", "frozen"), maturity_date__lte=on_date)
    return list(rows.order_by("maturity_date", "pk").values_list("pk", flat=True))


def due_to_close() -> list[int]:
    """Matured lines under which everything is finished."""
    loans = Loan.objects.filter(drawdown__facility=OuterRef("pk")).exclude(state__in=LOAN_OVER)
    drawdowns = Drawdown.objects.filter(facility=OuterRef("pk")).exclude(state__in=DRAWDOWN_OVER)
    rows = Facility.objects.filter(~Exists(loans), ~Exists(drawdowns), state="matured")
    return list(rows.order_by("pk").values_list("pk", flat=True))


def take_from_limit(facility_id: int, amount: Decimal, *, event: str, actor: Actor, roles: frozenset[Role]) -> Facility:
    """Reserve `amount` of the limit, or give it back when negative. Raises Unmet when it is too much."""
    with change(Facility, facility_id, event, actor=actor, roles=roles) as facility:
        drawn = facility.drawn_amount + amount
        if not 0 <= drawn <= facility.limit_amount:
            left = facility.limit_amount - facility.drawn_amount
            raise Unmet(_("The line has %(left)s left.") % {"left": format_money(left)}, left=str(left))
        facility.drawn_amount = drawn
    return facility
