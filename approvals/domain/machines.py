"""The lives of a review (one per pass of a file through approval) and of its stages."""

from branch.domain.machine import Machine, on
from branch.domain.roles import Role

REVIEW = Machine(
    "review",
    "open",
    (
        on("decide", "open", "decided", Role.APPROVER, Role.RISK_REVIEWER),
        on("cancel", "open", "cancelled", Role.ACCOUNT_MANAGER, Role.BRANCH_MANAGER),
    ),
)

#: Who may claim a stage depends on its kind: the service narrows these roles to the stage's own.
STAGE = Machine(
    "review_stage",
    "waiting",
    (
        on("claim", "waiting", "claimed", Role.RISK_REVIEWER, Role.APPROVER),
        on("release_claim", "claimed", "waiting", Role.RISK_REVIEWER, Role.APPROVER, Role.BRANCH_MANAGER),
        on("finish", "claimed", "done", Role.RISK_REVIEWER, Role.APPROVER),
        on(
            "skip",
            "waiting claimed",
            "skipped",
            Role.RISK_REVIEWER,
            Role.APPROVER,
            Role.ACCOUNT_MANAGER,
            Role.BRANCH_MANAGER,
        ),
    ),
)
