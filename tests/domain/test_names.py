"""Names compared across scripts, blanks, marks and spelling."""

from __future__ import annotations

import pytest

from customers.domain.names import SPELT_ALIKE, bigrams, core_key, likeness, name_key, spelling


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("鑫达五金", "鑫達五金"),
        ("宁波鑫达（五金）", "寧波 鑫達(五金)"),
        ("陈国强", "陳 國 強"),
        ("A&B Trading", "ab trading"),
    ],
)
def test_one_name_however_written(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert likeness(one, other) == 100
    assert bigrams(one) == bigrams(other)


def test_the_legal_form_is_no_part_of_the_core() -> None:
    assert core_key("宁波鑫达五金有限公司") == core_key("宁波鑫达五金有限责任公司") == "宁波鑫达五金"
    assert core_key("有限公司") == "有限公司"


def test_one_spelling_with_other_characters_is_alike_but_not_the_same() -> None:
    assert spelling("鑫达五金") == spelling("新达五金有限公司") == "xindawujin"
    assert SPELT_ALIKE <= likeness("鑫达五金", "新达五金") < 100


def test_two_firms_of_one_form_are_not_alike() -> None:
    assert likeness("宁波鑫达五金有限公司", "宁波海潮水产有限公司") < 60
    assert likeness("宁波鑫达五金有限公司", "余姚鑫达五金有限公司") < SPELT_ALIKE


def test_pieces_of_two_characters() -> None:
    assert bigrams("五金 店") == ["五金", "金店"]
    assert bigrams("店") == []
