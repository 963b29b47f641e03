"""Who is told of what after the money is out: consumers of the outbox. No personal data stands in a notice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from branch.domain.roles import Role
from branch.queries.actors import holders_of
from branch.queries.notifications import notice
from branch.services.notifications import notify
from branch.services.outbox import consumer
from loans.models import Application
from postloan.models import CollectionCase, Inspection, WarningCase
from postloan.models.warning import Level

OPENED = {
    Level.BLUE: notice("warning_case.opened.blue", _("Blue warning: case %(number)s was opened")),
    Level.YELLOW: notice("warning_case.opened.yellow", _("Yellow warning: case %(number)s was opened")),
    Level.ORANGE: notice("warning_case.opened.orange", _("Orange warning: case %(number)s was opened")),
    Level.RED: notice("warning_case.opened.red", _("Red warning: case %(number)s was opened")),
}
WORSENED = {
    Level.YELLOW: notice("warning_case.worsened.yellow", _("Case %(number)s is yellow now")),
    Level.ORANGE: notice("warning_case.worsened.orange", _("Case %(number)s is orange now")),
    Level.RED: notice("warning_case.worsened.red", _("Case %(number)s is red now")),
}
ASSIGNED = notice("warning_case.assigned", _("Case %(number)s was given to you"))
PLANNED = notice("inspection.planned", _("Loan %(loan)s is to be inspected by %(due)s"))
SUBMITTED = notice("inspection.submitted", _("The inspection of loan %(loan)s waits for your judgement"))
RETURNED = notice("inspection.returned", _("The inspection of loan %(loan)s came back to you"))
COLLECTING = notice("collection_case.opened", _("Loan %(loan)s is in collection: %(number)s"))
BROKEN = notice("collection_case.broken", _("A promise to pay was broken: %(number)s"))
EXPIRED = notice("application.expired", _("The offer of %(number)s expired"))


@consumer("warning_cases.moved", "bell")
def tell_of_cases(payload: dict[str, Any]) -> None:
    """The owner of the customer, and the officer of the case or all officers while it has none."""
    ids = payload["opened"] + payload["worsened"]
    for case in WarningCase.objects.filter(pk__in=ids).select_related("office").order_by("pk"):
        kinds = OPENED if case.pk in payload["opened"] else WORSENED
        officers = [case.officer_id] if case.officer_id else _officers(case.office.path)
        _tell([case.owner_id, *officers], kinds[Level(case.level)], f"/warning-cases/{case.pk}/", number=case.number)


@consumer("warning_case.assigned", "bell")
def tell_of_assignment(payload: dict[str, Any]) -> None:
    case = WarningCase.objects.get(pk=payload["warning_case_id"])
    _tell([case.officer_id], ASSIGNED, f"/warning-cases/{case.pk}/", number=case.number)


@consumer("inspections.planned", "bell")
def tell_of_inspections(payload: dict[str, Any]) -> None:
    for row in Inspection.objects.filter(pk__in=payload["inspection_ids"]).select_related("loan").order_by("pk"):
        _tell([row.owner_id], PLANNED, f"/inspections/{row.pk}/", loan=row.loan.number, due=row.due_date)


@consumer("inspection.submitted", "bell")
def tell_of_submission(payload: dict[str, Any]) -> None:
    row = Inspection.objects.select_related("loan", "office").get(pk=payload["inspection_id"])
    others = [officer for officer in _officers(row.office.path) if officer != row.inspected_by_id]
    _tell(others, SUBMITTED, f"/inspections/{row.pk}/", loan=row.loan.number)


@consumer("inspection.returned", "bell")
def tell_of_return(payload: dict[str, Any]) -> None:
    row = Inspection.objects.select_related("loan").get(pk=payload["inspection_id"])
    _tell([row.owner_id], RETURNED, f"/inspections/{row.pk}/", loan=row.loan.number)


@consumer("collection_cases.moved", "bell")
def tell_of_collection(payload: dict[str, Any]) -> None:
    rows = CollectionCase.objects.filter(pk__in=payload["opened"] + payload["broken"])
    for case in rows.select_related("loan", "office").order_by("pk"):
        officers = [case.officer_id] if case.officer_id else _officers(case.office.path)
        url, is_new = f"/collection-cases/{case.pk}/", case.pk in payload["opened"]
        values = {"number": case.number} | ({"loan": case.loan.number} if is_new else {})
        _tell([case.owner_id, *officers], COLLECTING if is_new else BROKEN, url, **values)


@consumer("applications.expired", "bell")
def tell_of_expiry(payload: dict[str, Any]) -> None:
    for row in Application.objects.filter(pk__in=payload["application_ids"]).order_by("pk"):
        _tell([row.owner_id], EXPIRED, f"/applications/{row.pk}/", number=row.number)


def _officers(office_path: str) -> list[int]:
    return holders_of(Role.POST_LOAN_OFFICER, office_path)


def _tell(people: Iterable[int | None], kind: str, url: str, **params: Any) -> None:
    for user_id in dict.fromkeys(person for person in people if person is not None):
        notify(user_id, kind, url, **params)
