from decimal import Decimal

import pytest

from loans.domain.capital_amount import capital_amount

#: Examples of 支付结算办法 (PBOC, 1997), annex 1, where 整 after 角 may be written or left out; we write it.
PUBLISHED = [
    ("1409.50", "壹仟肆佰零玖元伍角整"),
    ("6007.14", "陆仟零柒元壹角肆分"),
    ("1680.32", "壹仟陆佰捌拾元零叁角贰分"),
    ("107000.53", "壹拾万柒仟元零伍角叁分"),
    ("16409.02", "壹万陆仟肆佰零玖元零贰分"),
    ("325.04", "叁佰贰拾伍元零肆分"),
]
#: Worked by hand from the same rules.
BY_HAND = [
    ("0", "零元整"),
    ("0.05", "伍分"),
    ("300000.00", "叁拾万元整"),
    ("10050000.00", "壹仟零伍万元整"),
    ("100000000.00", "壹亿元整"),
    ("1000010.00", "壹佰万零壹拾元整"),
]


@pytest.mark.parametrize(("amount", "text"), PUBLISHED + BY_HAND)
def test_amount_in_capitals(amount: str, text: str) -> None:
    assert capital_amount(Decimal(amount)) == text


@pytest.mark.parametrize("amount", ["-1", "0.001", "10000000000000000"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    with pytest.raises(ValueError, match="capitals"):
        capital_amount(Decimal(amount))
