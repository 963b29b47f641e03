"""Days past due and overdue amounts, on any day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.domain.arrears import InstalmentDue, InstalmentPayment, arrears_on

JANUARY = InstalmentDue(1, date(2026, 1, 15), Decimal("800.00"), Decimal("50.00"), Decimal("5.00"))
FEBRUARY = InstalmentDue(2, date(2026, 2, 15), Decimal("800.00"), Decimal("40.00"))
MARCH = InstalmentDue(3, date(2026, 3, 15), Decimal("800.00"), Decimal("30.00"))
DUES = (JANUARY, FEBRUARY, MARCH)
JANUARY_PAID = InstalmentPayment(1, date(2026, 1, 15), Decimal("800.00"), Decimal("50.00"), Decimal("5.00"))


@pytest.mark.parametrize(
    ("as_of", "payments", "days", "amount", "label"),
    [
        (date(2026, 1, 15), (), 0, "0.00", "due today is not overdue"),
        (date(2026, 1, 16), (), 1, "855.00", "the day after counts one"),
        (date(2026, 2, 15), (), 31, "855.00", "February is due today"),
        (date(2026, 3, 1), (), 45, "1695.00", "two instalments, counted from the older"),
        (date(2026, 3, 1), (JANUARY_PAID,), 14, "840.00", "January paid: counted from February"),
        (
            date(2026, 3, 1),
            (InstalmentPayment(1, date(2026, 2, 20), Decimal("799.99"), Decimal("50.00"), Decimal("5.00")),),
            45,
            "840.01",
            "one cent short keeps the older date",
        ),
        (
            date(2026, 2, 19),
            (InstalmentPayment(1, date(2026, 2, 20), Decimal("800.00"), Decimal("50.00"), Decimal("5.00")),),
            35,
            "1695.00",
            "a payment dated tomorrow does not count today",
        ),
        (
            date(2026, 2, 20),
            (InstalmentPayment(1, date(2026, 2, 20), Decimal("800.00"), Decimal("50.00"), Decimal("5.00")),),
            5,
            "840.00",
            "a payment dated today counts today",
        ),
    ],
)
def test_arrears(as_of: date, payments: tuple[InstalmentPayment, ...], days: int, amount: str, label: str) -> None:
    arrears = arrears_on(as_of, DUES, payments)

    assert (arrears.past_due_days, arrears.overdue_amount) == (days, Decimal(amount)), label


def test_a_backdated_payment_makes_the_days_right_again() -> None:
    backdated = InstalmentPayment(2, date(2026, 2, 15), Decimal("800.00"), Decimal("40.00"))

    before = arrears_on(date(2026, 3, 10), DUES, (JANUARY_PAID,))
    after = arrears_on(date(2026, 3, 10), DUES, (JANUARY_PAID, backdated))

    assert (before.past_due_days, after.past_due_days) == (23, 0)
    assert after.oldest_unpaid_due_date is None


def test_grace_days_shorten_delinquency_only() -> None:
    inside = arrears_on(date(2026, 1, 20), DUES, (), grace_days=7)
    outside = arrears_on(date(2026, 1, 25), DUES, (), grace_days=7)

    assert (inside.past_due_days, inside.delinquent_days, inside.overdue_amount) == (5, 0, Decimal("855.00"))
    assert (outside.past_due_days, outside.delinquent_days) == (10, 3)


def test_a_payment_to_an_unknown_instalment_is_refused() -> None:
    with pytest.raises(ValueError, match="not in the schedule"):
        arrears_on(date(2026, 3, 1), DUES, (InstalmentPayment(9, date(2026, 1, 1)),))


@given(
    st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    st.lists(
        st.builds(
            InstalmentPayment,
            number=st.integers(1, 3),
            paid_date=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
            principal=st.decimals("0", "500", places=2),
            interest=st.decimals("0", "50", places=2),
        ),
        max_size=6,
    ),
)
def test_what_always_holds(as_of: date, payments: list[InstalmentPayment]) -> None:
    arrears = arrears_on(as_of, DUES, payments)

    assert (arrears.past_due_days > 0) == (arrears.overdue_amount > 0) == (arrears.overdue_instalments > 0)
    assert arrears == arrears_on(as_of, DUES, list(reversed(payments)))
    tomorrow = arrears_on(as_of + timedelta(days=1), DUES, [p for p in payments if p.paid_date <= as_of])
    if arrears.past_due_days:
        assert tomorrow.past_due_days == arrears.past_due_days + 1
