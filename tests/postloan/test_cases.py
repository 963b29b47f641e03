"""Signals and the case that takes them in, worked to its end."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, StaleVersion, Unmet, WrongState
from branch.models import Event, Notification, OutboxMessage, RoleAssignment, User
from branch.queries.visibility import visible
from branch.services.outbox import deliver
from customers.models import Customer
from loans.models import Facility, Loan
from postloan.models import CollectionCase, Signal, WarningCase
from postloan.services import cases
from tests.postloan.making import close_day, fresh, make_customer, make_loan, open_on, pay_in_full, use_power


@pytest.fixture
def loan(cast: SimpleNamespace) -> Loan:
    open_on(date(2026, 4, 3))
    return make_loan(cast, 1)


@pytest.fixture
def case(cast: SimpleNamespace, loan: Loan) -> WarningCase:
    """Opened in the night of the first day past due."""
    close_day()
    return WarningCase.objects.get()


def work(cast: SimpleNamespace, case: WarningCase, until: str = "acting") -> WarningCase:
    he = cast.actor("he")
    cases.assign_case(actor=cast.actor("zhou"), warning_case_id=case.pk, officer_id=cast.he.pk)
    if until != "assigned":
        cases.start_verification(actor=he, warning_case_id=case.pk)
    if until == "acting":
        cases.record_action(actor=he, warning_case_id=case.pk, findings="主要客户停单", action="每周上门")
    return fresh(case)


def test_worked_to_its_end(cast: SimpleNamespace, case: WarningCase) -> None:
    case = work(cast, case)
    assert (case.state, case.officer_id, case.findings) == ("acting", cast.he.pk, "主要客户停单")

    closed = cases.resolve_case(actor=cast.actor("he"), warning_case_id=case.pk, reason="已补缴")

    assert (closed.state, closed.outcome) == ("closed", "resolved")
    assert fresh(case).closed_at is not None
    names = Event.objects.filter(subject_type="warningcase").order_by("id").values_list("name", "reason")
    assert list(names) == [
        ("warning_case.create", ""),
        ("warning_case.assign", ""),
        ("warning_case.verify", ""),
        ("warning_case.act", ""),
        ("warning_case.resolve", "已补缴"),
    ]


@pytest.mark.parametrize("close", [cases.resolve_case, cases.dismiss_case, cases.transfer_to_collection])
@pytest.mark.parametrize("reason", ["", "  \n "])
def test_no_case_closes_without_a_reason(cast: SimpleNamespace, case: WarningCase, close: Any, reason: str) -> None:
    case = work(cast, case, "verifying")

    with pytest.raises(InvalidInput) as refused:
        close(actor=cast.actor("he"), warning_case_id=case.pk, reason=reason)

    assert "reason" in refused.value.fields
    assert_unchanged(case)


def test_a_case_is_not_resolved_before_anything_was_found(cast: SimpleNamespace, case: WarningCase) -> None:
    case = work(cast, case, "verifying")

    with pytest.raises(Unmet):
        cases.resolve_case(actor=cast.actor("he"), warning_case_id=case.pk, reason="好了")

    assert_unchanged(case)


def test_a_case_reaches_the_loans_and_lines_on_all_files_of_its_customer(
    cast: SimpleNamespace, case: WarningCase, loan: Loan
) -> None:
    """The page of the case shows them all, so each can be frozen and handed to collection from it."""
    kept = make_customer(cast, 8)
    WarningCase.objects.filter(pk=case.pk).update(customer=kept)
    Customer.objects.filter(pk=loan.customer_id).update(merged_into=kept, uscc=None)
    case = work(cast, case)

    line = Facility.objects.get(customer=loan.customer_id)
    Facility.objects.filter(pk=line.pk).update(state="effective")
    cases.freeze_line(actor=cast.actor("he"), warning_case_id=case.pk, facility_id=line.pk, reason="停单")
    assert fresh(line).state == "frozen"
    cases.transfer_to_collection(actor=cast.actor("he"), warning_case_id=case.pk, reason="逾期")
    assert CollectionCase.objects.filter(loan=loan).exclude(state="closed").exists()


def test_a_false_alarm_is_dismissed(cast: SimpleNamespace, case: WarningCase) -> None:
    work(cast, case, "verifying")

    closed = cases.dismiss_case(actor=cast.actor("he"), warning_case_id=case.pk, reason="到账延迟")

    assert (closed.state, closed.outcome) == ("closed", "false_alarm")


def test_transfer_opens_collection(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    work(cast, case)

    closed = cases.transfer_to_collection(actor=cast.actor("he"), warning_case_id=case.pk, reason="拒接电话")

    assert closed.outcome == "transferred_to_collection"
    collection = CollectionCase.objects.get()
    assert (collection.loan_id, collection.officer_id, collection.note) == (loan.pk, cast.he.pk, "拒接电话")


def test_nothing_overdue_is_not_transferred(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    case = work(cast, case)
    pay_in_full(loan, date(2026, 4, 2))
    close_day()
    before = fresh(case)

    with pytest.raises(Unmet):
        cases.transfer_to_collection(actor=cast.actor("he"), warning_case_id=case.pk, reason="拒接电话")

    assert_unchanged(before)
    assert not CollectionCase.objects.exists()


def test_the_line_is_frozen_from_the_case(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    case = work(cast, case)
    line = loan.drawdown.facility
    other = make_loan(cast, 2).drawdown.facility

    cases.freeze_line(actor=cast.actor("he"), warning_case_id=case.pk, facility_id=line.pk, reason="电量下滑")

    assert fresh(line).state == "frozen"
    assert Event.objects.get(name="facility.freeze").reason == f"{case.number}: 电量下滑"
    with pytest.raises(InvalidInput):
        cases.freeze_line(actor=cast.actor("he"), warning_case_id=case.pk, facility_id=other.pk, reason="电量下滑")
    with pytest.raises(WrongState):
        cases.freeze_line(actor=cast.actor("he"), warning_case_id=case.pk, facility_id=line.pk, reason="电量下滑")
    assert list(Facility.objects.order_by("pk").values_list("state", flat=True)) == ["frozen", "effective"]


def test_only_its_officer_works_on_a_case(cast: SimpleNamespace, case: WarningCase) -> None:
    gu = User.objects.create_user("gu", office=cast.offices.CD)
    RoleAssignment.objects.create(
        user=gu, role="post_loan_officer", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    case = work(cast, case, "assigned")

    with pytest.raises(PermissionRefused):
        cases.start_verification(actor=cast.actor("gu"), warning_case_id=case.pk)
    assert_unchanged(case)

    cases.reassign_case(actor=cast.actor("zhou"), warning_case_id=case.pk, officer_id=gu.pk, reason="何休假")
    assert cases.start_verification(actor=cast.actor("gu"), warning_case_id=case.pk).officer_id == gu.pk


@pytest.mark.parametrize("officer", ["lin", "zhou", "outsider"])
def test_a_case_is_given_to_post_loan_officers_only(cast: SimpleNamespace, case: WarningCase, officer: str) -> None:
    with pytest.raises(InvalidInput):
        cases.assign_case(actor=cast.actor("zhou"), warning_case_id=case.pk, officer_id=getattr(cast, officer).pk)
    assert_unchanged(case)


@pytest.mark.parametrize(("who", "refusal"), [("lin", PermissionRefused), ("outsider", NotFound), ("wu", NotFound)])
def test_who_may_not_assign(cast: SimpleNamespace, case: WarningCase, who: str, refusal: type) -> None:
    with pytest.raises(refusal):
        cases.assign_case(actor=cast.actor(who), warning_case_id=case.pk, officer_id=cast.he.pk)
    assert_unchanged(case)


def test_a_stale_version_is_refused(cast: SimpleNamespace, case: WarningCase) -> None:
    with pytest.raises(StaleVersion):
        cases.assign_case(actor=cast.actor("zhou"), warning_case_id=case.pk, officer_id=cast.he.pk, expected_version=99)
    assert_unchanged(case)


def assert_unchanged(case: WarningCase) -> None:
    now = fresh(case)
    assert (now.state, now.version, now.officer_id, now.outcome, now.findings) == (
        case.state,
        case.version,
        case.officer_id,
        case.outcome,
        case.findings,
    )


# --- signals between nights


def test_one_case_takes_in_all_signals_of_a_customer(cast: SimpleNamespace, loan: Loan) -> None:
    use_power(loan.customer, {f"2025-{m:02d}": "100" for m in range(9, 13)} | {"2026-01": "100"})
    use_power(loan.customer, {"2026-02": "100", "2026-03": "50"})
    second = make_loan(cast, 2, customer=loan.customer)

    close_day()

    case = WarningCase.objects.get()
    found = set(Signal.objects.filter(case=case, state="in_case").values_list("loan_id", "indicator", "level"))
    assert found == {
        (loan.pk, "overdue", "yellow"),
        (second.pk, "overdue", "yellow"),
        (loan.pk, "electricity_down", "red"),
    }
    assert case.level == "red"


def test_a_new_signal_joins_the_open_case(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    use_power(loan.customer, {f"2025-{m:02d}": "100" for m in range(9, 13)} | {"2026-01": "100"})
    use_power(loan.customer, {"2026-02": "100", "2026-03": "70"})

    close_day()

    assert WarningCase.objects.get().level == "orange"
    assert Signal.objects.filter(case=case).count() == 2
    worsened = Event.objects.get(name="warning_case.worsen")
    assert worsened.after == {"level": "orange", "level_before": "yellow"}


def test_what_was_dealt_with_is_quiet_until_it_gets_worse(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    work(cast, case)
    cases.resolve_case(actor=cast.actor("he"), warning_case_id=case.pk, reason="周五付款")

    close_day()
    assert Signal.objects.count() == WarningCase.objects.count() == 1

    open_on(date(2026, 4, 10))
    close_day()
    old, new = Signal.objects.order_by("pk")
    assert (old.level, old.cleared_on, old.case_id) == ("yellow", date(2026, 4, 10), case.pk)
    assert (new.level, new.state) == ("orange", "in_case")
    assert WarningCase.objects.exclude(state="closed").get() == new.case


def test_a_signal_nobody_took_clears_by_itself(cast: SimpleNamespace, loan: Loan) -> None:
    close_day()
    Signal.objects.update(state="raised", case=None)
    WarningCase.objects.all().delete()
    pay_in_full(loan, date(2026, 4, 2))

    close_day()

    signal = Signal.objects.get()
    assert (signal.state, signal.cleared_on) == ("cleared", date(2026, 4, 4))
    assert Event.objects.get(name="signal.clear").after == {"state": "cleared", "cleared_on": "2026-04-04"}


def test_a_breach_that_comes_back_is_a_new_signal(cast: SimpleNamespace, loan: Loan, case: WarningCase) -> None:
    first = loan.instalments.get(number=1)
    pay_in_full(loan, date(2026, 4, 2))
    close_day()
    type(first).objects.filter(pk=first.pk).update(principal_paid=0)

    close_day()

    assert list(Signal.objects.order_by("pk").values_list("cleared_on", "case_id")) == [
        (date(2026, 4, 4), case.pk),
        (None, case.pk),
    ]


# --- who sees and who is told


@pytest.mark.parametrize(
    ("who", "sees"),
    [("lin", True), ("he", True), ("zhou", True), ("feng", True), ("outsider", False), ("wu", False), ("sun", False)],
)
def test_who_sees_a_case(cast: SimpleNamespace, case: WarningCase, who: str, sees: bool) -> None:
    actor = cast.actor(who)

    assert visible(WarningCase, actor).exists() is sees
    assert visible(Signal, actor).exists() is sees


def test_another_managers_customer_is_not_seen(cast: SimpleNamespace) -> None:
    """Zhao looks after a customer of the same office: Lin sees nothing of the warning."""
    open_on(date(2026, 4, 3))
    make_loan(cast, 1, customer=make_customer(cast, 1, owner=cast.zhao))
    close_day()

    assert not visible(WarningCase, cast.actor("lin")).exists()


def test_owner_and_officers_are_told(cast: SimpleNamespace, case: WarningCase) -> None:
    messages = OutboxMessage.objects.filter(topic="warning_cases.moved")
    assert messages.get().payload == {"opened": [case.pk], "worsened": []}

    assert all(deliver(pk) for pk in messages.values_list("pk", flat=True))

    told = Notification.objects.order_by("user_id")
    assert {row.user_id for row in told} == {cast.lin.pk, cast.he.pk}
    assert {(row.kind, row.params["number"], row.url) for row in told} == {
        ("warning_case.opened.yellow", case.number, f"/warning-cases/{case.pk}/")
    }
    assert "永丰" not in str([row.params for row in told])


def test_amount_of_provision_follows_the_class(cast: SimpleNamespace, loan: Loan) -> None:
    close_day()

    assert loan.days.get().provision == loan.outstanding_principal * Decimal("0.02")
