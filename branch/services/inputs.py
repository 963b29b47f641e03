"""What services ask of the values they are given."""

from __future__ import annotations

from django.utils.translation import gettext as _

from branch.domain.refusals import InvalidInput


def clean_reason(reason: str) -> str:
    """Why somebody does this, without blanks around it. Raises InvalidInput when it is empty."""
    reason = reason.strip()
    if not reason:
        raise InvalidInput(fields={"reason": [_("Say why.")]})
    return reason
