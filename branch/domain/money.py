"""Money in yuan: the one place where amounts are rounded, read and written.

Amounts are `Decimal` with two places at rest. Inside tight loops they are whole cents (`int`); a ratio of
integers is then rounded once, exactly, by `round_ratio`.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
_PLAIN_AMOUNT = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?", re.ASCII)


class Rounding(StrEnum):
    """Named rounding modes; half_up and half_even are symmetric about zero, down is towards zero."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    DOWN = "down"
    UP = "up"


# Looking a member up on its class is slow enough to show where every instalment is rounded.
_HALF_UP = Rounding.HALF_UP


class MoneyError(ValueError):
    """A text or number that is not an amount of money; `code` names the reason."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def round_ratio(numerator: int, denominator: int, mode: Rounding = Rounding.HALF_UP) -> int:
    """`numerator / denominator` as the nearest whole number under `mode`; `denominator` must be positive."""
    if numerator < 0:
        return -round_ratio(-numerator, denominator, mode)
    if mode is _HALF_UP:
        return (2 * numerator + denominator) // (2 * denominator)
    whole, rest = divmod(numerator, denominator)
    if mode is Rounding.DOWN or rest == 0:
        return whole
    if mode is Rounding.UP:
        return whole + 1
    doubled = 2 * rest
    return whole + (doubled > denominator or (doubled == denominator and whole % 2 == 1))


def round_money(amount: Decimal | Fraction | int, *, places: int = 2, mode: Rounding = Rounding.HALF_UP) -> Decimal:
    """`amount` with exactly `places` decimal places. Raises TypeError for floats, MoneyError for NaN."""
    numerator, denominator = _integer_ratio(amount)
    return Decimal(round_ratio(numerator * 10**places, denominator, mode)).scaleb(-places)


def round_to_multiple(
    amount: Decimal | Fraction | int, multiple: Decimal, mode: Rounding = Rounding.HALF_UP
) -> Decimal:
    """`amount` as the nearest multiple of `multiple` (0.01, 1, 100 ...), with two places."""
    if multiple <= 0:
        raise MoneyError("multiple", "the multiple to round to must be above zero")
    numerator, denominator = _integer_ratio(amount)
    unit_numerator, unit_denominator = multiple.as_integer_ratio()
    count = round_ratio(numerator * unit_denominator, denominator * unit_numerator, mode)
    return round_money(count * multiple)


def to_cents(amount: Decimal) -> int:
    """A two-place amount as whole cents. Raises MoneyError when it has a fraction of a cent."""
    numerator, denominator = _integer_ratio(amount)
    cents, rest = divmod(numerator * 100, denominator)
    if rest:
        raise MoneyError("places", f"{amount} has more than two decimal places")
    return cents


def from_cents(cents: int) -> Decimal:
    """Whole cents as an amount: `from_cents(12345)` is 123.45."""
    return Decimal(cents) * CENT


def parse_money(text: str) -> Decimal:
    """Read "1234", "1234.5" or "1234.56", nothing else: no separators, exponents, spaces or plus sign.

    Raises MoneyError("format") for any other text, also for more than 15 digits before the point.
    """
    if not isinstance(text, str) or not _PLAIN_AMOUNT.fullmatch(text):
        raise MoneyError("format", "an amount is digits with at most two decimal places")
    return round_money(Decimal(text))


def format_money(amount: Decimal) -> str:
    """1234567.891 as "1,234,567.89"."""
    return f"{round_money(amount):,.2f}"


def format_wan(amount: Decimal, *, places: int = 2, unit: str = "万元") -> str:
    """Yuan in tens of thousands, trailing zeros dropped: 3000000 is "300 万元", 1234567.89 "123.46 万元"."""
    figure = f"{round_money(amount / 10_000, places=places):,.{places}f}"
    if "." in figure:
        figure = figure.rstrip("0").rstrip(".")
    return f"{figure} {unit}".rstrip()


def allocate(total: Decimal, weights: Sequence[Decimal | int]) -> tuple[Decimal, ...]:
    """Split `total` by `weights` into two-place parts that sum to it exactly.

    Cents left over go to the largest fractions, earlier parts first. Raises MoneyError when a weight is
    negative or all are zero.
    """
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares, Fraction(0))
    if whole <= 0 or any(share < 0 for share in shares):
        raise MoneyError("weights", "weights must not be negative and not all zero")
    cents = to_cents(total)
    sign = -1 if cents < 0 else 1
    exact = [abs(cents) * share / whole for share in shares]
    parts = [int(part) for part in exact]
    left_over = abs(cents) - sum(parts)
    by_fraction = sorted(range(len(parts)), key=lambda i: (parts[i] - exact[i], i))
    for index in by_fraction[:left_over]:
        parts[index] += 1
    return tuple(from_cents(sign * part) for part in parts)


def _integer_ratio(amount: Decimal | Fraction | int) -> tuple[int, int]:
    if isinstance(amount, float):
        raise TypeError("money is never a float")
    if isinstance(amount, Decimal) and not amount.is_finite():
        raise MoneyError("format", f"{amount} is not an amount")
    return amount.as_integer_ratio()
