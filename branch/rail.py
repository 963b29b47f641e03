"""The payment rail: the one way to the core bank. Typed HTTP, no models, no state. See docs/core-bank.md.

Three endings of an order, and what each one means for the caller:

- an answer: the bank holds the order under its reference; "processing" is asked about again with `query`
- Refused: this attempt was not accepted (an earlier one under its reference may have been: `query` knows)
- NoAnswer: nobody knows. Ask with `query`, and send again under the **same** reference only: a slow request
  may still be on its way, and the reference is what makes two of them one payment
"""

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import quote, urlencode, urlsplit

Status = Literal["succeeded", "failed", "processing"]
DEFAULT_TIMEOUT_SECONDS = 5.0
RESPONSE_LIMIT_BYTES = 32 * 1024 * 1024
FLOWS_PER_PAGE = 1000
_CODE_LIMIT, _REASON_LIMIT = 40, 200
#: The bank or something before it says "not now": whether the order went through it does not say.
_UNDECIDED = {408, 409, 425, 429}
_AMOUNT = re.compile(r"-?(0|[1-9][0-9]{0,13})\.[0-9]{2}", re.ASCII)
_CENT = Decimal("0.01")
_AMOUNT_BOUND = Decimal(10) ** 14


class RailError(Exception):
    """`reason` is in plain words and carries no account number."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NoAnswer(RailError):
    """Time-out, broken connection, server error or an answer that makes no sense: the outcome is unknown."""


class ReferenceConflict(NoAnswer):
    """The bank holds a *different* order under this reference, perhaps paid: ask, never take a new one."""


class Refused(RailError):
    """The bank did not accept this attempt. `code` is its own word for why, or "http_4xx"."""

    def __init__(self, reason: str, code: str, http_status: int) -> None:
        super().__init__(reason)
        self.code, self.http_status = code, http_status


@dataclass(frozen=True)
class PayoutOrder:
    """Money from the bank (or `debit_account`) to a payee. Amount in CNY, more than zero, two places."""

    reference: str
    amount: Decimal
    payee_account: str = field(repr=False)
    payee_name: str = field(repr=False)
    memo: str = ""
    debit_account: str = field(default="", repr=False)
    business_date: date | None = None

    def __post_init__(self) -> None:
        _check_amount(self.amount)


@dataclass(frozen=True)
class CollectionOrder:
    """A debit of a borrower's account; `allow_partial` takes what there is if it holds less. In CNY."""

    reference: str
    amount: Decimal
    payer_account: str = field(repr=False)
    payer_name: str = field(repr=False)
    memo: str = ""
    allow_partial: bool = False
    business_date: date | None = None

    def __post_init__(self) -> None:
        _check_amount(self.amount)


@dataclass(frozen=True)
class PaymentAnswer:
    """What the bank says of one payment. `booked_at` is set once money moved.

    A collection that succeeded took `collected_amount`, which may be less than `amount`; None for a payout.
    """

    status: Status
    failure_code: str = ""
    failure_reason: str = ""
    collected_amount: Decimal | None = None
    booked_at: datetime | None = None
    reference: str = ""
    amount: Decimal | None = None
    business_date: date | None = None


@dataclass(frozen=True)
class CollectionFileResult:
    """`answers` in the order of the file; empty while `status` is "processing"."""

    status: Literal["processing", "done"]
    answers: tuple[PaymentAnswer, ...] = ()


@dataclass(frozen=True)
class AccountFlow:
    """One movement on an account; `balance` is after it. Ids grow in the order of booking."""

    id: int
    reference: str
    direction: Literal["in", "out"]
    amount: Decimal
    balance: Decimal
    counterparty_account: str = field(repr=False)
    counterparty_name: str = field(repr=False)
    memo: str
    booked_on: date


@dataclass(frozen=True)
class PaymentRail:
    """`timeout_seconds` bounds connecting, and again everything from sending to the answer's last byte."""

    base_url: str
    token: str = field(repr=False)
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS

    def __post_init__(self) -> None:
        url = urlsplit(self.base_url)
        plain = not (url.query or url.fragment or url.username) and url.port != 0  # a port not a number raises here
        if url.scheme not in ("http", "https") or not url.hostname or not plain:
            raise ValueError("The core bank's address must look like https://host:port/path.")
        if not re.fullmatch(r"[!-~]+", self.token):
            raise ValueError("The core bank's token is empty or holds a space, a line break or a letter not ASCII.")
        if self.timeout_seconds <= 0:
            raise ValueError("The core bank's time-out must be more than 0 seconds.")

    def pay_out(self, order: PayoutOrder) -> PaymentAnswer:
        """Raises NoAnswer or Refused."""
        body = _order_body(order) | {"payee_account": order.payee_account, "payee_name": order.payee_name}
        if order.debit_account:
            body["debit_account"] = order.debit_account
        return self._send_order("/payouts", body, order)

    def collect(self, order: CollectionOrder) -> PaymentAnswer:
        """Raises NoAnswer or Refused."""
        return self._send_order("/collections", _collection_body(order), order)

    def query(self, reference: str) -> PaymentAnswer | None:
        """What the bank holds under `reference`; None when it never saw it. Raises NoAnswer."""
        status, body = self._call("GET", f"/payments/{quote(reference, safe='')}", missing_is_an_answer=True)
        return None if status == 404 else _answer(body, reference)

    def submit_collection_file(self, file_reference: str, orders: Sequence[CollectionOrder]) -> None:
        """All debits of the file are accepted, or none. Raises NoAnswer or Refused."""
        items = [_collection_body(order) for order in orders]
        status, body = self._call("POST", "/collection-files", {"file_reference": file_reference, "items": items})
        with _readable():
            if (status, body["file_reference"], body["status"]) != (200, file_reference, "accepted"):
                raise ValueError("not an acceptance of this file")

    def collection_file_result(self, file_reference: str) -> CollectionFileResult | None:
        """None when the bank never saw the file. Raises NoAnswer."""
        path = f"/collection-files/{quote(file_reference, safe='')}/result"
        status, body = self._call("GET", path, missing_is_an_answer=True)
        if status == 404:
            return None
        if status == 202:
            return CollectionFileResult("processing")
        with _readable():
            answers = tuple(_answer(item, _text(item, "reference")) for item in body["items"])
            if len({answer.reference for answer in answers}) < len(answers):
                raise ValueError("the same reference twice")
        return CollectionFileResult("done", answers)

    def account_flows(
        self,
        number: str,
        after_id: int = 0,
        *,
        first: date | None = None,
        last: date | None = None,
        limit: int = FLOWS_PER_PAGE,
    ) -> tuple[AccountFlow, ...]:
        """The next `limit` movements after `after_id`, booked on `first` to `last` inclusive where given.

        Empty means there are no more. Raises NoAnswer.
        """
        asked = {"after_id": after_id, "limit": min(limit, FLOWS_PER_PAGE), "from": first, "to": last}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        _, body = self._call("GET", f"/accounts/{quote(number, safe='')}/flows?{query}")
        with _readable():
            flows = tuple(_flow(item) for item in body["flows"])
            ids = [after_id, *(flow.id for flow in flows)]
            if ids != sorted(set(ids)):
                raise ValueError("flows out of order")
        return flows

    # --- one exchange --------------------------------------------------------------------------------
    def _send_order(self, path: str, body: dict[str, Any], order: PayoutOrder | CollectionOrder) -> PaymentAnswer:
        status, answered = self._call("POST", path, body)
        answer = _answer(answered, order.reference)
        if status != 200 or answer.amount != order.amount:
            raise NoAnswer("The core bank answered about another payment.")
        if isinstance(order, CollectionOrder):
            _check_collected(answer, order)
        return answer

    def _call(
        self, method: str, path: str, body: object = None, *, missing_is_an_answer: bool = False
    ) -> tuple[int, Any]:
        """HTTP status and decoded JSON of a 200, a 202 or, if asked for, the bank's own "not_found"."""
        status, raw = self._exchange(method, path, None if body is None else json.dumps(body).encode())
        try:
            decoded = json.loads(raw.decode())
        except (ValueError, RecursionError):
            decoded = None
        if missing_is_an_answer and status == 404 and decoded == {"status": "not_found"}:
            return status, decoded
        if missing_is_an_answer and status == 404:
            # A wrong address or a proxy says 404 too; taking that for "never paid" would pay twice.
            raise NoAnswer("HTTP 404 from something that is not the core bank.")
        if 400 <= status < 500 and method == "POST":
            raise _refusal(status, decoded)
        if status not in (200, 202) or not isinstance(decoded, dict):
            raise NoAnswer(f"The core bank answered HTTP {status} without a usable body.")
        return status, decoded

    def _exchange(self, method: str, path: str, payload: bytes | None) -> tuple[int, bytes]:
        """HTTP status and body, redirects not followed, proxies of the environment not used."""
        url = urlsplit(self.base_url)
        kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
        connection = kind(url.hostname or "", url.port, timeout=self.timeout_seconds)
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/json",
            "Connection": "close",
        }
        if payload is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.connect()
            with _deadline(connection.sock, self.timeout_seconds):
                connection.request(method, url.path.rstrip("/") + path, payload, headers)
                response = connection.getresponse()
                raw = response.read(RESPONSE_LIMIT_BYTES + 1)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NoAnswer(f"The core bank could not be reached: {type(error).__name__}.") from error
        finally:
            connection.close()
        if len(raw) > RESPONSE_LIMIT_BYTES:
            raise NoAnswer(f"The core bank's answer is larger than {RESPONSE_LIMIT_BYTES} bytes.")
        return response.status, raw


def from_settings() -> PaymentRail:
    """The rail of this installation: CORE_BANK_URL, CORE_BANK_TOKEN, CORE_BANK_TIMEOUT_SECONDS."""
    from django.conf import settings

    return PaymentRail(settings.CORE_BANK_URL, settings.CORE_BANK_TOKEN, settings.CORE_BANK_TIMEOUT_SECONDS)


@contextmanager
def _deadline(sock: socket.socket, seconds: float) -> Iterator[None]:
    """Cuts the connection after `seconds`, which a socket's own time-out, restarting with each byte, cannot."""
    expired = threading.Event()

    def cut() -> None:
        expired.set()
        with suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if expired.is_set():
        raise TimeoutError


# --- bodies and answers ----------------------------------------------------------------------------------
@contextmanager
def _readable() -> Iterator[None]:
    """Turns what goes wrong in reading an answer into NoAnswer: garble says nothing about the money."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise NoAnswer("The core bank's answer cannot be understood.") from error


def _order_body(order: PayoutOrder | CollectionOrder) -> dict[str, Any]:
    body: dict[str, Any] = {"reference": order.reference, "amount": f"{order.amount:.2f}", "currency": "CNY"}
    body["memo"] = order.memo
    if order.business_date:
        body["business_date"] = order.business_date.isoformat()
    return body


def _collection_body(order: CollectionOrder) -> dict[str, Any]:
    payer = {"payer_account": order.payer_account, "payer_name": order.payer_name}
    return _order_body(order) | payer | {"allow_partial": order.allow_partial}


def _answer(body: Mapping[str, Any], reference: str) -> PaymentAnswer:
    """The answer about `reference`, every field checked. Raises NoAnswer."""
    with _readable():
        if body["reference"] != reference or body["status"] not in ("succeeded", "failed", "processing"):
            raise ValueError("not an answer about this payment")
        collected = body.get("collected_amount")
        booked_at, business_date = body.get("booked_at"), body.get("business_date")
        answer = PaymentAnswer(
            status=body["status"],
            failure_code=_text(body, "failure_code")[:_CODE_LIMIT],
            failure_reason=_text(body, "failure_reason")[:_REASON_LIMIT],
            collected_amount=None if collected is None else _amount(collected),
            booked_at=None if booked_at is None else _aware(booked_at),
            reference=reference,
            amount=_amount(body["amount"]),
            business_date=None if business_date is None else date.fromisoformat(business_date),
        )
        if body["kind"] == "collection" and answer.status == "succeeded" and not answer.collected_amount:
            raise ValueError("a collection of nothing")
    return answer


def _check_collected(answer: PaymentAnswer, order: CollectionOrder) -> None:
    """A debit takes the whole amount, or where allowed a part of it, and nothing unless it succeeded."""
    taken = answer.collected_amount
    whole = taken == order.amount
    part = order.allow_partial and taken is not None and 0 < taken < order.amount
    if not (whole or part if answer.status == "succeeded" else not taken):
        raise NoAnswer("The core bank says it collected an amount that was not ordered.")


def _flow(item: Mapping[str, Any]) -> AccountFlow:
    if item["direction"] not in ("in", "out") or not isinstance(item["id"], int):
        raise ValueError("not a flow")
    return AccountFlow(
        id=item["id"],
        reference=_text(item, "reference"),
        direction=item["direction"],
        amount=_amount(item["amount"]),
        balance=_amount(item["balance"]),
        counterparty_account=_text(item, "counterparty_account"),
        counterparty_name=_text(item, "counterparty_name"),
        memo=_text(item, "memo"),
        booked_on=date.fromisoformat(item["booked_on"]),
    )


def _refusal(status: int, decoded: object) -> RailError:
    said = decoded if isinstance(decoded, dict) else {}
    reason = f"{said.get('field', '')} {said.get('reason', '')}".strip()[:_REASON_LIMIT] or f"HTTP {status}"
    if status == 409:
        return ReferenceConflict(reason)
    if status in _UNDECIDED:
        return NoAnswer(f"HTTP {status}")
    return Refused(reason, str(said.get("code") or f"http_{status}")[:_CODE_LIMIT], status)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{name} is not text")
    return value or ""


def _amount(value: object) -> Decimal:
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value):
        raise ValueError("not an amount")
    return Decimal(value)


def _aware(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment


def _check_amount(amount: Decimal) -> None:
    sane = isinstance(amount, Decimal) and amount.is_finite() and 0 < amount < _AMOUNT_BOUND
    if not sane or amount != amount.quantize(_CENT):
        raise ValueError("An order's amount is a Decimal of more than zero with at most two places.")
