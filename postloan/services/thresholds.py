"""Thresholds of an indicator: drafted by one person, activated by another, in force from a date."""

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
from loans.services.inputs import clean_reason
from postloan.domain.indicators import INDICATORS
from postloan.domain.thresholds import ThresholdError, parse_rule, stored_values
from postloan.models import ThresholdSet

DRAFTERS = frozenset({Role.POLICY_MANAGER, Role.PRODUCT_MANAGER})


@use_case("draft_threshold_set")
def draft_threshold_set(*, actor: Actor, indicator: str, values: Mapping[str, Any]) -> ThresholdSet:
    """The next version of an indicator's thresholds, as a draft: limits by level and the indicator's own settings.

    Raises PermissionRefused, InvalidInput by field.
    """
    if not actor.holds_bank_wide(DRAFTERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="draft")
    if indicator not in INDICATORS:
        raise InvalidInput(fields={"indicator": [_("Choose one of the indicators.")]})
    latest = _of_indicator(indicator).last()
    drafted = ThresholdSet(
        office=topmost_office(actor, DRAFTERS),
        indicator=indicator,
        number=latest.number + 1 if latest else 1,
        values=_clean(indicator, values),
        drafted_by_id=actor.user_id,  # type: ignore[misc]  # the system holds no drafter's role
    )
    return create(drafted, actor=actor, roles=DRAFTERS, event="draft")


@use_case("update_threshold_set")
def update_threshold_set(
    *, actor: Actor, threshold_set_id: int, values: Mapping[str, Any], expected_version: int | None = None
) -> ThresholdSet:
    """Change a draft. Only who drafted it may, so whoever activates it wrote none of it."""
    with change(
        ThresholdSet,
        threshold_set_id,
        "update",
        actor=actor,
        roles=DRAFTERS,
        states=("draft",),
        expected_version=expected_version,
    ) as row:
        if row.drafted_by_id != actor.user_id:
            raise PermissionRefused(_("Only the person who drafted it may change it."))
        row.values = _clean(row.indicator, values)
    return row


@use_case("submit_threshold_set")
def submit_threshold_set(*, actor: Actor, threshold_set_id: int, expected_version: int | None = None) -> ThresholdSet:
    """Hand a draft to a second person."""
    with transition(ThresholdSet, threshold_set_id, "submit", actor=actor, expected_version=expected_version) as row:
        row.values = _clean(row.indicator, row.values)
    return row


@use_case("reject_threshold_set")
def reject_threshold_set(
    *, actor: Actor, threshold_set_id: int, reason: str, expected_version: int | None = None
) -> ThresholdSet:
    """Send it back to its drafter with the reason."""
    reason = clean_reason(reason)
    with transition(
        ThresholdSet, threshold_set_id, "reject", actor=actor, reason=reason, expected_version=expected_version
    ) as row:
        pass
    return row


@use_case("activate_threshold_set")
def activate_threshold_set(
    *, actor: Actor, threshold_set_id: int, active_from_date: date | None = None, expected_version: int | None = None
) -> ThresholdSet:
    """In force from today or a later day; until then the former set is. Raises DutiesConflict for its drafter."""
    today = business_date()
    starts = active_from_date or today
    if starts < today:
        raise InvalidInput(fields={"active_from_date": [_("Choose today or a later day.")]})
    indicator = ThresholdSet.objects.filter(pk=threshold_set_id).values_list("indicator", flat=True).first()
    # Two activations of one indicator wait for each other here, before either looks for the former set.
    list(_of_indicator(indicator))
    with transition(ThresholdSet, threshold_set_id, "activate", actor=actor, expected_version=expected_version) as row:
        if row.drafted_by_id == actor.user_id:
            raise DutiesConflict(_("You drafted these thresholds, so somebody else must activate them."))
        _retire_former(actor, row.indicator, today)
        row.activated_by_id = actor.user_id
        row.active_from_date = starts
    return row


def _of_indicator(indicator: str | None) -> Any:
    return ThresholdSet.objects.select_for_update().filter(indicator=indicator).order_by("number")


def _retire_former(actor: Actor, indicator: str, today: date) -> None:
    former = ThresholdSet.objects.filter(indicator=indicator, state="active").first()
    if former is None:
        return
    with transition(ThresholdSet, former.pk, "retire", actor=actor) as row:
        if row.active_from_date and row.active_from_date > today:
            # It never came into force, and must not on its day.
            row.active_from_date = None


def _clean(indicator: str, values: Mapping[str, Any]) -> dict[str, str | int]:
    try:
        return stored_values(parse_rule(indicator, "", values))
    except ThresholdError as error:
        message = _("These are no thresholds for this indicator: %(why)s.") % {"why": error}
        raise InvalidInput(fields={error.field: [message]}) from error
