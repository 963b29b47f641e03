"""The lives of a lead and of an import."""

from branch.domain.machine import Machine, on
from branch.domain.roles import Role

LEAD = Machine(
    "lead",
    "new",
    (
        on("contact", "new", "contacted", Role.ACCOUNT_MANAGER),
        on("qualify", "contacted", "qualified", Role.ACCOUNT_MANAGER),
        on("convert", "qualified", "converted", Role.ACCOUNT_MANAGER),
        on("lose", "new contacted qualified", "lost", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
        on("reopen", "lost", "contacted", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
    ),
)
_SENDERS = (Role.ACCOUNT_MANAGER, Role.POST_LOAN_OFFICER, Role.INTEGRATION, Role.SYSTEM)
RECORD_IMPORT = Machine(
    "record_import",
    "draft",
    (
        on("start", "draft", "running", *_SENDERS),
        on("discard", "draft", "discarded", *_SENDERS),
        on("finish", "running", "done", Role.SYSTEM),
        on("refuse", "running", "refused", Role.SYSTEM),
    ),
)
