"""Identity numbers, masks and names. All numbers here are made up; only their check digits are real."""

from datetime import date

import pytest

from branch.domain.identity import (
    IdentityError,
    birth_date,
    mask_account,
    mask_phone,
    mask_resident_id,
    normalise_name,
    parse_resident_id,
    parse_uscc,
)


@pytest.mark.parametrize(
    "text", ["91110000600037341L", " 9111 0000 6000 37341l ", "９１１１００００６０００３７３４１Ｌ"]
)
def test_uscc_is_cleaned(text: str) -> None:
    """The number is the example of the python-stdnum documentation."""
    assert parse_uscc(text) == "91110000600037341L"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "required"),
        ("9111000060003734", "length"),
        ("A1110000600037341L", "format"),
        ("911100006000O7341L", "format"),
        ("911100006000373419", "check_digit"),
    ],
)
def test_uscc_refusals_have_a_code(text: str, code: str) -> None:
    with pytest.raises(IdentityError) as refused:
        parse_uscc(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    "number",
    [
        # The example of GB 11643-1999, and of the python-stdnum documentation.
        "11010519491231002X",
        "360426199101010071",
        # Born before the region code existed: Yuyao became a city in 1985.
        "330281196003051018",
        # Residence permit of a Hong Kong resident: region 81.
        "810000199101010075",
    ],
)
def test_resident_id_is_accepted(number: str) -> None:
    assert parse_resident_id(f" {number.lower()} ") == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("   ", "required"),
        ("110105491231002", "length"),
        ("1101051949123100AX", "format"),
        ("110105194912310021", "check_digit"),
        ("110105194913310021", "component"),
        ("990105194912310023", "component"),
    ],
)
def test_resident_id_refusals_have_a_code_and_hide_the_number(text: str, code: str) -> None:
    with pytest.raises(IdentityError) as refused:
        parse_resident_id(text)

    assert refused.value.code == code
    assert text.strip() == "" or text not in str(refused.value)


def test_birth_date() -> None:
    assert birth_date("11010519491231002X") == date(1949, 12, 31)


def test_masks() -> None:
    assert mask_resident_id("33020319910101061X") == "3302 **** 061X"
    assert mask_resident_id("12345678") == "****"
    assert mask_phone("13812341234") == "138****1234"
    assert mask_phone("110") == "****10"
    assert mask_account("6222 0212 3456 6218") == "尾号 6218"
    assert mask_account("6222021234566218", pattern="ending {tail}") == "ending 6218"
    assert mask_account("6218") == "尾号 ****"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("宁波 鑫达（五金） 有限公司", "宁波鑫达(五金)有限公司"),
        ("阿里木・买买提", "阿里木·买买提"),
        ("ＡＢＣ  Trading", "abc trading"),
    ],
)
def test_spellings_of_one_name_come_out_the_same(one: str, other: str) -> None:
    assert normalise_name(one) == normalise_name(other)


def test_blanks_between_latin_words_stay() -> None:
    assert normalise_name("Li  Ming") == "li ming" != normalise_name("Liming")
