"""Who sees reviews: those of the file, and those who work the queue of its office."""

from __future__ import annotations

from django.db.models import QuerySet

from approvals.models import Authority, Review, ReviewStage
from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import owned_or_within, scope, within_offices

READERS = (
    Role.RISK_REVIEWER,
    Role.APPROVER,
    Role.BRANCH_MANAGER,
    Role.AUDITOR,
)


@scope(Review)
def reviews(rows: QuerySet, actor: Actor) -> QuerySet:
    return owned_or_within(rows, actor, subtree=READERS)


@scope(ReviewStage)
def stages(rows: QuerySet, actor: Actor) -> QuerySet:
    return owned_or_within(rows, actor, subtree=READERS, owner="review__owner")


@scope(Authority)
def authorities(rows: QuerySet, actor: Actor) -> QuerySet:
    return rows.filter(
        within_offices(actor, (Role.ADMINISTRATOR, Role.POLICY_MANAGER, Role.BRANCH_MANAGER, Role.AUDITOR)),
    ) | rows.filter(user_id=actor.user_id)
