"""Who sees what after the money is out."""

from __future__ import annotations

from django.db.models import QuerySet

from branch.domain.actor import Actor
from branch.domain.roles import Role
from branch.queries.visibility import owned_or_within, scope, visible
from loans.models import Loan
from postloan.models import (
    CollectionCase,
    IndicatorReading,
    Inspection,
    LoanDay,
    Signal,
    SweepRun,
    SweepShard,
    ThresholdSet,
    WarningCase,
)

LOOK_AFTER = (Role.POST_LOAN_OFFICER, Role.BRANCH_MANAGER, Role.AUDITOR)
NIGHT_WATCH = frozenset({Role.BRANCH_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR, Role.POST_LOAN_OFFICER})
RULE_READERS = frozenset({Role.PRODUCT_MANAGER, Role.POLICY_MANAGER, *LOOK_AFTER})


@scope(Signal)
def signals(rows: QuerySet[Signal], actor: Actor) -> QuerySet[Signal]:
    return owned_or_within(rows, actor, subtree=LOOK_AFTER)


@scope(WarningCase)
def warning_cases(rows: QuerySet[WarningCase], actor: Actor) -> QuerySet[WarningCase]:
    return owned_or_within(rows, actor, subtree=LOOK_AFTER)


@scope(Inspection)
def inspections(rows: QuerySet[Inspection], actor: Actor) -> QuerySet[Inspection]:
    return owned_or_within(rows, actor, subtree=LOOK_AFTER)


@scope(CollectionCase)
def collection_cases(rows: QuerySet[CollectionCase], actor: Actor) -> QuerySet[CollectionCase]:
    return owned_or_within(rows, actor, subtree=LOOK_AFTER)


@scope(IndicatorReading)
def readings(rows: QuerySet[IndicatorReading], actor: Actor) -> QuerySet[IndicatorReading]:
    return owned_or_within(rows, actor, subtree=LOOK_AFTER, owner="loan__owner", office="loan__office")


@scope(LoanDay)
def loan_days(rows: QuerySet[LoanDay], actor: Actor) -> QuerySet[LoanDay]:
    return rows.filter(loan__in=visible(Loan, actor))


@scope(ThresholdSet)
def threshold_sets(rows: QuerySet[ThresholdSet], actor: Actor) -> QuerySet[ThresholdSet]:
    """The bank's rules, not a branch's."""
    return rows if actor.roles & RULE_READERS else rows.none()


@scope(SweepRun)
def runs(rows: QuerySet[SweepRun], actor: Actor) -> QuerySet[SweepRun]:
    """The whole bank's nights; nothing of a customer stands in them but an id set aside."""
    return rows if actor.roles & NIGHT_WATCH else rows.none()


@scope(SweepShard)
def shards(rows: QuerySet[SweepShard], actor: Actor) -> QuerySet[SweepShard]:
    return rows if actor.roles & NIGHT_WATCH else rows.none()
