"""One loan from lead to settlement, killed at every commit and at every call to the core bank on its way."""

from __future__ import annotations

import pytest

from branch import failpoints
from branch.models import Attachment
from branch.queries.seals import verify
from postloan.domain.steps import STEPS
from tests.kill import database
from tests.kill.walk import Killed, Record, plan
from tests.kill.world import World

#: What the life, its background work and its nights go through.
PASSED_BY_THE_LIFE = {f"sweep_{step.name}" for step in STEPS} | {
    "accept_inspection",
    "accept_offer",
    "approve_application",
    "assign_case",
    "attach_file",
    "book_repayment",
    "capture_lead",
    "check_drawdown",
    "claim_payment",
    "claim_shard",
    "claim_stage",
    "close_business_day",
    "collect_repayment",
    "contact_lead",
    "convert_lead",
    "create_customer",
    "decide",
    "deliver_message",
    "draft_application",
    "generate_contract",
    "give_opinion",
    "make_effective",
    "meet_condition",
    "note_calls",
    "open_facility",
    "order_payment",
    "qualify_lead",
    "receive_records",
    "record_action",
    "record_collection_answer",
    "record_payout_answer",
    "release_drawdown",
    "reprice_application",
    "request_drawdown",
    "resolve_case",
    "save_investigation",
    "seal_day",
    "send_to_review",
    "sign_as_owner",
    "sign_as_second",
    "sign_contract",
    "start_inspection",
    "start_investigation",
    "start_verification",
    "submit_application",
    "submit_inspection",
}
LIVES = (0, 1)


@pytest.mark.parametrize("nth", LIVES)
def test_a_life_of_deaths_ends_as_the_undisturbed_one(world: World, record: Record, nth: int) -> None:
    database.put_back(record.stages["opening"])
    world.bank.empty()

    Killed(world, plan(record, nth)).go()

    assert database.differences(record.contents, database.contents()) == []
    assert world.bank.read() == record.books
    assert verify() == []
    assert [row for row in Attachment.objects.all() if world.sha256_of(row.storage_name) != row.sha256] == []


def test_somebody_dies_wherever_the_life_passes(record: Record) -> None:
    declared = {name for name in failpoints.NAMES if name.partition(".")[0] in PASSED_BY_THE_LIFE}
    died = {name for nth in LIVES for names in plan(record, nth).values() for name in names}

    assert record.failpoints == declared
    assert died == declared
