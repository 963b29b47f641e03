"""What may be asked of the bank: JSON bodies checked and turned into frozen values. No storage, no clock."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

LENDING_ACCOUNT = "BANK-LENDING"  # the bank's own: pays loans out, takes collections in, never runs short
CURRENCY = "CNY"
MAX_FILE_ITEMS = 50_000

Kind = Literal["payout", "collection", "credit"]
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,13})\.[0-9]{2}")
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}")
_ACCOUNT = re.compile(r"[A-Za-z0-9-]{1,34}")
# str.isprintable would refuse the ideographic space of Chinese names and characters newer than this Python.
_UNPRINTABLE = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff]")
_REQUIRED: Any = object()


class BadRequest(Exception):
    """The body says something the bank cannot take; nothing was done. Never repeats the value it refuses."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field, self.reason = field, reason


@dataclass(frozen=True)
class Order:
    """One movement of money. Amount in cents. Of a credit, the debit side is a party outside this bank."""

    kind: Kind
    reference: str
    amount_cents: int
    debit_account: str
    debit_name: str
    credit_account: str
    credit_name: str
    memo: str
    allow_partial: bool
    business_date: str | None

    @property
    def fingerprint(self) -> str:
        """Equal for two orders that mean the same; the day a payment is sent on does not count."""
        facts = dict(vars(self))
        if self.kind != "credit":
            del facts["business_date"]
        return digest(facts)


@dataclass(frozen=True)
class CollectionFile:
    file_reference: str
    orders: tuple[Order, ...]

    @property
    def fingerprint(self) -> str:
        return digest([order.fingerprint for order in self.orders])


class Body:
    """Takes fields out of a JSON object one by one; `finish` refuses what nobody took (a misspelt name)."""

    def __init__(self, value: object, at: str = "") -> None:
        if not isinstance(value, Mapping):
            raise BadRequest(at or "body", "must be a JSON object")
        self._left, self._at = dict(value), at

    def name(self, field: str) -> str:
        return f"{self._at}.{field}" if self._at else field

    def take(self, field: str, default: Any = _REQUIRED) -> Any:
        value = self._left.pop(field, default)
        if value is _REQUIRED:
            raise BadRequest(self.name(field), "is missing")
        return value

    def text(self, field: str, default: str = _REQUIRED, *, limit: int = 140) -> str:
        value = self.take(field, default)
        if not isinstance(value, str) or len(value) > limit or _UNPRINTABLE.search(value):
            raise BadRequest(self.name(field), f"must be one line of text, at most {limit} characters")
        if default is _REQUIRED and not value.strip():
            raise BadRequest(self.name(field), "is empty")
        return value

    def pattern(self, field: str, pattern: re.Pattern[str], meaning: str, default: Any = _REQUIRED) -> Any:
        value = self.take(field, default)
        if value is default:
            return value
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise BadRequest(self.name(field), f"must be {meaning}")
        return value

    def reference(self, field: str = "reference", default: Any = _REQUIRED) -> Any:
        return self.pattern(field, _CODE, "1 to 64 letters, digits or . _ : / -", default)

    def account(self, field: str, default: Any = _REQUIRED) -> Any:
        return self.pattern(field, _ACCOUNT, "1 to 34 letters, digits or -", default)

    def cents(self, field: str = "amount", default: Any = _REQUIRED) -> Any:
        value = self.pattern(field, _AMOUNT, 'a decimal string with two places, such as "100.00"', default)
        return value if value is default else int(value.replace(".", ""))

    def positive_cents(self, field: str = "amount") -> int:
        cents: int = self.cents(field)
        if cents <= 0:
            raise BadRequest(self.name(field), "must be more than zero")
        return cents

    def flag(self, field: str, default: bool) -> bool:
        value = self.take(field, default)
        if not isinstance(value, bool):
            raise BadRequest(self.name(field), "must be true or false")
        return value

    def iso_date(self, field: str, default: Any = _REQUIRED) -> Any:
        value = self.take(field, default)
        return value if value is default else iso_date(self.name(field), value)

    def currency(self) -> None:
        if self.take("currency", CURRENCY) != CURRENCY:
            raise BadRequest(self.name("currency"), f"this bank keeps {CURRENCY} only")

    def finish(self) -> None:
        if self._left:
            stranger = min(self._left)[:40]
            raise BadRequest(self.name(stranger), "is not a field of this request")


def iso_date(field: str, value: object) -> str:
    """`value` as YYYY-MM-DD, or BadRequest."""
    try:
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise BadRequest(field, "must be a date, YYYY-MM-DD")


def account_number(value: str) -> str:
    """`value` if it is well formed, or BadRequest."""
    number: str = Body({"number": value}).account("number")
    return number


def digest(value: object) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def payout(value: object) -> Order:
    body = Body(value)
    body.currency()
    order = Order(
        kind="payout",
        reference=body.reference(),
        amount_cents=body.positive_cents(),
        debit_account=body.account("debit_account", None) or LENDING_ACCOUNT,
        debit_name="",  # the bank knows its own account holder
        credit_account=body.account("payee_account"),
        credit_name=body.text("payee_name"),
        memo=body.text("memo", ""),
        allow_partial=False,
        business_date=body.iso_date("business_date", None),
    )
    body.finish()
    if order.debit_account == order.credit_account:
        raise BadRequest("payee_account", "is the account the money comes from")
    return order


def collection(value: object, at: str = "") -> Order:
    body = Body(value, at)
    body.currency()
    order = Order(
        kind="collection",
        reference=body.reference(),
        amount_cents=body.positive_cents(),
        debit_account=body.account("payer_account"),
        debit_name=body.text("payer_name"),
        credit_account=LENDING_ACCOUNT,
        credit_name="",
        memo=body.text("memo", ""),
        allow_partial=body.flag("allow_partial", False),
        business_date=body.iso_date("business_date", None),
    )
    body.finish()
    if order.debit_account == LENDING_ACCOUNT:
        raise BadRequest(body.name("payer_account"), "is the bank's own account")
    return order


def credit(account: str, value: object) -> Order:
    body = Body(value)
    order = Order(
        kind="credit",
        reference=body.reference(),
        amount_cents=body.positive_cents(),
        debit_account=body.account("counterparty_account", None) or "",
        debit_name=body.text("counterparty_name", ""),
        credit_account=account_number(account),
        credit_name=body.text("holder_name", ""),
        memo=body.text("memo", ""),
        allow_partial=False,
        business_date=body.iso_date("booked_on", None),
    )
    body.finish()
    return order


def collection_file(value: object) -> CollectionFile:
    body = Body(value)
    reference, items = body.reference("file_reference"), body.take("items")
    body.finish()
    if not isinstance(items, list) or not 1 <= len(items) <= MAX_FILE_ITEMS:
        raise BadRequest("items", f"must be a list of 1 to {MAX_FILE_ITEMS} items")
    orders = tuple(collection(item, f"items[{position}]") for position, item in enumerate(items))
    if len({order.reference for order in orders}) < len(orders):
        raise BadRequest("items", "name the same reference twice")
    return CollectionFile(reference, orders)
