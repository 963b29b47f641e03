"""Setting a bank parameter from a date on; former values stay."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.domain.parameters import PARAMETERS, OutOfRange, Parameter
from branch.domain.refusals import InvalidInput, PermissionRefused
from branch.domain.roles import Role
from branch.models import ParameterValue
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from branch.services.events import record
from branch.services.use_case import use_case
from branch.words import listed

SETTERS = frozenset({Role.ADMINISTRATOR, Role.SYSTEM})


@use_case("set_parameter")
def set_parameter(*, actor: Actor, code: str, value: Any, effective_date: date, reason: str) -> ParameterValue:
    """The value in force from `effective_date` on, which is not in the past. Head-office administrators only.

    Raises InvalidInput for an unknown code, a value of the wrong type or out of range, a past date, or no reason.
    """
    if not actor.holds_bank_wide(SETTERS):
        raise PermissionRefused(_("Your role does not allow this here."), event="set_parameter")
    definition = PARAMETERS.get(code)
    if definition is None:
        raise InvalidInput(fields={"code": [_("There is no such parameter.")]})
    parsed = _checked(definition, value)
    today = business_date()
    if effective_date < today:
        message = _("A parameter is not changed for the past: choose %(date)s or later.") % {"date": today}
        raise InvalidInput(fields={"effective_date": [message]})
    if not reason.strip() and not actor.is_system:
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    before = definition.store(parameter(code, effective_date))
    row = ParameterValue.objects.create(
        code=code,
        value=definition.store(parsed),
        effective_date=effective_date,
        set_by_id=actor.user_id,
        set_by_name=actor.username,
        reason=reason.strip(),
    )
    facts = {"value": row.value, "effective_date": str(effective_date)}
    record("parameter.set", row, actor=actor, before={"value": before}, after=facts, reason=row.reason)
    return row


def _checked(definition: Parameter, value: Any) -> Any:
    try:
        return definition.check(value)
    except OutOfRange as error:
        raise InvalidInput(fields={"value": [_range_text(definition)]}) from error
    except ValueError as error:
        texts = {int: _("Enter a whole number."), Decimal: _("Enter a number."), bool: _("Enter true or false.")}
        raise InvalidInput(fields={"value": [texts.get(definition.kind, _("This value does not fit."))]}) from error


def _range_text(definition: Parameter) -> str:
    if definition.choices:
        return _("Choose from: %(choices)s.") % {"choices": listed(definition.choices)}
    bounds = {"lowest": definition.lowest, "highest": definition.highest}
    if definition.highest is None:
        return _("Choose %(lowest)s or more.") % bounds
    if definition.lowest is None:
        return _("Choose %(highest)s or less.") % bounds
    return _("Choose a value from %(lowest)s to %(highest)s.") % bounds
