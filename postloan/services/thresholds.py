"""Thresholds of an indicator: drafted by one person, activated by another, in force from a date."""

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
from postloan.domain.indicators import INDICATORS
from postloan.domain.thresholds import ThresholdError, parse_rule, stored_values
from postloan.models import ThresholdSet

DRAFTERS = frozenset({Role.POLICY_MANAGER, Role.PRODUCT_MANAGER})


def _clean(row: ThresholdSet, values: Mapping[str, Any]) -> dict[str, str | int]:
    """The values as they are kept. Raises InvalidInput by field."""
    if row.indicator not in INDICATORS:
        raise InvalidInput(fields={"indicator": [_("Choose one of the indicators.")]})
    try:
        return stored_values(parse_rule(row.indicator, "", values))
    except ThresholdError as error:
        message = _("These are no thresholds for this indicator: %(why)s.") % {"why": error}
        raise InvalidInput(fields={error.field: [message]}) from error


_THRESHOLDS = PolicyKind(ThresholdSet, DRAFTERS, _clean, scope=("indicator",))


@use_case("draft_threshold_set")
def draft_threshold_set(*, actor: Actor, indicator: str, values: Mapping[str, Any]) -> ThresholdSet:
    """The next version of an indicator's thresholds, as a draft: limits by level and the indicator's own settings."""
    office = topmost_office(actor, DRAFTERS)
    return _THRESHOLDS.draft(actor=actor, office=office, values=values, indicator=indicator)


@use_case("update_threshold_set")
def update_threshold_set(
    *, actor: Actor, threshold_set_id: int, values: Mapping[str, Any], expected_version: int | None = None
) -> ThresholdSet:
    """Change a draft of one's own."""
    return _THRESHOLDS.update(threshold_set_id, values, actor=actor, expected_version=expected_version)


@use_case("submit_threshold_set")
def submit_threshold_set(*, actor: Actor, threshold_set_id: int, expected_version: int | None = None) -> ThresholdSet:
    """Hand a draft to a second person."""
    return _THRESHOLDS.submit(threshold_set_id, actor=actor, expected_version=expected_version)


@use_case("reject_threshold_set")
def reject_threshold_set(
    *, actor: Actor, threshold_set_id: int, reason: str, expected_version: int | None = None
) -> ThresholdSet:
    """Send it back to its drafter with the reason."""
    reason = clean_reason(reason)
    return _THRESHOLDS.reject(threshold_set_id, actor=actor, reason=reason, expected_version=expected_version)


@use_case("activate_threshold_set")
def activate_threshold_set(
    *, actor: Actor, threshold_set_id: int, active_from_date: date | None = None, expected_version: int | None = None
) -> ThresholdSet:
    """In force from today or a later day; until then the former set is. Raises DutiesConflict for its drafter."""
    return _THRESHOLDS.activate(
        threshold_set_id, actor=actor, active_from_date=active_from_date, expected_version=expected_version
    )
