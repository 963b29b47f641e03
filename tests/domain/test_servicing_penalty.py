"""Penalty interest, waivers and the order of payment of a loan in arrears; court cases as pay-offs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from branch.domain.money import ZERO, from_cents
from loans.domain.allocation import DueKind
from loans.domain.daycount import DayCount
from loans.domain.owed import ScheduleRow, penalty_between
from loans.domain.servicing import Account, Event, EventType, Servicing, replay, standing
from loans.domain.terms import RepaymentMethod, ScheduleTerms, TermsError

START = date(2026, 3, 2)
RATE, PENALTY_RATE = Decimal("0.06"), Decimal("0.09")
#: Charges first, then overdue interest and principal, then what is due on the day.
BY_KIND: dict[str, Any] = {"late_interest": False, "penalty_rate": PENALTY_RATE, "by_kind": True}


def terms(**changes: Any) -> ScheduleTerms:
    facts: dict[str, Any] = {
        "principal": Decimal("120000.00"),
        "annual_rate": RATE,
        "start_date": START,
        "repayment_method": RepaymentMethod.EQUAL_PRINCIPAL,
        "day_count": DayCount.ACTUAL_360,
        "instalments": 6,
    }
    return ScheduleTerms(**(facts | changes))


def served(*events: Event, until: date, **servicing: Any) -> Account:
    account = replay(terms(), events, Servicing(**(BY_KIND | servicing)))
    account.advance(until)
    return account


def paid(day: date, amount: str) -> Event:
    return Event(date=day, type=EventType.REPAYMENT, amount=Decimal(amount))


def penalty_of(account: Account) -> Decimal:
    return from_cents(sum(line.asked[DueKind.PENALTY] for line in account.lines))


def rows_of(account: Account) -> list[ScheduleRow]:
    return [
        ScheduleRow(
            line.number,
            line.start,
            line.due_date,
            from_cents(line.asked[DueKind.PRINCIPAL]),
            from_cents(line.asked[DueKind.INTEREST]),
            from_cents(line.paid[DueKind.PRINCIPAL]),
            from_cents(line.paid[DueKind.INTEREST]),
            ZERO,
        )
        for line in account.lines
    ]


@pytest.mark.parametrize("grace_days", [0, 5])
@pytest.mark.parametrize("compounds", [True, False])
def test_penalty_is_that_of_the_nightly_accrual(compounds: bool, grace_days: int) -> None:
    """Day by day or in one step, and over a payment in part, it is what loans.domain.owed counts."""
    part_paid, until = date(2026, 4, 20), date(2026, 6, 15)
    expected = ZERO
    for start, end, known in ((START, part_paid, []), (part_paid, until, [paid(part_paid, "5000.00")])):
        rows = rows_of(served(*known, until=start, compounds=compounds, grace_days=grace_days))
        expected += penalty_between(
            start, end, rows, penalty_rate=PENALTY_RATE, day_count=DayCount.ACTUAL_360, compounds=compounds,
            grace_days=grace_days,
        )  # fmt: skip

    in_one_step = served(paid(part_paid, "5000.00"), until=until, compounds=compounds, grace_days=grace_days)
    by_day = served(paid(part_paid, "5000.00"), until=part_paid, compounds=compounds, grace_days=grace_days)
    for days in range((until - part_paid).days + 1):
        by_day.advance(part_paid + timedelta(days=days))

    assert penalty_of(in_one_step) == penalty_of(by_day) == expected > ZERO


def test_penalty_worked_by_hand() -> None:
    """20,000.00 of principal and 620.00 of interest, ten days late at 9 % over 360: 20,620 × 9 % × 10/360."""
    account = served(until=date(2026, 4, 12))
    assert account.lines[0].asked[DueKind.INTEREST] == 620_00
    assert penalty_of(account) == Decimal("51.55")
    assert standing(account, date(2026, 4, 12)).overdue_amount == Decimal("20671.55")


def test_money_goes_to_penalty_then_what_is_overdue_then_what_is_due_today() -> None:
    day = date(2026, 5, 2)
    account = served(until=day)
    penalty = account.lines[0].asked[DueKind.PENALTY]
    amount = from_cents(penalty + 620_00 + 20_000_00 + 100_00)
    account = served(paid(day, str(amount)), until=day)
    first, second = account.lines[:2]
    assert first.paid == first.asked
    # Due today: its interest comes before its principal, and only a hundred is left for it.
    assert second.paid[DueKind.INTEREST] == 100_00
    assert second.paid[DueKind.PRINCIPAL] == 0


def test_a_waiver_takes_off_what_is_due_and_no_more() -> None:
    day = date(2026, 4, 12)
    waiver = Event(date=day, type=EventType.WAIVER, amount=Decimal("50.00"), kind=DueKind.PENALTY)
    account = served(waiver, until=day)
    assert penalty_of(account) == Decimal("1.55")
    with pytest.raises(TermsError, match=r"only 51\.55 of penalty"):
        served(Event(date=day, type=EventType.WAIVER, amount=Decimal("51.56"), kind=DueKind.PENALTY), until=day)
    with pytest.raises(TermsError, match="not waived"):
        served(Event(date=day, type=EventType.WAIVER, amount=Decimal("1.00"), kind=DueKind.PRINCIPAL), until=day)


def test_called_in_everything_is_due_at_once() -> None:
    """On 22 March 120,000.00 and 20 days of 6 % over 360; ten days later 120,400.00 × 9 % × 10/360 of penalty."""
    day = date(2026, 3, 22)
    account = served(Event(date=day, type=EventType.CALL_IN), until=day + timedelta(days=10))
    assert [(line.due_date, line.asked[DueKind.PRINCIPAL], line.asked[DueKind.INTEREST]) for line in account.lines] == [
        (day, 120_000_00, 400_00)
    ]
    assert penalty_of(account) == Decimal("301.00")
    now = standing(account, day + timedelta(days=10))
    assert (now.past_due_days, now.payoff_amount) == (10, Decimal("120701.00"))


def test_misuse_costs_the_heavier_rate_and_never_both() -> None:
    """Known on 2 April, at 12 %: 6 % on top for principal not overdue, 12 % instead of 9 % for what is overdue."""
    day = date(2026, 4, 2)
    misuse = Event(date=day, type=EventType.MISUSE, annual_rate=Decimal("0.12"))
    surcharged = served(paid(day, "20620.00"), misuse, until=day + timedelta(days=30))
    # 100,000.00 × 6 % × 30/360, nothing being overdue.
    assert penalty_of(surcharged) == Decimal("500.00")
    overdue = served(misuse, until=day + timedelta(days=30))
    # The same, and 20,620.00 overdue × 12 % × 30/360.
    assert penalty_of(overdue) == Decimal("500.00") + Decimal("206.20")


def test_a_change_of_the_penalty_rate_counts_from_its_day() -> None:
    """20,620.00 overdue from 2 April: ten days at 9 %, then ten at 7.5 %."""
    change = Event(date=date(2026, 4, 12), type=EventType.RATE_CHANGE, annual_rate=RATE, penalty_rate=Decimal("0.075"))
    assert penalty_of(served(change, until=date(2026, 4, 22))) == Decimal("94.51")


@pytest.mark.parametrize(
    ("principal", "paid_on", "interest"),
    [
        ("45000.00", "2019-02-09", "1728.90"),
        ("20000.00", "2019-01-17", "690.20"),
        ("30000.00", "2019-03-18", "1341.30"),
    ],
)
def test_awarded_interest(principal: str, paid_on: str, interest: str) -> None:
    """Court award under ACT/360 at 6.12 % from 2018-06-28: first day in, last day out."""
    day = date.fromisoformat(paid_on)
    loan = terms(
        principal=Decimal(principal),
        annual_rate=Decimal("0.0612"),
        start_date=date(2018, 6, 28),
        repayment_method=RepaymentMethod.BULLET,
        instalments=12,
    )
    before = standing(replay(loan), day)
    assert before.accrued_interest == Decimal(interest)
    after = standing(replay(loan, [Event(date=day, type=EventType.PAYOFF)]), day)
    assert (after.payoff_amount, after.outstanding_principal, after.held) == (ZERO, ZERO, ZERO)
