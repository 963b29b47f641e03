"""The lives of a lead, of a cluster, of an import, of a screening hit and of a request for erasure."""

from branch.domain.machine import Machine, on
from branch.domain.roles import Role

LEAD = Machine(
    "lead",
    "new",
    (
        on("contact", "new", "contacted", Role.ACCOUNT_MANAGER),
        on("qualify", "contacted", "qualified", Role.ACCOUNT_MANAGER),
        on("convert", "qualified", "converted", Role.ACCOUNT_MANAGER),
        on("lose", "new contacted qualified", "lost", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER, Role.SYSTEM),
        on("reopen", "lost", "contacted", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
    ),
)
_RUNNERS = (Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER)
CAMPAIGN = Machine(
    "campaign",
    "planned",
    (
        on("launch", "planned", "running", *_RUNNERS),
        on("end", "running", "ended", *_RUNNERS),
        on("cancel", "planned running", "cancelled", *_RUNNERS),
    ),
)
SUGGESTION = Machine(
    "suggestion",
    "new",
    (
        on("take_up", "new", "under_review", Role.PRODUCT_MANAGER),
        on("accept", "under_review", "accepted", Role.PRODUCT_MANAGER),
        on("decline", "new under_review", "declined", Role.PRODUCT_MANAGER),
        on("finish", "accepted", "done", Role.PRODUCT_MANAGER),
    ),
)
_JUDGES = (Role.BRANCH_MANAGER, Role.RISK_REVIEWER)
CLUSTER = Machine(
    "cluster",
    "draft",
    (
        on("submit", "draft", "submitted", Role.ACCOUNT_MANAGER),
        on("send_back", "submitted", "draft", *_JUDGES),
        on("activate", "submitted", "active", *_JUDGES),
        on("suspend", "active", "suspended", *_JUDGES),
        on("resume", "suspended", "active", *_JUDGES),
        on("close", "draft active suspended", "closed", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
    ),
)
PRESCREEN_RUN = Machine(
    "prescreen_run",
    "running",
    (on("finish", "running", "done", Role.SYSTEM), on("fail", "running", "failed", Role.SYSTEM)),
)
_SENDERS = (Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER, Role.INTEGRATION, Role.SYSTEM)
#: Those of the files of watchlists, which they alone see.
_LIST_KEEPERS = (Role.POLICY_MANAGER, Role.ADMINISTRATOR)
RECORD_IMPORT = Machine(
    "record_import",
    "draft",
    (
        on("start", "draft", "running", *_SENDERS, *_LIST_KEEPERS),
        on("discard", "draft", "discarded", *_SENDERS, *_LIST_KEEPERS),
        on("finish", "running", "done", Role.SYSTEM),
        on("refuse", "running", "refused", Role.SYSTEM),
    ),
)
PULL_RUN = Machine(
    "pull_run",
    "running",
    (
        on("finish", "running", "done", Role.SYSTEM),
        on("reopen", "done", "running", Role.SYSTEM),
    ),
)
#: One person records it, another erases (services/retention); the night erases what had to wait.
ERASURE_REQUEST = Machine(
    "erasure_request",
    "open",
    (
        on("fulfil", "open", "fulfilled", Role.BRANCH_MANAGER, Role.SYSTEM),
        on("withdraw", "open", "withdrawn", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
    ),
)
_REVIEWERS = (Role.RISK_REVIEWER, Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER)
#: One person proposes, another decides; neither owns the customer (services/screening_hits).
SCREENING_HIT = Machine(
    "screening_hit",
    "open",
    (
        on("propose", "open", "proposed", *_REVIEWERS),
        on("clear", "proposed", "cleared", *_REVIEWERS),
        on("confirm", "proposed", "confirmed", *_REVIEWERS),
        on("send_back", "proposed", "open", *_REVIEWERS, Role.SYSTEM),
        on("reopen", "cleared confirmed", "open", *_REVIEWERS, Role.SYSTEM),
    ),
)
