"""A policy kept in versions: drafted by one person, activated by another, in force until the next one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.refusals import DutiesConflict, InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.models import Office
from branch.models.stateful import Stateful
from branch.queries.business_date import business_date
from branch.services.transition import change, create, transition

Row = TypeVar("Row", bound=Stateful)


@dataclass(frozen=True)
class PolicyKind(Generic[Row]):
    """What is kept in versions, and by whom.

    The model has `number`, `values`, `drafted_by`, `activated_by` and `active_from_date`. Among the rows alike in the
    fields of `scope` versions are counted and one is active. `clean(row, values)` returns the values as they are kept
    and raises InvalidInput with what is wrong with them.
    """

    model: type[Row]
    drafters: frozenset[Role]
    clean: Callable[[Any, Mapping[str, Any]], dict[str, Any]]
    scope: tuple[str, ...] = ()

    def draft(self, *, actor: Actor, office: Office, values: Mapping[str, Any], **scope: Any) -> Row:
        """The next version, as a draft. Raises PermissionRefused, InvalidInput."""
        if not actor.holds_bank_wide(self.drafters):
            raise PermissionRefused(_("Your role does not allow this here."), event="draft")
        latest: Any = self._locked(scope).last()
        number = latest.number + 1 if latest else 1
        row: Any = self.model(office=office, number=number, drafted_by_id=actor.user_id, **scope)
        row.values = self.clean(row, values)
        drafted: Row = create(row, actor=actor, roles=self.drafters, event="draft")
        return drafted

    def update(self, row_id: int, values: Mapping[str, Any], *, actor: Actor, expected_version: int | None) -> Row:
        """Change a draft. Only who drafted it may, so whoever activates it wrote none of it."""
        row: Any
        with change(
            self.model,
            row_id,
            "update",
            actor=actor,
            roles=self.drafters,
            states=("draft",),
            expected_version=expected_version,
        ) as row:
            if row.drafted_by_id != actor.user_id:
                raise PermissionRefused(_("Only the person who drafted it may change it."))
            row.values = self.clean(row, values)
        changed: Row = row
        return changed

    def submit(self, row_id: int, *, actor: Actor, expected_version: int | None) -> Row:
        """Hand a draft to a second person."""
        row: Any
        with transition(self.model, row_id, "submit", actor=actor, expected_version=expected_version) as row:
            row.values = self.clean(row, row.values)
        submitted: Row = row
        return submitted

    def reject(self, row_id: int, *, actor: Actor, reason: str, expected_version: int | None) -> Row:
        """Send it back to its drafter with the reason."""
        with transition(
            self.model, row_id, "reject", actor=actor, reason=reason, expected_version=expected_version
        ) as row:
            pass
        return row

    def activate(
        self, row_id: int, *, actor: Actor, active_from_date: date | None, expected_version: int | None
    ) -> Row:
        """In force from today or a later day; the former one until then. Raises DutiesConflict for its drafter."""
        today = business_date()
        starts = active_from_date or today
        if starts < today:
            raise InvalidInput(fields={"active_from_date": [_("Choose today or a later day.")]})
        scope = self.model._default_manager.filter(pk=row_id).values(*self.scope).first() if self.scope else {}
        # Two activations wait for each other here, before either looks for the former version.
        list(self._locked(scope or {}))
        row: Any
        with transition(self.model, row_id, "activate", actor=actor, expected_version=expected_version) as row:
            if row.drafted_by_id == actor.user_id:
                raise DutiesConflict(_("You drafted this version, so somebody else must activate it."))
            self._retire_former(scope or {}, actor, today)
            row.activated_by_id = actor.user_id
            row.active_from_date = starts
        activated: Row = row
        return activated

    def _locked(self, scope: Mapping[str, Any]) -> QuerySet[Row]:
        return self.model._default_manager.select_for_update().filter(**scope).order_by("number")

    def _retire_former(self, scope: Mapping[str, Any], actor: Actor, today: date) -> None:
        former = self.model._default_manager.filter(state="active", **scope).first()
        if former is None:
            return
        row: Any
        with transition(self.model, former.pk, "retire", actor=actor) as row:
            if row.active_from_date and row.active_from_date > today:
                # It never came into force, and must not on its day.
                row.active_from_date = None
