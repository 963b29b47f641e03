"""What money services ask of the values they are given."""

from __future__ import annotations

import re
from decimal import Decimal

from django.utils.translation import gettext as _

from branch.domain.money import round_money
from branch.domain.refusals import InvalidInput

LARGEST_AMOUNT = Decimal("99999999999999.99")
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,34}")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,59}")


def clean_amount(amount: Decimal, field: str = "amount") -> Decimal:
    """Yuan above zero with at most two places. Raises InvalidInput."""
    if not amount.is_finite() or not 0 < amount <= LARGEST_AMOUNT:
        raise InvalidInput(fields={field: [_("Enter an amount above zero.")]})
    if amount != round_money(amount):
        raise InvalidInput(fields={field: [_("Amounts have at most two decimal places.")]})
    return round_money(amount)


def clean_text(text: str, field: str, limit: int) -> str:
    """Printable text without blanks at its ends. Raises InvalidInput when it is empty or too long."""
    text = text.strip()
    if not text:
        raise InvalidInput(fields={field: [_("This field is required.")]})
    if len(text) > limit or not text.isprintable():
        raise InvalidInput(fields={field: [_("Enter at most %(limit)s printable characters.") % {"limit": limit}]})
    return text


def clean_account(account: str, field: str) -> str:
    """An account number without the blanks people type into it. Raises InvalidInput."""
    account = "".join(account.split())
    if not _ACCOUNT.fullmatch(account):
        raise InvalidInput(fields={field: [_("An account number has 1 to 34 letters, digits or hyphens.")]})
    return account


def clean_reference(reference: str, field: str = "reference") -> str:
    """A reference as the core bank takes one too. Raises InvalidInput."""
    reference = reference.strip()
    if not _REFERENCE.fullmatch(reference):
        raise InvalidInput(fields={field: [_("A reference has 1 to 60 letters, digits or . _ : / -")]})
    return reference
