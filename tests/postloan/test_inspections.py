"""Inspections fall due by themselves, are made by the account manager and judged by somebody else."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, WrongState
from branch.models import Notification, OutboxMessage, RoleAssignment
from branch.queries.visibility import visible
from branch.services.outbox import deliver
from loans.models import Loan
from postloan.models import Inspection, WarningCase
from postloan.services import inspections
from postloan.services.steps.inspections import next_due
from tests.postloan.making import close_day, fresh, make_loan, open_on

FACTS: dict[str, Any] = {"funds_used_as_agreed": True, "business_running": True, "findings": "钢材入库,设备开动"}


@pytest.fixture
def inspection(cast: SimpleNamespace) -> Inspection:
    make_loan(cast, 1)
    close_day()
    return Inspection.objects.get()


def made(cast: SimpleNamespace, inspection: Inspection) -> Inspection:
    lin = cast.actor("lin")
    inspections.start_inspection(actor=lin, inspection_id=inspection.pk)
    return inspections.submit_inspection(actor=lin, inspection_id=inspection.pk, **FACTS)


def test_made_and_accepted(cast: SimpleNamespace, inspection: Inspection) -> None:
    submitted = made(cast, inspection)
    assert (submitted.state, submitted.inspected_by_id) == ("submitted", cast.lin.pk)

    accepted = inspections.accept_inspection(actor=cast.actor("he"), inspection_id=inspection.pk)

    assert (accepted.state, accepted.accepted_by_id) == ("accepted", cast.he.pk)


def test_sent_back_and_made_again(cast: SimpleNamespace, inspection: Inspection) -> None:
    made(cast, inspection)
    with pytest.raises(InvalidInput):
        inspections.send_back_inspection(actor=cast.actor("he"), inspection_id=inspection.pk, reason=" ")

    back = inspections.send_back_inspection(actor=cast.actor("he"), inspection_id=inspection.pk, reason="缺照片")
    assert (back.state, back.return_reason) == ("returned", "缺照片")

    lin = cast.actor("lin")
    inspections.resume_inspection(actor=lin, inspection_id=inspection.pk)
    inspections.save_inspection(actor=lin, inspection_id=inspection.pk, findings="已补照片")
    again = inspections.submit_inspection(actor=lin, inspection_id=inspection.pk)
    assert (again.state, again.findings, again.business_running) == ("submitted", "已补照片", True)
    accepted = inspections.accept_inspection(actor=cast.actor("he"), inspection_id=inspection.pk)
    assert accepted.return_reason == ""


def test_what_is_missing_is_named(cast: SimpleNamespace, inspection: Inspection) -> None:
    lin = cast.actor("lin")
    started = inspections.start_inspection(actor=lin, inspection_id=inspection.pk)

    with pytest.raises(InvalidInput) as refused:
        inspections.submit_inspection(actor=lin, inspection_id=inspection.pk, business_running=False)

    assert set(refused.value.fields) == {"funds_used_as_agreed", "findings"}
    now = fresh(inspection)
    assert (now.state, now.business_running, now.version) == ("in_progress", None, started.version)


@pytest.mark.parametrize(
    ("who", "refusal"), [("he", PermissionRefused), ("zhou", PermissionRefused), ("outsider", NotFound)]
)
def test_only_the_owner_makes_it(
    cast: SimpleNamespace, inspection: Inspection, who: str, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        inspections.start_inspection(actor=cast.actor(who), inspection_id=inspection.pk)
    assert fresh(inspection).state == "due"


def test_nobody_judges_his_own(cast: SimpleNamespace, inspection: Inspection) -> None:
    """Lin is made a post-loan officer too."""
    RoleAssignment.objects.create(
        user=cast.lin, role="post_loan_officer", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    made(cast, inspection)

    for judge in (
        lambda: inspections.accept_inspection(actor=cast.actor("lin"), inspection_id=inspection.pk),
        lambda: inspections.send_back_inspection(actor=cast.actor("lin"), inspection_id=inspection.pk, reason="x"),
    ):
        with pytest.raises(DutiesConflict):
            judge()
    assert fresh(inspection).state == "submitted"


def test_an_accepted_one_stays_accepted(cast: SimpleNamespace, inspection: Inspection) -> None:
    made(cast, inspection)
    inspections.accept_inspection(actor=cast.actor("he"), inspection_id=inspection.pk)

    with pytest.raises(WrongState):
        inspections.accept_inspection(actor=cast.actor("he"), inspection_id=inspection.pk)


@pytest.mark.parametrize(
    ("label", "instalments", "has_case", "due"),
    [
        ("longer than six months: quarterly", 12, False, date(2026, 6, 17)),
        ("six months: monthly", 6, False, date(2026, 4, 17)),
        ("an open case: monthly", 12, True, date(2026, 4, 17)),
    ],
)
def test_when_the_next_is_due(cast: SimpleNamespace, label: str, instalments: int, has_case: bool, due: date) -> None:
    loan = make_loan(cast, 1, instalments=instalments)
    close_day()
    accept(cast, loan)
    if has_case:
        WarningCase.objects.create(
            office=loan.office, number="EW-1", customer=loan.customer, owner=cast.lin, level="blue",
            opened_on=date(2026, 3, 3),
        )  # fmt: skip

    close_day()
    close_day()

    assert list(Inspection.objects.order_by("sequence").values_list("sequence", "due_date")) == [
        (1, date(2026, 3, 17)),
        (2, due),
    ], label


def accept(cast: SimpleNamespace, loan: Loan) -> None:
    row = Inspection.objects.get(loan=loan, state="due")
    made(cast, row)
    inspections.accept_inspection(actor=cast.actor("he"), inspection_id=row.pk)


def test_none_is_planned_past_the_end_of_the_loan(cast: SimpleNamespace) -> None:
    loan = make_loan(cast, 1, instalments=1)
    close_day()
    accept(cast, loan)

    close_day()

    assert Inspection.objects.count() == 1


@pytest.mark.parametrize(
    ("last", "months", "after", "due"),
    [
        (date(2026, 3, 17), 3, date(2026, 3, 20), date(2026, 6, 17)),
        (date(2026, 3, 17), 1, date(2026, 6, 17), date(2026, 7, 17)),
        (date(2026, 1, 31), 1, date(2026, 2, 10), date(2026, 2, 28)),
        (date(2026, 1, 31), 1, date(2026, 2, 28), date(2026, 3, 31)),
    ],
)
def test_the_day_of_the_month_is_kept(last: date, months: int, after: date, due: date) -> None:
    assert next_due(last, months, after=after) == due


def test_who_sees_and_who_is_told(cast: SimpleNamespace, inspection: Inspection) -> None:
    open_on(date(2026, 3, 4))
    made(cast, inspection)

    for name, sees in {"lin": True, "he": True, "zhou": True, "feng": True, "outsider": False, "wu": False}.items():
        assert visible(Inspection, cast.actor(name)).exists() is sees, name
    for pk in OutboxMessage.objects.order_by("pk").values_list("pk", flat=True):
        assert deliver(pk)
    assert list(Notification.objects.order_by("pk").values_list("user_id", "kind")) == [
        (cast.lin.pk, "inspection.planned"),
        (cast.he.pk, "inspection.submitted"),
    ]
