"""A warning case worked to its end: assigned, verified, acted on, closed with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput, PermissionRefused, Unmet
from branch.domain.roles import Role
from branch.queries.actors import holders_of
from branch.services.inputs import clean_reason
from branch.services.outbox import publish
from branch.services.transition import change, transition
from branch.services.use_case import use_case
from customers.queries.merges import files_of
from loans.models import Facility
from loans.services.facilities import freeze_facility
from loans.services.inputs import clean_text
from postloan.models import WarningCase
from postloan.services.collection import open_for_customer

OFFICERS = frozenset({Role.POST_LOAN_OFFICER})
REASSIGNERS = frozenset({Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER})
#: States in which the officer is at work on it.
WORKING = ("verifying", "acting")
LONGEST_TEXT = 4000


@use_case("assign_case")
def assign_case(
    *, actor: Actor, warning_case_id: int, officer_id: int, expected_version: int | None = None
) -> WarningCase:
    """Give an open case to a post-loan officer of its office. Raises InvalidInput for anybody else."""
    with transition(WarningCase, warning_case_id, "assign", actor=actor, expected_version=expected_version) as case:
        _give_to(case, officer_id)
    publish("warning_case.assigned", warning_case_id=case.pk)
    return case


@use_case("reassign_case")
def reassign_case(
    *, actor: Actor, warning_case_id: int, officer_id: int, reason: str, expected_version: int | None = None
) -> WarningCase:
    """Give a case somebody has to another officer, with the reason."""
    with change(
        WarningCase,
        warning_case_id,
        "reassign",
        actor=actor,
        roles=REASSIGNERS,
        states=("assigned", *WORKING),
        reason=clean_reason(reason),
        expected_version=expected_version,
    ) as case:
        _give_to(case, officer_id)
    publish("warning_case.assigned", warning_case_id=case.pk)
    return case


def _give_to(case: WarningCase, officer_id: int) -> None:
    if officer_id not in holders_of(Role.POST_LOAN_OFFICER, case.office.path):
        raise InvalidInput(fields={"officer_id": [_("Choose a post-loan officer of this office.")]})
    case.officer_id = officer_id


@use_case("start_verification")
def start_verification(*, actor: Actor, warning_case_id: int, expected_version: int | None = None) -> WarningCase:
    """The officer begins to find out what is behind the signals."""
    with _moved(actor, warning_case_id, "verify", expected_version) as case:
        pass
    return case


@use_case("record_findings")
def record_findings(
    *, actor: Actor, warning_case_id: int, findings: str, expected_version: int | None = None
) -> WarningCase:
    """What was found so far; the record keeps every earlier wording."""
    with change(
        WarningCase,
        warning_case_id,
        "record_findings",
        actor=actor,
        roles=OFFICERS,
        states=WORKING,
        expected_version=expected_version,
    ) as case:
        _require_officer(actor, case)
        case.findings = _text(findings, "findings")
    return case


@use_case("record_action")
def record_action(
    *,
    actor: Actor,
    warning_case_id: int,
    action: str,
    findings: str = "",
    expected_version: int | None = None,
) -> WarningCase:
    """The signals hold: what is done about them, and what was found where that is not written down yet."""
    with _moved(actor, warning_case_id, "act", expected_version) as case:
        if findings.strip() or not case.findings:
            case.findings = _text(findings, "findings")
        case.action = _text(action, "action")
    return case


@use_case("freeze_line")
def freeze_line(
    *, actor: Actor, warning_case_id: int, facility_id: int, reason: str, expected_version: int | None = None
) -> WarningCase:
    """Freeze a line of the case's customer: nothing more is drawn. Raises WrongState unless it is effective."""
    reason = clean_reason(reason)
    with change(
        WarningCase,
        warning_case_id,
        "freeze_line",
        actor=actor,
        roles=OFFICERS,
        states=WORKING,
        reason=reason,
        expected_version=expected_version,
    ) as case:
        _require_officer(actor, case)
        if not Facility.objects.filter(pk=facility_id, customer__in=files_of(case.customer)).exists():
            raise InvalidInput(fields={"facility_id": [_("Choose a line of this customer.")]})
        freeze_facility(actor=actor, facility_id=facility_id, reason=f"{case.number}: {reason}")
    return case


@use_case("resolve_case")
def resolve_case(
    *, actor: Actor, warning_case_id: int, reason: str, expected_version: int | None = None
) -> WarningCase:
    """What the signals pointed to is dealt with. Raises Unmet before anything was found."""
    with _closed(actor, warning_case_id, "resolve", reason, expected_version) as case:
        if not case.findings:
            raise Unmet(_("Write down what was found first."), missing="findings")
        case.outcome = WarningCase.Outcome.RESOLVED
    return case


@use_case("dismiss_case")
def dismiss_case(
    *, actor: Actor, warning_case_id: int, reason: str, expected_version: int | None = None
) -> WarningCase:
    """A false alarm, with the reason."""
    with _closed(actor, warning_case_id, "dismiss", reason, expected_version) as case:
        case.outcome = WarningCase.Outcome.FALSE_ALARM
    return case


@use_case("transfer_to_collection")
def transfer_to_collection(
    *, actor: Actor, warning_case_id: int, reason: str, expected_version: int | None = None
) -> WarningCase:
    """Hand the customer's overdue loans to collection. Raises Unmet where none is past due."""
    with _closed(actor, warning_case_id, "transfer", reason, expected_version) as case:
        if not open_for_customer(actor=actor, customer_id=case.customer_id, note=clean_reason(reason)):
            raise Unmet(_("No loan of this customer is past due."), missing="loan_past_due")
        case.outcome = WarningCase.Outcome.TRANSFERRED
    return case


@contextmanager
def _moved(actor: Actor, case_id: int, event: str, version: int | None, reason: str = "") -> Iterator[WarningCase]:
    with transition(WarningCase, case_id, event, actor=actor, reason=reason, expected_version=version) as case:
        _require_officer(actor, case)
        yield case


@contextmanager
def _closed(actor: Actor, case_id: int, event: str, reason: str, version: int | None) -> Iterator[WarningCase]:
    with _moved(actor, case_id, event, version, clean_reason(reason)) as case:
        yield case
        case.closed_at = timezone.now()
    publish("warning_case.closed", warning_case_id=case.pk)


def _require_officer(actor: Actor, case: WarningCase) -> None:
    if case.officer_id != actor.user_id:
        raise PermissionRefused(_("This case is with another officer."), officer_id=case.officer_id)


def _text(text: str, field: str) -> str:
    """Several lines, trimmed. Raises InvalidInput when empty or too long."""
    lines = "\n".join(text.splitlines()).strip()
    clean_text(lines.replace("\n", " ").replace("\t", " "), field, LONGEST_TEXT)
    return lines
