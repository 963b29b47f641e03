"""The life of a policy kept in versions: products, thresholds, decision tables."""

from branch.domain.machine import Machine, on
from branch.domain.roles import Role

#: Drafted by one person, activated by another.
POLICY = Machine(
    "policy",
    "draft",
    (
        on("submit", "draft", "submitted", Role.PRODUCT_MANAGER, Role.POLICY_MANAGER),
        on("reject", "submitted", "draft", Role.PRODUCT_MANAGER, Role.POLICY_MANAGER),
        on("activate", "submitted", "active", Role.PRODUCT_MANAGER, Role.POLICY_MANAGER),
        on("retire", "active", "retired", Role.PRODUCT_MANAGER, Role.POLICY_MANAGER),
    ),
)
