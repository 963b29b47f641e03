"""Investigations: facts saved, findings derived, signed by the owner and then by a second person.

A file is locked before its investigation, here and everywhere.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, TypedDict, Unpack

from django.utils import timezone
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, NotFound, Unmet, WrongState
from branch.domain.roles import Duty, Role
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.queries.visibility import visible
from branch.services.outbox import publish
from branch.services.transition import change, create, take_duty, transition
from branch.services.use_case import use_case
from branch.words import listed
from customers.queries.records import year_total
from customers.services.profile import Checker
from loans.domain.cross_checks import CheckResult, Tolerance
from loans.domain.findings import GRADED_FACTS, TABLE_FACTS, FindingPolicy, Findings, find
from loans.domain.grades import Grade, GradeReport, Letter
from loans.models import Application, Investigation
from loans.queries.applications import RECORDED_AS
from loans.services.pricing import reprice_application
from loans.services.values import cleaned, put

INVESTIGATORS = frozenset({Role.ACCOUNT_MANAGER, Role.CO_INVESTIGATOR})
SIGNED = ("signed_by_owner", "signed_by_second")
#: What must be there before anybody signs.
REQUIRED = ("visited_on", "visit_place", *GRADED_FACTS, *TABLE_FACTS, "opinion")


class Facts(TypedDict, total=False):
    """What was observed. Ratings are 0 (not met), 1 (partly), 2 (fully); amounts in yuan, use per year."""

    visited_on: date | None
    visit_place: str
    visit_latitude: Decimal | None
    visit_longitude: Decimal | None
    repays_on_time: int | None
    known_in_trade: int | None
    family_stable: int | None
    product_sells: int | None
    margin_holds: int | None
    buyers_spread: int | None
    title_clear: int | None
    assets_cover: int | None
    assets_sellable: int | None
    electricity_kwh: Decimal | None
    sales_per_kwh: Decimal | None
    water_m3: Decimal | None
    sales_per_m3: Decimal | None
    taxed_sales: Decimal | None
    deviation_note: str
    opinion: str


def open_investigation(*, actor: Actor, application: Application) -> Investigation:
    """The investigation of a file, with the year's use where outside records of the customer cover it."""
    investigation = Investigation(
        application=application,
        customer_id=application.customer_id,
        owner_id=application.owner_id,
        office=application.office,
    )
    for field, metric in RECORDED_AS.items():
        total = year_total(application.customer, metric, until=business_date())
        setattr(investigation, field, None if total is None else round(total, 2))
    investigation.findings = _findings_json(derive_findings(investigation))
    return create(investigation, actor=actor, roles=frozenset({Role.ACCOUNT_MANAGER}))


@use_case("save_investigation")
def save_investigation(
    *, actor: Actor, investigation_id: int, expected_version: int | None = None, **facts: Unpack[Facts]
) -> Investigation:
    """Keep what was observed and derive the findings anew; a changed fact voids the signatures.

    The owner and a co-investigator may save, and saving counts as investigating the file.
    Raises InvalidInput by field.
    """
    _lock_file(actor, investigation_id)
    present = Investigation.objects.get(pk=investigation_id)
    options: dict[str, Any] = {"actor": actor, "expected_version": expected_version}
    if present.state in SIGNED and _differ(present, facts):
        with transition(Investigation, investigation_id, "void_signatures", **options) as investigation:
            _keep(actor, investigation, facts)
            investigation.signed_by_owner_at = investigation.signed_by_second_at = investigation.second = None
        return investigation
    with change(
        Investigation, investigation_id, "save", roles=INVESTIGATORS, states=("open", *SIGNED), **options
    ) as investigation:
        _keep(actor, investigation, facts)
    return investigation


@use_case("sign_as_owner")
def sign_as_owner(*, actor: Actor, investigation_id: int, expected_version: int | None = None) -> Investigation:
    """The owner's signature. Raises Unmet while a fact or the explanation of a deviation is missing."""
    _lock_file(actor, investigation_id)
    with transition(
        Investigation, investigation_id, "sign_by_owner", actor=actor, expected_version=expected_version
    ) as investigation:
        _require_signable(investigation)
        # What is signed is judged by the parameters of the day it is signed.
        investigation.findings = _findings_json(derive_findings(investigation))
        investigation.signed_by_owner_at = timezone.now()
    publish("investigation.signed_by_owner", investigation_id=investigation.pk)
    return investigation


@use_case("sign_as_second")
def sign_as_second(*, actor: Actor, investigation_id: int, expected_version: int | None = None) -> Investigation:
    """The second signature, never the owner's; the file is then priced with its risk grade."""
    application = _lock_file(actor, investigation_id)
    with transition(
        Investigation, investigation_id, "sign_by_second", actor=actor, expected_version=expected_version
    ) as investigation:
        if investigation.owner_id == actor.user_id:
            raise DutiesConflict(_("The owner of the file can't be its second investigator."))
        _require_signable(investigation)
        investigation.second_id = actor.user_id
        investigation.signed_by_second_at = timezone.now()
    reprice_application(actor=actor, application=application)
    publish("investigation.signed_by_second", investigation_id=investigation.pk)
    return investigation


@use_case("close_investigation")
def close_investigation(*, actor: Actor, investigation_id: int) -> Investigation:
    """The file goes to review; called in the transaction that sends it there."""
    with transition(Investigation, investigation_id, "close", actor=actor) as investigation:
        pass
    return investigation


@use_case("reopen_investigation")
def reopen_investigation(*, actor: Actor, investigation_id: int) -> Investigation:
    """A returned file is looked into again: facts stay, signatures go."""
    with transition(Investigation, investigation_id, "reopen", actor=actor) as investigation:
        investigation.signed_by_owner_at = investigation.signed_by_second_at = investigation.second = None
    return investigation


def missing_facts(investigation: Investigation) -> list[str]:
    """Names of required facts that were not observed yet, in the order of the page."""
    return [field for field in REQUIRED if getattr(investigation, field) in (None, "")]


def derive_findings(investigation: Investigation) -> Findings:
    """Grades, tables and risk grade from the facts as they stand, under today's parameters."""
    ratings = {f: getattr(investigation, f) for f in GRADED_FACTS if getattr(investigation, f) is not None}
    usage = {f: getattr(investigation, f) for f in TABLE_FACTS if getattr(investigation, f) is not None}
    return find(ratings, usage, investigation.application.stated_annual_sales, finding_policy())


def finding_policy() -> FindingPolicy:
    """The bank's parameters for findings, in force today."""
    weights = {grade: parameter(f"grade.weight_{grade.value}") for grade in Grade}
    letters = [Letter(parameter(f"grade.letter_{letter.lower()}"), letter) for letter in "ABC"]
    tolerance = Tolerance(parameter("deviation.tolerance_green"), parameter("deviation.tolerance_amber"))
    return FindingPolicy(parameter("grade.partly_points"), weights, (*letters, Letter(Decimal(0), "D")), tolerance)


# --- inside --------------------------------------------------------------------------------------------------


def _lock_file(actor: Actor, investigation_id: int) -> Application:
    """Lock the application of an investigation this actor sees. Raises NotFound, WrongState when it has moved on."""
    seen = visible(Investigation, actor).filter(pk=investigation_id).values_list("application_id", flat=True).first()
    if seen is None:
        raise NotFound(_("There is no such record."))
    application = Application.objects.select_for_update().get(pk=seen)
    if application.state != "investigating":
        raise WrongState(_("The file is no longer being investigated."), state=application.state, id=application.pk)
    return application


def _keep(actor: Actor, investigation: Investigation, facts: Facts) -> None:
    owns = investigation.owner_id == actor.user_id
    take_duty(actor, investigation.file_key, Duty.OWN if owns else Duty.CO_INVESTIGATE)
    for field, value in facts.items():
        put(investigation, field, value)
    _check(investigation, facts)
    investigation.findings = _findings_json(derive_findings(investigation))


def _differ(investigation: Investigation, facts: Facts) -> bool:
    return any(getattr(investigation, field) != cleaned(value) for field, value in facts.items())


def _check(investigation: Investigation, facts: Facts) -> None:
    checker = Checker()
    for field in facts:
        if field not in Facts.__annotations__:
            raise TypeError(f"an investigation has no {field}")
        value = getattr(investigation, field)
        if field in GRADED_FACTS and value not in (None, *Investigation.Rating.values):
            checker.refuse(field, _("Choose one from the list."))
        if field in TABLE_FACTS and value is not None:
            _check_figure(checker, field, value)
    visited = investigation.visited_on
    if visited is not None and visited > business_date():
        checker.refuse("visited_on", _("This date lies in the future."))
    if len(investigation.visit_place) > 200:
        checker.refuse("visit_place", _("At most %(count)d characters.") % {"count": 200})
    for field, bound in (("visit_latitude", 90), ("visit_longitude", 180)):
        value = getattr(investigation, field)
        if value is not None and not -bound <= value <= bound:
            checker.refuse(field, _("Not a place on earth."))
    checker.done()


def _check_figure(checker: Checker, field: str, value: Any) -> None:
    column = Investigation._meta.get_field(field)
    places, digits = column.decimal_places, column.max_digits  # type: ignore[union-attr]
    fits = isinstance(value, Decimal) and value.is_finite() and 0 <= value < Decimal(10) ** (digits - places)
    if not fits or value != round(value, places):
        checker.refuse(
            field, _("Enter a number from 0 on with at most %(places)d decimal places.") % {"places": places}
        )


def _require_signable(investigation: Investigation) -> None:
    if missing := missing_facts(investigation):
        labels = listed(Investigation._meta.get_field(field).verbose_name for field in missing)  # type: ignore[union-attr]
        raise Unmet(_("Still missing: %(facts)s.") % {"facts": labels}, missing=missing)
    if investigation.application.stated_annual_sales is None:
        raise Unmet(_("The stated sales are not on file."), missing=["stated_annual_sales"])
    to_explain = derive_findings(investigation).to_explain
    if to_explain and not investigation.deviation_note:
        raise Unmet(
            _("Explain the deviations beyond tolerance first."), missing=["deviation_note"], tables=list(to_explain)
        )


def _findings_json(findings: Findings) -> dict[str, Any]:
    policy = finding_policy()
    return {
        "rule": "three grades, three tables 1",
        "risk_grade": findings.risk_grade,
        "grades": _grades_json(findings.grades),
        "tables": [_table_json(table) for table in findings.tables],
        "tolerance": {"green": str(policy.tolerance.green), "amber": str(policy.tolerance.amber)},
    }


def _grades_json(report: GradeReport) -> dict[str, Any]:
    return {
        "formula": report.formula,
        "overall": {"score": str(report.overall.score), "letter": report.overall.letter},
        **{grade.value: {"score": str(s.score), "letter": s.letter} for grade, s in report.grades.items()},
        "facts": [
            {
                "code": part.code,
                "grade": part.grade.value,
                "answer": part.fact,
                "points": None if part.points is None else str(part.points),
                "weight": str(part.weight),
            }
            for part in report.facts
        ],
        "missing": list(report.missing),
    }


def _table_json(table: CheckResult) -> dict[str, Any]:
    return {
        "code": table.code,
        "formula": table.formula,
        "inputs": {name: str(value) for name, value in table.inputs.items()},
        "stated": str(table.stated),
        "checked": str(table.checked),
        "deviation": None if table.deviation is None else str(table.deviation),
        "verdict": table.verdict.value,
    }
