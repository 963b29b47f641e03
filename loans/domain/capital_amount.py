"""Amounts in the capital numerals that Chinese contracts and cheques carry (人民币大写).

Rules: 支付结算办法 (PBOC, 1997), annex 1: 整 closes an amount that ends in yuan or jiao, runs of zeros read as one 零.
"""

from __future__ import annotations

from decimal import Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ("", "拾", "佰", "仟")
_GROUPS = ("", "万", "亿", "兆")


def capital_amount(amount: Decimal) -> str:
    """`Decimal("300000.50")` → 叁拾万元伍角整. Raises ValueError below zero or with parts of a cent."""
    cents = amount * 100
    if amount < 0 or cents != cents.to_integral_value() or amount >= Decimal(10) ** 16:
        raise ValueError("an amount in capitals has two places, is not negative and below ten quadrillion")
    yuan, rest = divmod(int(cents), 100)
    jiao, fen = divmod(rest, 10)
    text = f"{_integer(yuan)}元" if yuan or not rest else ""
    if not rest:
        return f"{text}整"
    if jiao:
        # The yuan part ending in zero tens asks for a 零 before the jiao only where the last digit is zero.
        text += ("零" if yuan and yuan % 10 == 0 else "") + f"{_DIGITS[jiao]}角"
    elif yuan:
        text += "零"
    return text + (f"{_DIGITS[fen]}分" if fen else "整")


def _integer(number: int) -> str:
    if number == 0:
        return "零"
    parts: list[str] = []
    pending_zero = False
    groups = []
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if group == 0:
            pending_zero = True
            continue
        if parts and (pending_zero or group < 1000):
            parts.append("零")
        parts.append(_group(group) + _GROUPS[index])
        pending_zero = False
    return "".join(parts)


def _group(group: int) -> str:
    text, zero = "", False
    for power in (3, 2, 1, 0):
        digit = group // 10**power % 10
        if digit == 0:
            zero = bool(text)
            continue
        text += ("零" if zero else "") + _DIGITS[digit] + _UNITS[power]
        zero = False
    return text
