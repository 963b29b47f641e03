"""Rounding, reading and writing of money."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from branch.domain.money import (
    MoneyError,
    Rounding,
    allocate,
    format_money,
    format_wan,
    from_cents,
    parse_money,
    round_money,
    round_to_multiple,
    to_cents,
)

AMOUNTS = st.decimals("-9999999999", "9999999999", places=5)
STANDARD_LIBRARY = {
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.DOWN: ROUND_DOWN,
    Rounding.UP: ROUND_UP,
}


@pytest.mark.parametrize(
    ("amount", "mode", "expected"),
    [
        ("2.345", Rounding.HALF_UP, "2.35"),
        ("-2.345", Rounding.HALF_UP, "-2.35"),
        ("2.345", Rounding.HALF_EVEN, "2.34"),
        ("2.355", Rounding.HALF_EVEN, "2.36"),
        ("2.349", Rounding.DOWN, "2.34"),
        ("2.341", Rounding.UP, "2.35"),
        ("2.34", Rounding.UP, "2.34"),
    ],
)
def test_rounding_modes(amount: str, mode: Rounding, expected: str) -> None:
    assert str(round_money(Decimal(amount), mode=mode)) == expected


@given(AMOUNTS, st.sampled_from(Rounding), st.integers(0, 4))
def test_rounding_agrees_with_the_standard_library(amount: Decimal, mode: Rounding, places: int) -> None:
    unit = Decimal(1).scaleb(-places)

    assert round_money(amount, places=places, mode=mode) == amount.quantize(unit, STANDARD_LIBRARY[mode])


def test_fractions_round_exactly_and_floats_not_at_all() -> None:
    assert round_money(Fraction(1, 3)) == Decimal("0.33")
    assert str(round_money(7)) == "7.00"
    with pytest.raises(TypeError):
        round_money(0.1)  # type: ignore[arg-type]
    with pytest.raises(MoneyError):
        round_money(Decimal("NaN"))


@pytest.mark.parametrize(
    ("amount", "multiple", "expected"),
    [("1725.48", "100", "1700.00"), ("1750", "100", "1800.00"), ("3.024", "0.05", "3.00"), ("0.4", "1", "0.00")],
)
def test_rounding_to_a_multiple(amount: str, multiple: str, expected: str) -> None:
    assert str(round_to_multiple(Decimal(amount), Decimal(multiple))) == expected


def test_a_multiple_of_nothing_is_refused() -> None:
    with pytest.raises(MoneyError):
        round_to_multiple(Decimal(1), Decimal(0))


@pytest.mark.parametrize(("text", "amount"), [("0", "0.00"), ("12", "12.00"), ("12.5", "12.50"), ("-0.05", "-0.05")])
def test_parse_money_reads_plain_decimals(text: str, amount: str) -> None:
    assert str(parse_money(text)) == amount


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "1.", ".5", "01", "1.234", "1,234", "1e3", "NaN", "１２", "1_000", "--1", "9" * 16, "1\n"],
)
def test_parse_money_refuses_anything_else(text: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse_money(text)

    assert refused.value.code == "format"


@pytest.mark.parametrize(
    ("amount", "plain", "wan"),
    [
        ("1234567.89", "1,234,567.89", "123.46 万元"),
        ("3000000", "3,000,000.00", "300 万元"),
        ("-500", "-500.00", "-0.05 万元"),
        ("0", "0.00", "0 万元"),
        ("100000000", "100,000,000.00", "10,000 万元"),
    ],
)
def test_formats(amount: str, plain: str, wan: str) -> None:
    assert format_money(Decimal(amount)) == plain
    assert format_wan(Decimal(amount)) == wan


@given(st.integers(-(10**17), 10**17))
def test_cents_there_and_back(cents: int) -> None:
    assert to_cents(from_cents(cents)) == cents


def test_a_fraction_of_a_cent_is_no_amount() -> None:
    with pytest.raises(MoneyError):
        to_cents(Decimal("0.001"))


def test_allocate_gives_left_over_cents_to_the_largest_fractions() -> None:
    assert allocate(Decimal("100.00"), [1, 1, 1]) == (Decimal("33.34"), Decimal("33.33"), Decimal("33.33"))
    assert allocate(Decimal("0.05"), [Decimal("0.7"), Decimal("0.3")]) == (Decimal("0.04"), Decimal("0.01"))


@given(
    st.decimals("-999999", "999999", places=2),
    st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any),
)
def test_allocate_sums_exactly(total: Decimal, weights: list[int]) -> None:
    parts = allocate(total, weights)

    assert sum(parts) == total
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(Fraction(part) - Fraction(total) * weight / sum(weights)) < Fraction(1, 100)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [2, -1]])
def test_allocate_refuses_weights_that_split_nothing(weights: list[int]) -> None:
    with pytest.raises(MoneyError):
        allocate(Decimal("1.00"), weights)
