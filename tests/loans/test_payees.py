"""A drawdown paid to a list of payees through a real core bank: each once, the loan begins when all are paid."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation
from rest_framework.test import APIClient

from branch.domain.refusals import InvalidInput, NotFound, PermissionRefused, Unmet
from branch.models import ParameterValue, PaymentInstruction
from customers.models import Customer
from loans.models import Drawdown, Facility, Loan
from loans.nouns.facilities import DrawdownForm
from loans.services import drawdowns, payees, payouts
from loans.services.balances import disagreements
from tests.loans.bank import Bank, bank  # noqa: F401 - a fixture
from tests.loans.given import effective_line, everything

OPENED = date(2020, 1, 1)
STEEL: Any = {
    "name": "恒润钢材",
    "account": "6228480000000011",
    "amount": Decimal("180000.00"),
    "purpose": "不锈钢板材",
}
TOOLS: Any = {"name": "精诚模具", "account": "6228480000000022", "amount": Decimal("90000.00"), "purpose": "模具"}
PAINT: Any = {"name": "佳彩涂料", "account": "6228480000000033", "amount": Decimal("30000.00"), "purpose": "涂料"}


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def ask(cast: SimpleNamespace, *rows: Any, line: Facility | None = None) -> Drawdown:
    line = line or effective_line(cast)
    return drawdowns.request_drawdown(
        actor=cast.actor("lin"), facility_id=line.pk, amount=Decimal(300000), purpose="采购", payees=rows
    )


def release(cast: SimpleNamespace, drawdown: Drawdown) -> None:
    drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    drawdowns.release_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)


def send_all() -> None:
    for pk in PaymentInstruction.objects.filter(state="created").order_by("pk").values_list("pk", flat=True):
        payouts.send_payout(instruction_id=pk)


def state(drawdown: Drawdown) -> str:
    return Drawdown.objects.get(pk=drawdown.pk).state


def test_each_payee_is_paid_and_one_loan_begins(cast: SimpleNamespace, bank: Bank) -> None:  # noqa: F811
    drawdown = ask(cast, STEEL, TOOLS, PAINT)
    release(cast, drawdown)
    first, *others = PaymentInstruction.objects.order_by("pk")
    payouts.send_payout(instruction_id=first.pk)
    assert (state(drawdown), Loan.objects.count()) == ("disbursing", 0)
    send_all()
    send_all()
    assert (state(drawdown), Loan.objects.get().principal) == ("disbursed", Decimal("300000.00"))
    for row in (STEEL, TOOLS, PAINT):
        assert [amount for _reference, amount in bank.received(row["account"])] == [str(row["amount"])]
    assert len(others) == 2
    assert list(disagreements()) == []


def test_one_that_comes_back_is_put_right_and_nobody_is_paid_twice(
    cast: SimpleNamespace,
    bank: Bank,  # noqa: F811
) -> None:
    bank.misbehave("bounce", times=1, match={"payee_account": TOOLS["account"]})
    drawdown = ask(cast, STEEL, TOOLS, PAINT)
    release(cast, drawdown)
    send_all()
    assert (state(drawdown), Loan.objects.count(), Facility.objects.get().drawn_amount) == ("failed", 0, Decimal(0))

    drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
    for step, who in ((drawdowns.refuse_drawdown, "wu"), (drawdowns.cancel_drawdown, "lin")):
        with pytest.raises(Unmet, match="were paid"):
            step(actor=cast.actor(who), drawdown_id=drawdown.pk, reason="不要了")
    Drawdown.objects.filter(pk=drawdown.pk).update(state="failed")

    right = {"name": TOOLS["name"], "account": "6228480000000099"}
    for who, number, refusal in (("wu", 2, PermissionRefused), ("lin", 4, NotFound), ("lin", 1, Unmet)):
        before = everything()
        with pytest.raises(refusal):
            payees.correct_payee(actor=cast.actor(who), drawdown_id=drawdown.pk, number=number, **right)
        assert everything() == before
    payees.correct_payee(actor=cast.actor("lin"), drawdown_id=drawdown.pk, number=2, **right)
    release(cast, drawdown)
    send_all()
    assert (state(drawdown), Loan.objects.count()) == ("disbursed", 1)
    received = {
        account: len(bank.received(account)) for account in (STEEL["account"], right["account"], PAINT["account"])
    }
    assert set(received.values()) == {1}
    assert list(disagreements()) == []


def test_two_silences_are_asked_about(cast: SimpleNamespace, bank: Bank) -> None:  # noqa: F811
    bank.misbehave("drop_after_booking", times=2)
    drawdown = ask(cast, STEEL, TOOLS, PAINT)
    release(cast, drawdown)
    send_all()
    assert state(drawdown) == "unknown"
    for pk in PaymentInstruction.objects.filter(state="unknown").values_list("pk", flat=True):
        payouts.ask_about_payout(instruction_id=pk)
    assert (state(drawdown), Loan.objects.count()) == ("disbursed", 1)
    assert [len(bank.received(row["account"])) for row in (STEEL, TOOLS, PAINT)] == [1, 1, 1]


def test_a_list_must_sum_and_each_fault_names_its_row(cast: SimpleNamespace) -> None:
    line = effective_line(cast)
    for rows, field in (
        ((STEEL, TOOLS), "payees"),
        ((STEEL, TOOLS | {"account": "no account!"}, PAINT), "payees.1.account"),
        ((STEEL, TOOLS, PAINT | {"amount": Decimal(0)}), "payees.2.amount"),
        ((STEEL | {"name": " "}, TOOLS, PAINT), "payees.0.name"),
    ):
        before = everything()
        with pytest.raises(InvalidInput) as refusal:
            ask(cast, *rows, line=line)
        assert set(refusal.value.fields) == {field}
        assert everything() == before


@pytest.mark.parametrize(("kind", "is_refused"), [("company", False), ("sole_trader", True)])
def test_a_firms_threshold_is_by_payment_a_persons_by_the_draw(
    cast: SimpleNamespace, kind: str, is_refused: bool
) -> None:
    for code in ("entrusted.working_capital_above", "entrusted.personal_above"):
        ParameterValue.objects.create(code=code, value="100000", effective_date=OPENED)
    line = effective_line(cast)
    Customer.objects.filter(pk=line.customer_id).update(kind=kind)
    own = PAINT | {"name": line.customer.name}
    drawdown = ask(cast, STEEL, TOOLS, own, line=line)
    if is_refused:
        with pytest.raises(Unmet) as refusal:
            drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk)
        assert refusal.value.facts == {"entrusted_above": "100000"}
    else:
        assert drawdowns.check_drawdown(actor=cast.actor("wu"), drawdown_id=drawdown.pk).state == "checked"


def test_the_form_takes_one_a_line_and_the_api_a_list(cast: SimpleNamespace) -> None:
    typed = "恒润钢材, 6228480000000011, 180,000.00, 板材\n精诚模具，6228480000000022，120000，模具"
    form = DrawdownForm(
        {"amount": "300000", "purpose": "采购", "payees": typed}, actor=cast.actor("lin"), instance=None
    )
    assert form.is_valid(), form.errors
    assert [(row["name"], row["amount"]) for row in form.cleaned_data["payees"]] == [
        ("恒润钢材", Decimal("180000.00")), ("精诚模具", Decimal(120000)),
    ]  # fmt: skip
    bad = DrawdownForm({"amount": "3", "purpose": "采购", "payees": "恒润"}, actor=cast.actor("lin"), instance=None)
    assert set(bad.errors) == {"payees"}
    line = effective_line(cast)
    client = APIClient()
    client.force_authenticate(cast.lin)
    rows = [row | {"amount": str(row["amount"])} for row in (STEEL, TOOLS, PAINT)]
    body = {"amount": "300000.00", "purpose": "采购", "payees": rows}
    answer = client.post(f"/api/v1/facilities/{line.pk}/request-drawdown/", body, format="json")
    assert answer.status_code == 201, answer.data
    assert [(row["name"], row["account"][-4:], row["is_paid"]) for row in answer.data["payees"]] == [
        ("恒润钢材", "0011", False), ("精诚模具", "0022", False), ("佳彩涂料", "0033", False),
    ]  # fmt: skip
