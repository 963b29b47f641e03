"""Interest by the day: contract interest accrues so that the days of a period sum to its interest exactly.

Each day takes what rounding the running total adds to it (cumulative rounding), so no cent drifts.
First day in, last day out: a balance owed from the 1st to the 3rd earns interest for the 1st and the 2nd.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from branch.domain.money import ZERO, Rounding, round_money
from loans.domain.daycount import DayCount, year_fraction

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CountedPeriod:
    """A schedule period whose day count does not follow from its dates (30/360: `days` = 30 a month).

    Its days are spread evenly over the actual days between `start` and `end`.
    """

    start: date
    end: date
    days: int


@dataclass(frozen=True, slots=True)
class BalanceSegment:
    """A balance owed from `start` (in) to `end` (out) at one rate; `counted` is needed under 30/360 only."""

    start: date
    end: date
    balance: Decimal
    annual_rate: Decimal
    day_count: DayCount
    counted: CountedPeriod | None = None


@dataclass(frozen=True, slots=True)
class DayAccrual:
    """Interest of the day `day` (to the start of the next), and the running total with it."""

    day: date
    amount: Decimal
    accrued: Decimal


def interest_between(
    balance: Decimal,
    annual_rate: Decimal,
    start: date,
    end: date,
    day_count: DayCount,
    *,
    rounding: Rounding = Rounding.HALF_UP,
) -> Decimal:
    """Interest on one balance from `start` (in) to `end` (out), rounded once."""
    exact = Fraction(balance) * Fraction(annual_rate) * year_fraction(day_count, start, end)
    return round_money(exact, mode=rounding)


def accrued_interest(
    segments: Sequence[BalanceSegment], until: date, *, rounding: Rounding = Rounding.HALF_UP
) -> Decimal:
    """Interest of all segments from their start to `until` (out), summed exactly and rounded once."""
    return round_money(sum((_exact(segment, until) for segment in segments), Fraction(0)), mode=rounding)


def daily_accruals(
    segments: Sequence[BalanceSegment],
    *,
    period_interest: Decimal | None = None,
    rounding: Rounding = Rounding.HALF_UP,
) -> tuple[DayAccrual, ...]:
    """One accrual per day over segments that follow each other without gap.

    The amounts sum to what the segments earn, rounded once: the interest of the period. Where the schedule
    asks for another sum (the remainder in the last instalment of a flat loan), pass `period_interest` and it
    is spread in proportion. Raises ValueError for a gap or overlap.
    """
    for earlier, later in pairwise(segments):
        if earlier.end != later.start:
            raise ValueError(f"segments do not follow each other at {earlier.end}")
    start, end = segments[0].start, segments[-1].end
    earned = sum((_exact(segment, end) for segment in segments), Fraction(0))
    scale = Fraction(1) if period_interest is None or not earned else Fraction(period_interest) / earned
    accruals: list[DayAccrual] = []
    accrued = ZERO
    for offset in range((end - start).days):
        day = start + timedelta(days=offset)
        exact = sum((_exact(segment, day + ONE_DAY) for segment in segments), Fraction(0))
        total = round_money(exact * scale, mode=rounding)
        accruals.append(DayAccrual(day, total - accrued, total))
        accrued = total
    return tuple(accruals)


def _exact(segment: BalanceSegment, until: date) -> Fraction:
    end = min(segment.end, until)
    if end <= segment.start:
        return Fraction(0)
    yearly = Fraction(segment.balance) * Fraction(segment.annual_rate)
    counted = segment.counted
    if counted is None:
        return yearly * year_fraction(segment.day_count, segment.start, end)
    share = Fraction((end - segment.start).days, (counted.end - counted.start).days)
    return yearly * counted.days * share / 360


#: What the central bank allows on top of the contract rate, lowest and highest (银发〔2003〕251号).
OVERDUE_UPLIFTS = (Decimal("0.30"), Decimal("0.50"))
MISUSE_UPLIFTS = (Decimal("0.50"), Decimal("1.00"))


@dataclass(frozen=True, slots=True)
class PenaltyTerms:
    """How much heavier than the contract rate a penalty is: 0.50 is half as much again.

    Set by the product within what the central bank allows; these are the bank's usual ones. `compounds` says whether
    the contract charges interest on unpaid interest.
    """

    overdue_uplift: Decimal = Decimal("0.50")
    misuse_uplift: Decimal = Decimal("1.00")
    compounds: bool = True


@dataclass(frozen=True, slots=True)
class PenaltyInterest:
    """Penalty for one overdue stretch: on principal, and on unpaid interest (复利)."""

    annual_rate: Decimal
    reason: str
    on_principal: Decimal
    on_interest: Decimal


def penalty_rate(
    contract_rate: Decimal, terms: PenaltyTerms, *, is_overdue: bool, is_misused: bool
) -> tuple[Decimal, str]:
    """The heavier of the penalty rates that apply, and its reason (overdue or misuse); never their sum.

    Raises ValueError when neither applies.
    """
    uplifts = []
    if is_misused:
        uplifts.append((terms.misuse_uplift, "misuse"))
    if is_overdue:
        uplifts.append((terms.overdue_uplift, "overdue"))
    if not uplifts:
        raise ValueError("no penalty without arrears or misuse")
    uplift, reason = max(uplifts, key=lambda pair: pair[0])
    return contract_rate * (1 + uplift), reason


def penalty_interest(
    *,
    overdue_principal: Decimal,
    overdue_interest: Decimal,
    contract_rate: Decimal,
    terms: PenaltyTerms,
    start: date,
    end: date,
    day_count: DayCount,
    is_misused: bool = False,
    rounding: Rounding = Rounding.HALF_UP,
) -> PenaltyInterest:
    """Penalty on amounts overdue from `start` (their due date, in) to `end` (out).

    It takes the place of contract interest on them. Where the amounts change on the way, call once per stretch.
    """
    rate, reason = penalty_rate(contract_rate, terms, is_overdue=True, is_misused=is_misused)
    compound_base = overdue_interest if terms.compounds else ZERO
    return PenaltyInterest(
        annual_rate=rate,
        reason=reason,
        on_principal=interest_between(overdue_principal, rate, start, end, day_count, rounding=rounding),
        on_interest=interest_between(compound_base, rate, start, end, day_count, rounding=rounding),
    )
