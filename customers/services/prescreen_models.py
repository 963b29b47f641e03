"""The decision table of pre-screening: drafted by one person, activated by another, in force from a date."""

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
from customers.domain.prescreen import TableError, check_table
from customers.models import PrescreenModel
from customers.queries.offices import topmost_office

DRAFTERS = frozenset({Role.POLICY_MANAGER, Role.PRODUCT_MANAGER})


def _clean(row: PrescreenModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """The table, once it has answered for a known and an unknown member. Raises InvalidInput for `table`."""
    if not isinstance(values, Mapping):
        raise InvalidInput(fields={"table": [_("This is no decision table: %(why)s.") % {"why": "JSON"}]})
    try:
        check_table(values)
    except TableError as error:
        raise InvalidInput(fields={"table": [_("This is no decision table: %(why)s.") % {"why": error}]}) from error
    return dict(values)


_MODELS = PolicyKind(PrescreenModel, DRAFTERS, _clean)


@use_case("draft_prescreen_model")
def draft_prescreen_model(*, actor: Actor, values: Mapping[str, Any]) -> PrescreenModel:
    """The next version of the decision table (GoRules JDM), as a draft."""
    return _MODELS.draft(actor=actor, office=topmost_office(actor, DRAFTERS), values=values)


@use_case("update_prescreen_model")
def update_prescreen_model(
    *, actor: Actor, prescreen_model_id: int, values: Mapping[str, Any], expected_version: int | None = None
) -> PrescreenModel:
    """Change a draft of one's own."""
    return _MODELS.update(prescreen_model_id, values, actor=actor, expected_version=expected_version)


@use_case("submit_prescreen_model")
def submit_prescreen_model(
    *, actor: Actor, prescreen_model_id: int, expected_version: int | None = None
) -> PrescreenModel:
    """Hand a draft to a second person."""
    return _MODELS.submit(prescreen_model_id, actor=actor, expected_version=expected_version)


@use_case("reject_prescreen_model")
def reject_prescreen_model(
    *, actor: Actor, prescreen_model_id: int, reason: str, expected_version: int | None = None
) -> PrescreenModel:
    """Send it back to its drafter with the reason."""
    reason = clean_reason(reason)
    return _MODELS.reject(prescreen_model_id, actor=actor, reason=reason, expected_version=expected_version)


@use_case("activate_prescreen_model")
def activate_prescreen_model(
    *,
    actor: Actor,
    prescreen_model_id: int,
    active_from_date: date | None = None,
    expected_version: int | None = None,
) -> PrescreenModel:
    """In force from today or a later day; until then the former one is. Raises DutiesConflict for its drafter."""
    return _MODELS.activate(
        prescreen_model_id, actor=actor, active_from_date=active_from_date, expected_version=expected_version
    )
