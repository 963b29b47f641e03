"""The bank's own posting rules: drafted by one person, activated by another, in force from a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import InvalidInput
from branch.domain.roles import Role
from branch.services.inputs import clean_reason
from branch.services.policies import PolicyKind
from branch.services.use_case import use_case
from customers.queries.offices import topmost_office
from loans.domain.ledger import faults_of
from loans.models import PostingRuleSet
from loans.queries.ledger import parse_rules, stored_rules

DRAFTERS = frozenset({Role.POLICY_MANAGER, Role.PRODUCT_MANAGER})


def _clean(row: PostingRuleSet, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept. Raises InvalidInput for `rules` with every fault."""
    try:
        rules = parse_rules("", dict(values))
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(fields={"rules": [_("Rules and loan accounts are needed.")]}) from error
    if faults := faults_of(rules):
        raise InvalidInput(fields={"rules": faults})
    return stored_rules(rules)


_RULES = PolicyKind(PostingRuleSet, DRAFTERS, _clean)


@use_case("draft_posting_rules")
def draft_posting_rules(*, actor: Actor, values: Mapping[str, Any]) -> PostingRuleSet:
    """The next version of the posting rules, as a draft: `{"loan_accounts": {…}, "rules": [[…], …]}`."""
    return _RULES.draft(actor=actor, office=topmost_office(actor, DRAFTERS), values=values)


@use_case("update_posting_rules")
def update_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, values: Mapping[str, Any], expected_version: int | None = None
) -> PostingRuleSet:
    """Change a draft of one's own."""
    return _RULES.update(posting_rule_set_id, values, actor=actor, expected_version=expected_version)


@use_case("submit_posting_rules")
def submit_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, expected_version: int | None = None
) -> PostingRuleSet:
    """Hand a draft to a second person."""
    return _RULES.submit(posting_rule_set_id, actor=actor, expected_version=expected_version)


@use_case("reject_posting_rules")
def reject_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, reason: str, expected_version: int | None = None
) -> PostingRuleSet:
    """Send it back to its drafter with the reason."""
    reason = clean_reason(reason)
    return _RULES.reject(posting_rule_set_id, actor=actor, reason=reason, expected_version=expected_version)


@use_case("activate_posting_rules")
def activate_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, active_from_date: date | None = None, expected_version: int | None = None
) -> PostingRuleSet:
    """In force from today or a later day; until then the former rules are. Raises DutiesConflict for their drafter."""
    return _RULES.activate(
        posting_rule_set_id, actor=actor, active_from_date=active_from_date, expected_version=expected_version
    )
