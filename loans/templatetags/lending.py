"""What the repayment desk shows besides the list of repayments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext as _

from branch.domain.actor import Actor
from branch.middleware import actor_of
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.noun import Offer
from loans.models import Loan
from loans.models.product import DayCount
from loans.nouns.loans import LOAN_NOUN, something_due
from loans.queries.loans import due_today

register = template.Library()
SHOWN = 10


@dataclass(frozen=True)
class DueLine:
    loan: Loan
    due_amount: Decimal
    offers: list[Offer]


@dataclass(frozen=True)
class DueNow:
    lines: list[DueLine]
    count: int

    @property
    def more(self) -> bool:
        return self.count > len(self.lines)


def _short_offers(actor: Actor, loan: Loan) -> list[Offer]:
    """What can be done in the row itself, in a word each."""
    words = {"repay": _("Book"), "collect": _("Debit")}
    return [replace(o, label=words[o.name]) for o in LOAN_NOUN.offers(actor, loan) if o.name in words]


@register.filter
def day_count_word(code: str) -> str:
    """ACT/360 for `actual/360`."""
    return str(DayCount(code).label)


@register.simple_tag(takes_context=True)
def due_now(context: dict[str, Any]) -> DueNow | None:
    """Loans with something due today, the latest payers first, for who may see them; None when there is none."""
    actor = actor_of(context["request"])
    rows = visible(Loan, actor).filter(something_due(business_date())).select_related("customer", "office")
    lines = [
        DueLine(loan, due_today(loan), _short_offers(actor, loan))
        for loan in rows.order_by("-days_past_due", "pk")[:SHOWN]
    ]
    return DueNow(lines, rows.count()) if lines else None
