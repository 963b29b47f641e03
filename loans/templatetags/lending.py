"""What the repayment desk shows besides the list of repayments."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django import template
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.domain.actor import Actor
from branch.domain.money import format_money
from branch.domain.refusals import NotFound
from branch.middleware import actor_of
from branch.queries.business_date import business_date
from branch.queries.visibility import visible
from branch.web.noun import Offer
from branch.words import state_word
from loans.domain.ledger import SHIPPED
from loans.models import Loan
from loans.models.loan import AssetClass
from loans.models.product import DayCount
from loans.nouns.accounts import account_word
from loans.nouns.ledger import rule_lines
from loans.nouns.loans import LOAN_NOUN, something_due
from loans.nouns.movements import compared
from loans.queries.ledger import TrialBalance, posting_rules_in_force, readable_offices, stored_rules, trial_balance_for
from loans.queries.loans import due_today
from loans.queries.terms import HasTerms, terms_of
from loans.queries.terms_words import terms_facts

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
    words = {"repay": gettext("Book"), "collect": gettext("Debit")}
    return [replace(o, label=words[o.name]) for o in LOAN_NOUN.offers(actor, loan) if o.name in words]


@register.filter
def day_count_word(code: str) -> str:
    """ACT/360 for `actual/360`."""
    return str(DayCount(code).label)


@register.filter
def terms_rows(thing: HasTerms) -> list[tuple[str, str]]:
    """The product's terms a contract or loan was signed under, label and value."""
    return terms_facts(terms_of(thing))


FIGURES = {
    "state": _("State"),
    "outstanding_principal": _("Outstanding principal"),
    "penalty_due": _("Penalty interest due"),
    "held": _("Held for the borrower"),
    "annual_rate": _("Annual rate"),
    "maturity_date": _("Matures on"),
    "days_past_due": _("Days past due"),
    "asset_class": _("Class"),
}
_MONEY = frozenset({"outstanding_principal", "penalty_due", "held"})


@register.filter
def paired(movement: dict[str, Any]) -> dict[str, Any] | None:
    """What moved, in pairs of before and after."""
    return compared(movement)


@register.filter
def figure_word(name: str) -> Any:
    return FIGURES.get(name, name)


@register.filter
def yuan(text: str) -> str:
    return format_money(Decimal(text))


@register.filter
def figure(value: Any, name: str) -> Any:
    """A figure of a picture as people read it."""
    if value is None:
        return "—"
    if name in _MONEY:
        return format_money(Decimal(value))
    if name == "annual_rate":
        return f"{Decimal(value) * 100:.2f}%"
    if name == "state":
        return state_word("loan", value)
    return AssetClass(value).label if name == "asset_class" else value


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


@register.filter
def account_name(code: str) -> str:
    """`130302 Loans: short term` for `130302`."""
    return account_word(code)


@register.filter
def turned(amount: Decimal) -> str:
    """The amount of a balance that stands on the credit side."""
    return format_money(-amount)


@register.simple_tag(takes_context=True)
def trial_balance(context: dict[str, Any]) -> dict[str, Any]:
    """The trial balance the address asks for with `within` and `date`, and the offices to choose from."""
    request = context["request"]
    actor = actor_of(request)
    form = context["filter"].form
    asked = form.cleaned_data if form.is_valid() else {}
    found: TrialBalance | None = None
    with suppress(NotFound):
        within = asked.get("within")
        found = trial_balance_for(actor, int(within) if within is not None else None, asked.get("date"))
    return {"found": found, "offices": readable_offices(actor)}


@register.simple_tag
def posting_rules_today() -> dict[str, Any]:
    """The posting rules in force, in words; `version` is empty where the shipped ones stand."""
    row = posting_rules_in_force(business_date())
    return {"version": row, "shown": rule_lines(row.values if row else stored_rules(SHIPPED))}
