"""Payments whose bank gives no answer, sends money back or holds something else: killed at every step of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db.models import QuerySet

from branch.models import Event, Notification, OutboxMessage, PaymentInstruction
from loans.models import Drawdown, Facility, Instalment, Loan, LoanEntry, Repayment
from loans.services.balances import disagreements
from tests.kill import child, database
from tests.kill.crash import let_leases_end
from tests.kill.walk import FUNDS, Record
from tests.kill.world import Books, World

#: Only said where nobody died before it could be said.
SAID_BY_THE_LIVING = {"drawdown.lose_answer"}
#: Killed in the life itself.
TELLING = ("deliver_message.", "note_calls.")


@dataclass(frozen=True)
class Trouble:
    """`stage` is where a payment waits to be sent; it ends in `state`, passing failpoints of these use cases."""

    stage: str
    make: Callable[[Books], object]
    state: str
    passes: frozenset[str]


def fund_and_drop(bank: Books) -> None:
    bank.fund(child.life().customer.repayment_account, FUNDS)
    bank.misbehave("drop_after_booking", match={"kind": "collection"}, times=1)


def pay_another_under_its_reference(bank: Books) -> None:
    facts = {"amount": "1.00", "payee_account": "6228000000000099", "payee_name": "别家", "memo": "别的"}
    bank.call("POST", "/payouts", facts | {"reference": PaymentInstruction.objects.get().reference})


TROUBLES = {
    "payout without an answer": Trouble(
        "release_drawdown, not sent",
        lambda bank: bank.misbehave("drop_after_booking", match={"kind": "payout"}, times=1),
        "succeeded",
        frozenset({"lose_payout_answer", "take_up_payment", "query_payment", "record_payout_answer"}),
    ),
    "payout sent back": Trouble(
        "release_drawdown, not sent", lambda bank: bank.misbehave("bounce"), "failed", frozenset({"order_payment"})
    ),
    "payout under a reference taken": Trouble(
        "release_drawdown, not sent",
        pay_another_under_its_reference,
        "unknown",
        frozenset({"set_payment_aside", "lose_payout_answer"}),
    ),
    "debit without an answer": Trouble(
        "collect, not sent",
        fund_and_drop,
        "succeeded",
        frozenset({"lose_collection_answer", "take_up_payment", "query_payment", "record_collection_answer"}),
    ),
}


@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_ends_the_same_whoever_dies_on_the_way(world: World, record: Record, name: str) -> None:
    trouble = TROUBLES[name]
    begin(trouble, world, record)
    _nothing, passed = world.workers.do(child.work)
    wanted = facts(world)
    assert PaymentInstruction.objects.latest("id").state == trouble.state
    assert trouble.passes <= {failpoint.partition(".")[0] for failpoint in passed}

    for failpoint in passed:
        if not failpoint.startswith(TELLING):
            begin(trouble, world, record)
            world.workers.die_at(failpoint, child.work)
            let_leases_end()
            world.workers.do(child.work)
            assert facts(world) == wanted, failpoint


def begin(trouble: Trouble, world: World, record: Record) -> None:
    database.put_back(record.stages[trouble.stage])
    world.bank.empty()
    trouble.make(world.bank)


def facts(world: World) -> dict[str, Any]:
    """Every state and every cent, here and at the bank."""
    events = Counter(Event.objects.exclude(name__in=SAID_BY_THE_LIVING).values_list("name", flat=True))
    return {
        "drawdowns": rows(Drawdown.objects.all(), "number", "state", "failure_reason", "attempt"),
        "lines": rows(Facility.objects.all(), "state", "drawn_amount"),
        "loans": rows(Loan.objects.all(), "number", "state", "outstanding_principal", "penalty_due", "suspense_amount"),
        "instalments": rows(Instalment.objects.all(), "number", "principal_paid", "interest_paid"),
        "entries": rows(LoanEntry.objects.all(), "kind", "amount", "value_date"),
        "repayments": rows(Repayment.objects.all(), "reference", "amount", "channel"),
        "payments": rows(PaymentInstruction.objects.all(), "reference", "state", "failure_code"),
        "events": events,
        "messages": Counter(OutboxMessage.objects.exclude(delivered_at=None).values_list("topic", flat=True)),
        "undelivered": OutboxMessage.objects.filter(delivered_at=None).count(),
        "notices": Counter(Notification.objects.values_list("user__username", "kind")),
        "disagreements": list(disagreements()),
        "bank": world.bank.read(),
    }


def rows(found: QuerySet, *fields: str) -> list[tuple[Any, ...]]:
    return list(found.order_by("pk").values_list(*fields))
