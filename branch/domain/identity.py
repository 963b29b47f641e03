"""Identity numbers checked, personal data masked, names made comparable."""

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidFormat, InvalidLength, ValidationError

# First two digits of a region code (GB/T 2260); 81–83: residence permits of Hong Kong, Macau and Taiwan.
_PROVINCES = frozenset(
    str(code)
    for codes in (
        range(11, 16),
        range(21, 24),
        range(31, 38),
        range(41, 47),
        range(50, 55),
        range(61, 66),
        (71, 81, 82, 83),
    )
    for code in codes
)
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("•‧∙⋅・･．•", "·"))
_BETWEEN_CJK = re.compile(r"(?<=[\u3400-\u9fff·()])\s+(?=[\u3400-\u9fff·()])")


class IdentityError(ValueError):
    """A number that cannot be an identity number.

    `code` is required, length, format, check_digit or component (no such birth date or province). The
    message never repeats the number: it is personal data.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"identity number: {code}")
        self.code = code


def parse_uscc(text: str) -> str:
    """A unified social credit code (18 characters, GB 32100-2015), cleaned and in capitals."""
    return _parse(text, uscc.validate)


def parse_resident_id(text: str) -> str:
    """A resident identity number (18 characters, GB 11643-1999), cleaned, check letter in capitals."""
    return _parse(text, _validate_resident_id)


def birth_date(resident_id: str) -> date:
    """Date of birth in a resident identity number."""
    number = parse_resident_id(resident_id)
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def mask_resident_id(number: str) -> str:
    """First and last four characters: "3302 **** 061X"."""
    return f"{number[:4]} **** {number[-4:]}" if len(number) > 8 else "****"


def mask_phone(number: str) -> str:
    """First three and last four digits: "138****1234"; shorter numbers are hidden but for the last two."""
    return f"{number[:3]}****{number[-4:]}" if len(number) > 7 else f"****{number[-2:]}"


def mask_account(number: str, *, pattern: str = "尾号 {tail}") -> str:
    """Last four digits of a bank account in the words of `pattern`: "尾号 6218"."""
    digits = re.sub(r"\s", "", number)
    return pattern.format(tail=digits[-4:] if len(digits) > 4 else "****")


def normalise_name(name: str) -> str:
    """A name for comparing: one width (NFKC), one middle dot, no blanks inside Chinese, lower case.

    "宁波　鑫达（五金）" and "宁波鑫达(五金)" come out the same.
    """
    text = unicodedata.normalize("NFKC", name.translate(_MIDDLE_DOTS)).translate(_MIDDLE_DOTS)
    return _BETWEEN_CJK.sub("", " ".join(text.split())).casefold()


def _validate_resident_id(text: str) -> str:
    # Not ric.validate: it wants the county to have existed in the year of birth, but numbers were first given
    # out in the 1980s, so it refuses real people (anyone born before Yuyao became a city in 1985, say).
    number = ric.compact(text)
    if len(number) != 18:
        raise InvalidLength
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise InvalidFormat
    if number[-1] != ric.calc_check_digit(number):
        raise InvalidChecksum
    ric.get_birth_date(number)
    if number[:2] not in _PROVINCES:
        raise IdentityError("component")
    return number


def _parse(text: str, validate: Callable[[str], str]) -> str:
    if not isinstance(text, str) or not text.strip():
        raise IdentityError("required")
    try:
        return validate(unicodedata.normalize("NFKC", text))
    except InvalidLength as error:
        raise IdentityError("length") from error
    except InvalidFormat as error:
        raise IdentityError("format") from error
    except InvalidChecksum as error:
        raise IdentityError("check_digit") from error
    except ValidationError as error:
        raise IdentityError("component") from error
