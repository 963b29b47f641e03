"""The lives of what happens after the money is out: signal, case, inspection, collection."""

from branch.domain.machine import Machine, on
from branch.domain.roles import Role

OFFICER = Role.POST_LOAN_OFFICER
HEAD = Role.BRANCH_MANAGER

SIGNAL = Machine(
    "signal",
    "raised",
    (
        on("clear", "raised", "cleared", Role.SYSTEM),
        on("take_into_case", "raised", "in_case", Role.SYSTEM, OFFICER),
    ),
)

CASE = Machine(
    "warning_case",
    "open",
    (
        on("assign", "open", "assigned", HEAD, OFFICER),
        on("verify", "assigned", "verifying", OFFICER),
        on("act", "verifying", "acting", OFFICER),
        on("resolve", "verifying acting", "closed", OFFICER),
        on("dismiss", "verifying", "closed", OFFICER),
        on("transfer", "verifying acting", "closed", OFFICER),
    ),
)

INSPECTION = Machine(
    "inspection",
    "due",
    (
        on("start", "due", "in_progress", Role.ACCOUNT_MANAGER),
        on("submit", "in_progress", "submitted", Role.ACCOUNT_MANAGER),
        on("accept", "submitted", "accepted", OFFICER),
        on("send_back", "submitted", "returned", OFFICER),
        on("resume", "returned", "in_progress", Role.ACCOUNT_MANAGER),
    ),
)

COLLECTION = Machine(
    "collection_case",
    "open",
    (
        on("contact", "open", "contacting", OFFICER),
        on("promise", "contacting broken_promise", "promised", OFFICER),
        on("break_promise", "promised", "broken_promise", OFFICER, Role.SYSTEM),
        on("go_legal", "contacting broken_promise", "legal", OFFICER),
        on("close_paid", "open contacting promised broken_promise legal", "closed", OFFICER, Role.SYSTEM),
        on("close_restructured", "open contacting promised broken_promise legal", "closed", OFFICER),
        on("close_written_off", "open contacting promised broken_promise legal", "closed", HEAD),
    ),
)
