"""The words for accounts, families and what rules name, wherever the books are shown."""

from __future__ import annotations

from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from loans.domain.ledger import ACCOUNTS, ANY, CHART, LOANS
from loans.models import Product
from loans.models.ledger import EventWord

KIND_WORDS = {
    "principal": _("Principal"),
    "interest": _("Interest"),
    "penalty": _("Penalty interest"),
    "fee": _("Fees"),
    "suspense": _("Held for the borrower"),
    "suspense_used": _("Taken from what was held"),
    "provision": _("Provisions"),
}
EVENT_WORDS = dict(EventWord.choices)
FAMILY_WORDS = dict(Product.Family.choices)


def account_choices() -> list[tuple[str, str]]:
    return [(account.code, account_word(account.code)) for account in CHART]


def account_word(code: str) -> str:
    """`130302 Loans: short term`."""
    account = ACCOUNTS.get(code)
    return f"{code} {gettext(account.name)}" if account else code


def rule_account_word(name: str) -> str:
    return gettext("Loans, by family") if name == LOANS else account_word(name)


def family_word(family: str) -> str:
    return pgettext("family", "any") if family == ANY else str(FAMILY_WORDS.get(family, family))
