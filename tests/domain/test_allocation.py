"""Repayments spread over what is due."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loans.domain.allocation import (
    Allocation,
    AllocationSequence,
    Bucket,
    DueItem,
    DueKind,
    allocate_repayment,
    bucket_of,
)

TODAY = date(2026, 4, 15)
MARCH, APRIL = date(2026, 3, 15), TODAY
DUE = (
    DueItem(1, date(2026, 2, 15), DueKind.PRINCIPAL, Decimal("300.00")),
    DueItem(2, MARCH, DueKind.INTEREST, Decimal("80.00")),
    DueItem(2, MARCH, DueKind.PRINCIPAL, Decimal("500.00")),
    DueItem(2, MARCH, DueKind.PENALTY, Decimal("6.00")),
    DueItem(2, MARCH, DueKind.COMPOUND_INTEREST, Decimal("1.00")),
    DueItem(3, APRIL, DueKind.INTEREST, Decimal("70.00")),
    DueItem(3, APRIL, DueKind.PRINCIPAL, Decimal("510.00")),
    DueItem(3, APRIL, DueKind.FEE, Decimal("5.00")),
)


def as_lines(allocation: Allocation) -> list[str]:
    return [f"{split.item.instalment} {split.bucket} {split.amount}" for split in allocation.splits]


@pytest.mark.parametrize(
    ("label", "amount", "expected", "surplus"),
    [
        ("hand: 5 + 6 + 1 + 80 = 92, the last 8 go to the oldest overdue principal", "100.00",
         ["3 fee 5.00", "2 penalty 6.00", "2 compound_interest 1.00", "2 overdue_interest 80.00",
          "1 overdue_principal 8.00"], "0.00"),
        ("hand: all 892 overdue and fees, then 8 of the 70 of interest due today", "900.00",
         ["3 fee 5.00", "2 penalty 6.00", "2 compound_interest 1.00", "2 overdue_interest 80.00",
          "1 overdue_principal 300.00", "2 overdue_principal 500.00", "3 current_interest 8.00"], "0.00"),
        ("hand: 1,472 is due in all", "2000.00",
         ["3 fee 5.00", "2 penalty 6.00", "2 compound_interest 1.00", "2 overdue_interest 80.00",
          "1 overdue_principal 300.00", "2 overdue_principal 500.00", "3 current_interest 70.00",
          "3 current_principal 510.00"], "528.00"),
        ("nothing paid", "0.00", [], "0.00"),
    ],
)  # fmt: skip
def test_default_order(label: str, amount: str, expected: list[str], surplus: str) -> None:
    allocation = allocate_repayment(Decimal(amount), DUE, as_of=TODAY)

    assert as_lines(allocation) == expected, label
    assert allocation.surplus == Decimal(surplus)


def test_principal_first_for_a_loan_in_recovery() -> None:
    order = (Bucket.OVERDUE_PRINCIPAL, Bucket.CURRENT_PRINCIPAL, Bucket.OVERDUE_INTEREST)

    allocation = allocate_repayment(Decimal("1400.00"), DUE, as_of=TODAY, order=order)

    assert as_lines(allocation) == [
        "1 overdue_principal 300.00",
        "2 overdue_principal 500.00",
        "3 current_principal 510.00",
        "2 overdue_interest 80.00",
    ]
    assert allocation.surplus == Decimal("10.00")
    assert allocation.total(DueKind.PRINCIPAL) == Decimal("1310.00")


def test_instalment_by_instalment() -> None:
    """The oldest instalment is settled whole before the next gets anything."""
    allocation = allocate_repayment(Decimal("500.00"), DUE, as_of=TODAY, sequence=AllocationSequence.INSTALMENT_FIRST)

    assert as_lines(allocation) == [
        "1 overdue_principal 300.00",
        "2 penalty 6.00",
        "2 compound_interest 1.00",
        "2 overdue_interest 80.00",
        "2 overdue_principal 113.00",
    ]


def test_due_today_is_current_and_overdue_tomorrow() -> None:
    item = DUE[5]

    assert bucket_of(item, TODAY) is Bucket.CURRENT_INTEREST
    assert bucket_of(item, date(2026, 4, 16)) is Bucket.OVERDUE_INTEREST


def test_refusals() -> None:
    with pytest.raises(ValueError, match="negative"):
        allocate_repayment(Decimal("-0.01"), DUE, as_of=TODAY)
    with pytest.raises(ValueError, match="twice"):
        allocate_repayment(Decimal(1), DUE, as_of=TODAY, order=(Bucket.FEE, Bucket.FEE))


ITEMS = st.lists(
    st.builds(
        DueItem,
        instalment=st.integers(1, 12),
        due_date=st.dates(date(2026, 1, 1), date(2026, 12, 31)),
        kind=st.sampled_from(DueKind),
        amount=st.decimals("0", "9999.99", places=2),
    ),
    max_size=20,
)


@given(
    st.decimals("0", "99999.99", places=2),
    ITEMS,
    st.permutations(list(Bucket)),
    st.integers(0, 7),
    st.sampled_from(AllocationSequence),
)
def test_money_is_conserved(
    amount: Decimal, items: list[DueItem], order: list[Bucket], length: int, sequence: AllocationSequence
) -> None:
    chosen = order[:length]

    allocation = allocate_repayment(amount, items, as_of=TODAY, order=chosen, sequence=sequence)

    assert sum(split.amount for split in allocation.splits) + allocation.surplus == amount
    assert all(0 < split.amount <= split.item.amount for split in allocation.splits)
    payable = sum(item.amount for item in items if bucket_of(item, TODAY) in chosen)
    assert allocation.surplus == max(amount - payable, Decimal(0))
