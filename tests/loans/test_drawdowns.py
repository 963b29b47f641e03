"""Lines and drawdowns: who may ask, what is left, what stands in the way of money, and that it goes out once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from branch.domain.refusals import DutiesConflict, InvalidInput, NotFound, PermissionRefused, Unmet, WrongState
from branch.models import BusinessDay, Event, ParameterValue, PaymentInstruction, RoleAssignment
from customers.models import Customer
from loans.models import Application, Condition, Drawdown, Facility
from loans.services import contracts, drawdowns, facilities
from tests.loans.given import (
    AMOUNT,
    PAYEE,
    checked_drawdown,
    effective_line,
    everything,
    instruction_of,
    move_to,
    paid_out_loan,
    released_drawdown,
    signed_contract,
    signed_line,
)


def ask(cast: SimpleNamespace, line: Facility, amount: str = "300000.00", who: str = "lin", **facts: str) -> Drawdown:
    return drawdowns.request_drawdown(
        actor=cast.actor(who), facility_id=line.pk, amount=Decimal(amount), **(PAYEE | facts)
    )


# --- the line


def test_a_signed_contract_opens_a_line(cast: SimpleNamespace) -> None:
    line = signed_line(cast)

    assert (line.state, line.limit_amount, line.drawn_amount) == ("pending_conditions", AMOUNT, Decimal(0))
    assert (line.maturity_date, line.is_revolving) == (date(2027, 3, 2), False)
    assert Event.objects.get(name="facility.open").after["limit_amount"] == "300000.00"


def test_a_revolving_product_makes_a_revolving_line(cast: SimpleNamespace) -> None:
    assert signed_line(cast, family="revolving").is_revolving


def test_an_unsigned_contract_opens_none(cast: SimpleNamespace) -> None:
    contract = signed_contract(cast)
    type(contract).objects.filter(pk=contract.pk).update(state="generated")

    with pytest.raises(Unmet):
        facilities.open_facility(actor=cast.actor("lin"), contract_id=contract.pk)


def test_a_line_is_effective_once_every_condition_is_settled(cast: SimpleNamespace) -> None:
    line = signed_line(cast, conditions=("营业执照", "保证人签字"))
    first, second = Condition.objects.order_by("pk")
    contracts.waive_condition(actor=cast.actor("qian"), condition_id=first.pk, reason="已核对原件")
    before = everything()

    with pytest.raises(Unmet) as refusal:
        facilities.make_effective(actor=cast.actor("wu"), facility_id=line.pk)

    assert refusal.value.facts["open_conditions"] == [{"id": second.pk, "title": "保证人签字"}]
    assert everything() == before

    contracts.waive_condition(actor=cast.actor("qian"), condition_id=second.pk, reason="已核对原件")
    assert facilities.make_effective(actor=cast.actor("wu"), facility_id=line.pk).state == "effective"


def test_the_owner_does_not_make_it_effective_even_with_the_role(cast: SimpleNamespace) -> None:
    line = signed_line(cast)
    RoleAssignment.objects.create(
        user=cast.lin, role="disbursement_officer", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    with pytest.raises(DutiesConflict):
        facilities.make_effective(actor=cast.actor("lin"), facility_id=line.pk)


def test_a_frozen_line_gives_nothing_until_it_is_unfrozen(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    facilities.freeze_facility(actor=cast.actor("he"), facility_id=drawdown.facility_id, reason="用电骤降")
    before = everything()

    with pytest.raises(WrongState):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    with pytest.raises(WrongState):
        ask(cast, drawdown.facility, "1.00")
    assert everything() == before

    facilities.unfreeze_facility(actor=cast.actor("he"), facility_id=drawdown.facility_id, reason="已核实")
    assert drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk).state == "disbursing"


def test_freezing_needs_a_reason(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    with pytest.raises(InvalidInput):
        facilities.freeze_facility(actor=cast.actor("he"), facility_id=line.pk, reason="  ")
    assert Facility.objects.get().state == "effective"


def test_a_line_somebody_asked_is_not_cancelled(cast: SimpleNamespace) -> None:
    line = signed_line(cast)
    asked = ask(cast, line)
    with pytest.raises(Unmet) as refusal:
        facilities.cancel_facility(actor=cast.actor("lin"), facility_id=line.pk, reason="客户放弃")
    assert refusal.value.facts["drawdowns"] == [asked.number]

    drawdowns.cancel_drawdown(actor=cast.actor("lin"), drawdown_id=asked.pk, reason="客户放弃")
    assert facilities.cancel_facility(actor=cast.actor("lin"), facility_id=line.pk, reason="客户放弃").state == (
        "cancelled"
    )


def test_a_line_matures_on_its_day_and_closes_when_nothing_is_open(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    with pytest.raises(Unmet):
        facilities.mature_facility(facility_id=line.pk, on_date=date(2027, 3, 1))
    assert facilities.due_to_mature(date(2027, 3, 2)) == [line.pk]
    facilities.mature_facility(facility_id=line.pk, on_date=date(2027, 3, 2))
    assert facilities.due_to_close() == [line.pk]
    assert facilities.close_facility(actor=cast.actor("he"), facility_id=line.pk).state == "closed"


def test_a_line_with_a_loan_is_not_closed(cast: SimpleNamespace) -> None:
    loan = paid_out_loan(cast)
    facilities.mature_facility(facility_id=loan.drawdown.facility_id, on_date=date(2027, 3, 2))
    assert facilities.due_to_close() == []
    with pytest.raises(Unmet) as refusal:
        facilities.close_facility(actor=cast.actor("he"), facility_id=loan.drawdown.facility_id)
    assert refusal.value.facts["unfinished"] == [loan.number]


# --- asking


def test_the_owner_asks_within_the_limit(cast: SimpleNamespace) -> None:
    drawdown = ask(cast, signed_line(cast), "120000.00", payee_account="6228 4800 0000 0001")

    assert (drawdown.state, drawdown.number) == ("requested", "HT-2026-000001-D1")
    assert drawdown.payee_account == "6228480000000001"
    event = Event.objects.get(name="drawdown.request")
    assert event.after["payee_account"] == "•••"


def test_what_others_ask_for_counts(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    ask(cast, line, "200000.00")
    before = everything()
    with pytest.raises(InvalidInput) as refusal:
        ask(cast, line, "100000.01")
    assert "amount" in refusal.value.fields
    assert everything() == before

    assert ask(cast, line, "100000.00").number.endswith("-D2")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "0.00"),
        ("amount", "-1.00"),
        ("amount", "1.001"),
        ("amount", "NaN"),
        ("amount", "300000.01"),
        ("payee_name", " "),
        ("payee_name", "a\nb"),
        ("payee_account", "62-28_48"),
        ("payee_account", ""),
        ("purpose", "x" * 201),
    ],
)
def test_bad_values_are_refused_by_field(cast: SimpleNamespace, field: str, value: str) -> None:
    line = signed_line(cast)
    before = everything()
    with pytest.raises(InvalidInput) as refusal:
        ask(cast, line, **{field: value})
    assert list(refusal.value.fields) == [field]
    assert everything() == before


@pytest.mark.parametrize(
    ("who", "refusal"),
    [("zhou", PermissionRefused), ("wu", PermissionRefused), ("outsider", NotFound), ("qian", NotFound)],
)
def test_only_the_owner_asks(cast: SimpleNamespace, who: str, refusal: type[Exception]) -> None:
    line = signed_line(cast)
    before = everything()
    with pytest.raises(refusal):
        ask(cast, line, who=who)
    assert everything() == before


def test_nothing_is_asked_after_the_term(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    move_to(date(2027, 3, 3))
    with pytest.raises(Unmet):
        ask(cast, line)


# --- checking and releasing


def test_it_is_not_checked_while_a_condition_is_open(cast: SimpleNamespace) -> None:
    line = signed_line(cast, conditions=("营业执照",))
    asked = ask(cast, line)
    before = everything()
    for step in (drawdowns.check_drawdown, drawdowns.release_drawdown):
        with pytest.raises(Unmet) as refusal:
            step(actor=cast.actor("wu"), drawdown_id=asked.pk)
        assert [row["title"] for row in refusal.value.facts["open_conditions"]] == ["营业执照"]
    assert everything() == before


def test_a_condition_that_came_up_after_the_check_stops_the_release(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    Condition.objects.create(
        application_id=drawdown.application_id,
        customer_id=drawdown.customer_id,
        office=drawdown.office,
        title="补充担保",
    )
    before = everything()
    with pytest.raises(Unmet) as refusal:
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert [row["title"] for row in refusal.value.facts["open_conditions"]] == ["补充担保"]
    assert everything() == before


def test_release_reserves_the_limit_and_orders_one_payment(cast: SimpleNamespace) -> None:
    drawdown = released_drawdown(cast)

    assert (drawdown.state, drawdown.attempt, drawdown.released_by) == ("disbursing", 1, cast.wu)
    assert Facility.objects.get().drawn_amount == AMOUNT
    order = instruction_of(drawdown)
    assert (order.reference, order.kind, order.state) == ("HT-2026-000001-D1-1", "payout", "created")
    assert (order.amount, order.account, order.account_name) == (AMOUNT, PAYEE["payee_account"], PAYEE["payee_name"])


def test_a_second_release_is_refused(cast: SimpleNamespace) -> None:
    drawdown = released_drawdown(cast)
    before = everything()
    with pytest.raises(WrongState):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert everything() == before
    assert PaymentInstruction.objects.count() == 1


def test_the_owner_never_releases(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    RoleAssignment.objects.create(
        user=cast.lin, role="disbursement_officer", office=cast.offices.CD, start_date=date(2020, 1, 1)
    )
    before = everything()
    with pytest.raises(DutiesConflict):
        drawdowns.release_drawdown(actor=cast.actor("lin"), drawdown_id=drawdown.pk)
    assert everything() == before


def test_nor_does_whom_the_file_was_handed_to(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    Application.objects.update(owner=cast.wu)
    with pytest.raises(DutiesConflict):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert Drawdown.objects.get().state == "checked"


@pytest.mark.parametrize(("who", "refusal"), [("he", PermissionRefused), ("lin", PermissionRefused), ("sun", NotFound)])
def test_without_the_role_nothing_is_released(cast: SimpleNamespace, who: str, refusal: type[Exception]) -> None:
    drawdown = checked_drawdown(cast)
    before = everything()
    with pytest.raises(refusal):
        drawdowns.release_drawdown(actor=cast.actor(who), drawdown_id=drawdown.pk)
    assert everything() == before


def test_nothing_is_released_while_the_day_is_being_closed(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    BusinessDay.objects.update(state="closing")
    before = everything()
    with pytest.raises(Unmet):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert everything() == before


def test_it_is_refused_by_the_officer_or_cancelled_by_the_owner(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    refused, cancelled = ask(cast, line, "100.00"), ask(cast, line, "200.00")
    drawdowns.refuse_drawdown(actor=cast.actor("wu"), drawdown_id=refused.pk, reason="收款人与合同不符")
    drawdowns.cancel_drawdown(actor=cast.actor("lin"), drawdown_id=cancelled.pk, reason="不再需要")

    assert list(Drawdown.objects.order_by("pk").values_list("state", flat=True)) == ["refused", "cancelled"]
    assert Event.objects.get(name="drawdown.refuse").reason == "收款人与合同不符"
    assert ask(cast, line, "300000.00").number.endswith("-D3")


# --- entrusted payment


@pytest.mark.parametrize(
    ("kind", "limit"),
    [("company", "entrusted.working_capital_above"), ("sole_trader", "entrusted.personal_above")],
)
def test_above_the_threshold_the_seller_is_paid_not_the_borrower(cast: SimpleNamespace, kind: str, limit: str) -> None:
    line = effective_line(cast)
    Customer.objects.update(kind=kind)
    ParameterValue.objects.create(code=limit, value="1000", effective_date=date(2020, 1, 1))
    borrower = Customer.objects.get()
    own: dict[str, Any] = {"payee_name": borrower.name, "payee_account": "6228480000000009", "purpose": "周转"}
    ask_for: dict[str, Any] = {"actor": cast.actor("lin"), "facility_id": line.pk}
    small = drawdowns.request_drawdown(**ask_for, amount=Decimal("1000.00"), **own)
    large = drawdowns.request_drawdown(**ask_for, amount=Decimal("1000.01"), **own)
    bought = drawdowns.request_drawdown(**ask_for, amount=Decimal("5000.00"), **PAYEE)

    for drawdown in (small, bought):
        drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
        assert drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk).state == "disbursing"
    before = everything()
    with pytest.raises(Unmet) as refusal:
        drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=large.pk)
    assert refusal.value.facts["entrusted_above"] == "1000"
    assert everything() == before


def test_what_is_checked_before_the_threshold_falls_is_not_released_after(cast: SimpleNamespace) -> None:
    drawdown = checked_drawdown(cast)
    Drawdown.objects.update(payee_account=Customer.objects.get().repayment_account)
    ParameterValue.objects.create(code="entrusted.working_capital_above", value="1000", effective_date=date(2020, 1, 1))
    before = everything()
    with pytest.raises(Unmet):
        drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    assert everything() == before


# --- another limit


def test_the_limit_moves_between_what_is_used_and_what_was_signed(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    ask(cast, line, "100000.00")
    change = {"actor": cast.actor("zhou"), "facility_id": line.pk, "reason": "用信下降"}
    for amount in ("99999.99", "300000.01"):
        before = everything()
        with pytest.raises(InvalidInput) as refusal:
            facilities.change_facility_limit(**change, limit_amount=Decimal(amount))
        assert list(refusal.value.fields) == ["limit_amount"]
        assert everything() == before
    assert facilities.change_facility_limit(**change, limit_amount=Decimal("100000.00")).limit_amount == 100000
    with pytest.raises(InvalidInput):
        ask(cast, line, "0.01")
    before = everything()
    with pytest.raises(PermissionRefused):
        facilities.change_facility_limit(**(change | {"actor": cast.actor("he")}), limit_amount=Decimal("200000.00"))
    assert everything() == before
