"""The bank's own posting rules: drafted by one person, activated by another, in force from a date."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.queries.business_date import business_date
from branch.services.transition import change, create, transition
from branch.services.use_case import use_case
from customers.queries.offices import topmost_office
from loans.domain.ledger import faults_of
from loans.models import PostingRuleSet
from loans.queries.ledger import parse_rules, stored_rules
from loans.services.inputs import clean_reason

DRAFTERS = frozenset({Role.POLICY_MANAGER, Role.PRODUCT_MANAGER})


@use_case("draft_posting_rules")
def draft_posting_rules(*, actor: Actor, values: Mapping[str, Any]) -> PostingRuleSet:
    """The next version of the posting rules, as a draft: `{"loan_accounts": {…}, "rules": [[…], …]}`.

    Raises PermissionRefused, InvalidInput with what is wrong with them.
    """
    if not actor.holds_bank_wide(DRAFTERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="draft")
    latest = PostingRuleSet.objects.select_for_update().order_by("number").last()
    drafted = PostingRuleSet(
        office=topmost_office(actor, DRAFTERS),
        number=latest.number + 1 if latest else 1,
        values=_clean(values),
        drafted_by_id=actor.user_id,  # type: ignore[misc]  # the system holds no drafter's role
    )
    return create(drafted, actor=actor, roles=DRAFTERS, event="draft")


@use_case("update_posting_rules")
def update_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, values: Mapping[str, Any], expected_version: int | None = None
) -> PostingRuleSet:
    """Change a draft. Only who drafted it may, so whoever activates it wrote none of it."""
    with change(
        PostingRuleSet,
        posting_rule_set_id,
        "update",
        actor=actor,
        roles=DRAFTERS,
        states=("draft",),
        expected_version=expected_version,
    ) as row:
        if row.drafted_by_id != actor.user_id:
            raise PermissionRefused(_("Only the person who drafted it may change it."))
        row.values = _clean(values)
    return row


@use_case("submit_posting_rules")
def submit_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, expected_version: int | None = None
) -> PostingRuleSet:
    """Hand a draft to a second person."""
    with transition(
        PostingRuleSet, posting_rule_set_id, "submit", actor=actor, expected_version=expected_version
    ) as row:
        row.values = _clean(row.values)
    return row


@use_case("reject_posting_rules")
def reject_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, reason: str, expected_version: int | None = None
) -> PostingRuleSet:
    """Send it back to its drafter with the reason."""
    reason = clean_reason(reason)
    with transition(
        PostingRuleSet, posting_rule_set_id, "reject", actor=actor, reason=reason, expected_version=expected_version
    ) as row:
        pass
    return row


@use_case("activate_posting_rules")
def activate_posting_rules(
    *, actor: Actor, posting_rule_set_id: int, active_from_date: date | None = None, expected_version: int | None = None
) -> PostingRuleSet:
    """In force from today or a later day; until then the former rules are. Raises DutiesConflict for their drafter."""
    today = business_date()
    starts = active_from_date or today
    if starts < today:
        raise InvalidInput(fields={"active_from_date": [_("Choose today or a later day.")]})
    # Two activations wait for each other here, before either looks for the former rules.
    list(PostingRuleSet.objects.select_for_update().order_by("number"))
    with transition(
        PostingRuleSet, posting_rule_set_id, "activate", actor=actor, expected_version=expected_version
    ) as row:
        if row.drafted_by_id == actor.user_id:
            raise DutiesConflict(_("You drafted these rules, so somebody else must activate them."))
        _retire_former(actor, today)
        row.activated_by_id = actor.user_id
        row.active_from_date = starts
    return row


def _retire_former(actor: Actor, today: date) -> None:
    former = PostingRuleSet.objects.filter(state="active").first()
    if former is None:
        return
    with transition(PostingRuleSet, former.pk, "retire", actor=actor) as row:
        if row.active_from_date and row.active_from_date > today:
            # They never came into force, and must not on their day.
            row.active_from_date = None


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept. Raises InvalidInput for `rules` with every fault."""
    try:
        rules = parse_rules("", dict(values))
    except (KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(fields={"rules": [_("Rules and loan accounts are needed.")]}) from error
    if faults := faults_of(rules):
        raise InvalidInput(fields={"rules": faults})
    return stored_rules(rules)
