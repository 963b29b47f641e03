"""The five conditions of a renewal without repaying principal (无还本续贷), each held against what is known. Pure.

Source: the supervisor's notice on renewals for small and micro firms: the class stays normal where the firm works
lawfully, is a going concern, has good credit, meets the conditions of a loan and the bank's own terms.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class RenewalCondition(StrEnum):
    LAWFUL_BUSINESS = "lawful_business"
    GOING_CONCERN = "going_concern"
    GOOD_CREDIT = "good_credit"
    LOAN_CONDITIONS = "loan_conditions"
    BANK_TERMS = "bank_terms"


class Ground(StrEnum):
    """Why a condition does not hold."""

    NOT_STATED = "not_stated"
    MISUSED = "misused"
    NOT_NORMAL = "not_normal"
    OVERDUE = "overdue"
    CRITERIA = "criteria"
    NO_RENEWAL_PRODUCT = "no_renewal_product"
    MATURED = "matured"
    ABOVE_OUTSTANDING = "above_outstanding"
    FEE_AT_START = "fee_at_start"
    TOO_OFTEN = "too_often"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalFacts:
    """What is known on the day. `lawful_business` and `going_concern` are what the account manager found; `amount` is
    asked for, `outstanding` what is left of the old loan, in yuan; `times_renewed` counts the renewals before."""

    lawful_business: str
    going_concern: str
    is_misused: bool
    is_normal: bool
    is_overdue: bool
    fits_product: bool
    is_renewal_product: bool
    maturity_date: date
    amount: Decimal
    outstanding: Decimal
    has_start_fee: bool
    times_renewed: int


@dataclass(frozen=True, slots=True)
class Held:
    """One condition and why it does not hold; it does without a ground."""

    condition: RenewalCondition
    grounds: tuple[Ground, ...]

    @property
    def holds(self) -> bool:
        return not self.grounds


def check_renewal(facts: RenewalFacts, *, as_of: date, most_times: int) -> tuple[Held, ...]:
    """All five, in their order. A contract of the maturity date itself is still in time."""
    grounds = {
        RenewalCondition.LAWFUL_BUSINESS: {
            Ground.NOT_STATED: not facts.lawful_business,
            Ground.MISUSED: facts.is_misused,
        },
        RenewalCondition.GOING_CONCERN: {Ground.NOT_STATED: not facts.going_concern},
        RenewalCondition.GOOD_CREDIT: {Ground.NOT_NORMAL: not facts.is_normal, Ground.OVERDUE: facts.is_overdue},
        RenewalCondition.LOAN_CONDITIONS: {Ground.CRITERIA: not facts.fits_product},
        RenewalCondition.BANK_TERMS: {
            Ground.NO_RENEWAL_PRODUCT: not facts.is_renewal_product,
            Ground.MATURED: as_of > facts.maturity_date,
            Ground.ABOVE_OUTSTANDING: facts.amount > facts.outstanding,
            Ground.FEE_AT_START: facts.has_start_fee,
            Ground.TOO_OFTEN: facts.times_renewed >= most_times,
        },
    }
    return tuple(
        Held(condition, tuple(ground for ground, stands in against.items() if stands))
        for condition, against in grounds.items()
    )
