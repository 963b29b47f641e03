"""A renewal as pages, API and services see it: its five conditions, and the old plan beside the new."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from branch.domain.refusals import Unmet
from branch.queries.business_date import business_date
from branch.queries.parameters import parameter
from loans.domain.product_terms import ProductTerms, start_fees
from loans.domain.renewal import Ground, Held, RenewalCondition, RenewalFacts, check_renewal
from loans.domain.schedule import build_schedule
from loans.domain.terms import TermsError
from loans.models import Application, Loan
from loans.models.loan import AssetClass
from loans.models.product import Product
from loans.queries.loans import what_is_owed
from loans.queries.offer_fit import eligibility
from loans.queries.servicing import contract_terms, picture_of

CONDITION_WORDS: dict[RenewalCondition, Any] = {
    RenewalCondition.LAWFUL_BUSINESS: _("Lawful business"),
    RenewalCondition.GOING_CONCERN: _("Going concern"),
    RenewalCondition.GOOD_CREDIT: _("Good credit"),
    RenewalCondition.LOAN_CONDITIONS: _("Conditions of a loan"),
    RenewalCondition.BANK_TERMS: _("The bank's own terms"),
}
GROUND_WORDS: dict[Ground, Any] = {
    Ground.NOT_STATED: _("nothing is stated"),
    Ground.MISUSED: _("funds of the old loan were misused"),
    Ground.NOT_NORMAL: _("the old loan is not in class normal"),
    Ground.OVERDUE: _("something of the old loan is overdue"),
    Ground.CRITERIA: _("the product is not for this customer"),
    Ground.NO_RENEWAL_PRODUCT: _("the product is no renewal"),
    Ground.MATURED: _("the old loan has matured"),
    Ground.ABOVE_OUTSTANDING: _("more than the old loan owes is asked for"),
    Ground.FEE_AT_START: _("a fee would be kept back, and nothing is paid out"),
    Ground.TOO_OFTEN: _("it was renewed as often as the bank allows"),
}


def conditions_of(application: Application, as_of: date | None = None) -> tuple[Held, ...]:
    """The five conditions of a file that renews a loan, as things stand."""
    day, loan = as_of or business_date(), application.renews
    if loan is None:
        return ()
    stated = application.renewal_statement
    terms = ProductTerms.from_json(application.quote.get("terms", {}))
    facts = RenewalFacts(
        lawful_business=stated.get("lawful_business", ""),
        going_concern=stated.get("going_concern", ""),
        is_misused=loan.misused_date is not None,
        is_normal=loan.asset_class == AssetClass.NORMAL,
        is_overdue=bool(what_is_owed(loan, day).overdue_amount),
        fits_product=all(criterion.holds is not False for criterion in eligibility(application)),
        is_renewal_product=application.product_version.product.family == Product.Family.RENEWAL,
        maturity_date=loan.maturity_date,
        # Once filed, the renewal takes over what is left by then.
        amount=application.amount if application.state == "draft" else loan.outstanding_principal,
        outstanding=loan.outstanding_principal,
        has_start_fee=bool(start_fees(terms, application.amount)),
        times_renewed=_times_renewed(loan),
    )
    return check_renewal(facts, as_of=day, most_times=parameter("renewal.most_times"))


def _times_renewed(loan: Loan) -> int:
    """How often this debt was renewed before it became this loan."""
    times, before = 0, loan.application.renews
    while before is not None:
        times, before = times + 1, before.application.renews
    return times


def said(held: Held) -> str:
    """A condition with what stands against it, in words."""
    grounds = ", ".join(str(GROUND_WORDS[ground]) for ground in held.grounds)
    return f"{CONDITION_WORDS[held.condition]}: {grounds}" if grounds else str(CONDITION_WORDS[held.condition])


def require_conditions(application: Application) -> None:
    """Raises Unmet with every condition of a renewal that does not hold; a file that renews nothing has none."""
    if failed := [held for held in conditions_of(application) if not held.holds]:
        raise Unmet(
            gettext("The conditions of a renewal do not all hold: %(what)s.") % {"what": "; ".join(map(said, failed))},
            conditions=[held.condition.value for held in failed],
        )


def renewal_picture(application: Application) -> dict[str, Any] | None:
    """`before` is the old loan as it stands, `after` the new one as if it began today, as picture_of tells them.

    None where the file renews nothing, or has no contract yet.
    """
    contract, loan = application.contracts.exclude(state="void").first(), application.renews
    if contract is None or loan is None:
        return None
    amount = min(contract.amount, loan.outstanding_principal)
    try:
        schedule = build_schedule(contract_terms(contract, amount, business_date()))
    except (TermsError, ValueError):
        return None
    rows = [
        {
            "number": row.number,
            "due_date": row.due_date.isoformat(),
            "principal": str(row.principal),
            "interest": str(row.interest),
            "fee": str(row.fees),
            "total": str(row.total),
            "paid": "0.00",
            "balance": str(row.balance),
        }
        for row in schedule.rows
    ]
    before = picture_of(loan)
    figures = before["figures"] | {
        "state": "active",
        "outstanding_principal": str(amount),
        "penalty_due": "0.00",
        "held": "0.00",
        "annual_rate": str(contract.annual_rate),
        "maturity_date": schedule.rows[-1].due_date.isoformat(),
    }
    return {"before": before, "after": {"rows": rows, "figures": figures}}


def interest_to_pay(loan: Loan, day: date) -> Decimal:
    """What must be held on the old loan before it is renewed: all it owes but principal, less what is held."""
    owed = what_is_owed(loan, day)
    return max(owed.payoff_amount - loan.outstanding_principal - loan.suspense_amount, Decimal(0))
