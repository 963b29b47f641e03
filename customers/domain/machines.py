"""The life of a lead."""

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
