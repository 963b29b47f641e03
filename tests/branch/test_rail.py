"""The payment rail against a real sandbox bank, and against servers that answer as no bank should."""

import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import pytest

from branch import rail as rail_module
from branch.rail import (
    CollectionOrder,
    NoAnswer,
    PaymentRail,
    PayoutOrder,
    ReferenceConflict,
    Refused,
    from_settings,
)
from branch.sandbox_bank.process import BankProcess
from tests.branch.test_sandbox_bank import Bank


@pytest.fixture(scope="module")
def shared_bank(tmp_path_factory):
    with Bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture
def bank(shared_bank):
    yield shared_bank
    assert shared_bank.call("DELETE", "/behaviours")[0] == 200


@pytest.fixture
def rail(bank):
    return rail_to(bank)


def rail_to(bank: BankProcess, timeout_seconds: float = 5.0) -> PaymentRail:
    return PaymentRail(bank.url, bank.token, timeout_seconds)


def seen(rail, reference):
    """The status the bank gives, None when it never saw the payment."""
    answer = rail.query(reference)
    return answer.status if answer else None


def payout(reference, amount="100.00", account=None, **more):
    return PayoutOrder(reference, Decimal(amount), account or reference, "王记杂货店", "放款", **more)


def debit(reference, amount="100.00", account=None, **more):
    return CollectionOrder(reference, Decimal(amount), account or reference, "王记", "还款", **more)


# --- with the bank ---------------------------------------------------------------------------------------
def test_payout_is_answered_and_can_be_asked_about(bank, rail):
    answer = rail.pay_out(payout("pay-1", "1234567.89", business_date=date(2026, 12, 31)))

    assert (answer.status, answer.failure_code, answer.failure_reason) == ("succeeded", "", "")
    assert (answer.reference, answer.amount) == ("pay-1", Decimal("1234567.89"))
    assert answer.collected_amount is None
    assert answer.business_date == date(2026, 12, 31)
    assert abs((datetime.now(UTC) - answer.booked_at).total_seconds()) < 60
    assert rail.query("pay-1") == answer
    assert bank.balance("pay-1") == "1234567.89"


def test_whole_yuan_is_sent_with_two_places(bank, rail):
    assert rail.pay_out(payout("pay-2", "1E+3")).amount == Decimal(1000)
    assert bank.balance("pay-2") == "1000.00"


def test_payment_the_bank_never_saw_is_none(rail):
    assert rail.query("never/seen?really#") is None


def test_bounced_payout_says_why(bank, rail):
    bank.behave("bounce", {"payee_account": "back-1"})

    answer = rail.pay_out(payout("back-1"))

    assert (answer.status, answer.failure_code, answer.booked_at) == ("failed", "bounced", None)
    assert answer.failure_reason


def test_collection_in_full_in_part_and_not_at_all(bank, rail):
    bank.fund("150.00", "debit")

    full = rail.collect(debit("debit-1", account="debit"))
    refused = rail.collect(debit("debit-2", account="debit"))
    part = rail.collect(debit("debit-3", account="debit", allow_partial=True))

    assert (full.status, full.collected_amount) == ("succeeded", Decimal("100.00"))
    assert (refused.status, refused.failure_code) == ("failed", "insufficient_funds")
    assert refused.collected_amount == 0
    assert (part.status, part.collected_amount, part.amount) == ("succeeded", Decimal(50), Decimal(100))
    assert rail.query("debit-3") == part


def test_collection_file_goes_out_and_its_result_comes_in(bank, rail):
    bank.fund("150.00", "batch")
    bank.behave("processing", {"kind": "collection_file"}, seconds=0.3)
    orders = [debit(f"batch-{number}", account="batch", allow_partial=True) for number in (1, 2, 3)]

    rail.submit_collection_file("FILE/1", orders)
    rail.submit_collection_file("FILE/1", orders)

    pending = rail.collection_file_result("FILE/1")
    assert (pending.status, pending.answers) == ("processing", ())
    assert seen(rail, "batch-1") == "processing"
    time.sleep(0.35)
    result = rail.collection_file_result("FILE/1")
    assert result.status == "done"
    assert [answer.reference for answer in result.answers] == ["batch-1", "batch-2", "batch-3"]
    assert [answer.collected_amount for answer in result.answers] == [Decimal(100), Decimal(50), Decimal(0)]
    assert [answer.failure_code for answer in result.answers] == ["", "", "insufficient_funds"]
    assert bank.balance("batch") == "0.00"


def test_file_the_bank_never_saw_is_none(rail):
    assert rail.collection_file_result("no-file") is None


def test_account_flows_are_read_to_the_end(bank, rail):
    for number in range(5):
        credit = {"reference": f"in-{number}", "amount": "10.00", "booked_on": f"2026-10-0{number + 1}"}
        bank.post("/accounts/flows/credits", credit | {"counterparty_name": "批发市场"})
    rail.pay_out(payout("out-1", "20.00", "supplier", debit_account="flows"))

    first = rail.account_flows("flows", limit=4)
    rest = rail.account_flows("flows", first[-1].id, limit=4)

    assert [flow.balance for flow in first] == [Decimal(number) for number in (10, 20, 30, 40)]
    assert (first[0].direction, first[0].counterparty_name) == ("in", "批发市场")
    assert first[0].booked_on == date(2026, 10, 1)
    assert [(flow.direction, flow.amount) for flow in rest] == [("in", Decimal(10)), ("out", Decimal(20))]
    assert rest[-1].reference == "out-1"
    assert rail.account_flows("flows", rest[-1].id) == ()
    october = rail.account_flows("flows", first=date(2026, 10, 2), last=date(2026, 10, 3))
    assert len(october) == 2


def test_overdrawn_lending_account_has_a_negative_balance(rail):
    rail.pay_out(payout("negative-1", "0.01"))

    assert rail.account_flows("BANK-LENDING")[-1].balance < 0


# --- no answer -------------------------------------------------------------------------------------------
def test_time_out_before_booking_then_the_same_reference_again(bank):
    rail = rail_to(bank, timeout_seconds=0.3)
    bank.behave("timeout", {"reference": "lost-1"}, times=1)
    began_at = time.monotonic()

    with pytest.raises(NoAnswer):
        rail.pay_out(payout("lost-1"))

    assert time.monotonic() - began_at < 2
    assert rail.query("lost-1") is None
    assert rail.pay_out(payout("lost-1")).status == "succeeded"
    assert bank.balance("lost-1") == "100.00"


def test_time_out_after_booking_is_found_by_asking(bank, rail):
    bank.behave("drop_after_booking", {"reference": "lost-2"})

    with pytest.raises(NoAnswer):
        rail.pay_out(payout("lost-2"))

    assert seen(rail, "lost-2") == "succeeded"
    assert bank.balance("lost-2") == "100.00"


def test_impatient_caller_learns_of_a_slow_payment_and_never_doubles_it(bank):
    rail = rail_to(bank, timeout_seconds=0.3)
    bank.behave("delay", {"reference": "lost-3"}, seconds=0.8, times=1)

    with pytest.raises(NoAnswer):
        rail.pay_out(payout("lost-3"))
    assert seen(rail, "lost-3") == "processing"
    assert rail.pay_out(payout("lost-3")).status == "processing"
    time.sleep(0.6)

    assert seen(rail, "lost-3") == "succeeded"
    assert bank.balance("lost-3") == "100.00"


def test_server_error_is_no_answer(bank, rail):
    bank.behave("error_500", {"reference": "lost-4"})

    with pytest.raises(NoAnswer, match="500"):
        rail.pay_out(payout("lost-4"))


@pytest.mark.parametrize("moment", ["before", "during", "after"])
def test_bank_killed_around_a_payout_pays_once(tmp_path, moment):
    """Given a bank killed before, while, or after it takes a payout, when it is back, then one payment stands."""
    with Bank(tmp_path) as bank:
        rail = rail_to(bank)
        if moment == "before":
            bank.kill()
            with pytest.raises(NoAnswer):
                rail.pay_out(payout("kill-1"))
        elif moment == "during":
            bank.behave("delay", {"reference": "kill-1"}, seconds=0.4)
            with ThreadPoolExecutor() as pool:
                held = pool.submit(rail.pay_out, payout("kill-1"))
                while rail.query("kill-1") is None:
                    time.sleep(0.02)
                bank.kill()
                with pytest.raises(NoAnswer):
                    held.result()
            time.sleep(0.4)
        else:
            assert rail.pay_out(payout("kill-1")).status == "succeeded"
            bank.kill()
        bank.start()

        assert seen(rail, "kill-1") == (None if moment == "before" else "succeeded")
        assert rail.pay_out(payout("kill-1")).status == "succeeded"
        assert bank.balance("kill-1") == "100.00"
        assert len(rail.account_flows("kill-1")) == 1


def test_two_threads_with_one_reference_pay_once(bank, rail):
    barrier = threading.Barrier(2)

    def pay(_):
        barrier.wait()
        return rail.pay_out(payout("two-1"))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(pay, range(2))

    assert first == second
    assert bank.balance("two-1") == "100.00"
    assert len(rail.account_flows("two-1")) == 1


# --- refused ---------------------------------------------------------------------------------------------
def test_refused_order_names_the_field(rail):
    with pytest.raises(Refused, match="payee_account") as refused:
        rail.pay_out(payout("bad-1", account="6222 0202"))

    assert (refused.value.code, refused.value.http_status) == ("invalid", 422)
    assert "0202" not in str(refused.value)
    assert rail.query("bad-1") is None


def test_wrong_token_refuses_an_order_but_says_nothing_about_a_payment(bank, rail):
    """Taking a refused question for "not paid" would pay twice."""
    rail.pay_out(payout("token-1"))
    stranger = PaymentRail(bank.url, "wrong")

    with pytest.raises(Refused) as refused:
        stranger.pay_out(payout("token-2"))
    with pytest.raises(NoAnswer):
        stranger.query("token-1")

    assert refused.value.http_status == 401
    assert rail.query("token-2") is None


def test_conflicting_order_is_not_a_refusal(bank, rail):
    """The first order may be paid: whoever catches Refused and takes a new reference would pay again."""
    rail.pay_out(payout("clash-1"))

    with pytest.raises(ReferenceConflict) as conflict:
        rail.pay_out(payout("clash-1", "200.00", "clash-1"))
    with pytest.raises(ReferenceConflict):
        rail.submit_collection_file("clash", [debit("clash-1")])

    assert isinstance(conflict.value, NoAnswer)
    assert not isinstance(conflict.value, Refused)
    assert rail.query("clash-1").amount == Decimal(100)
    assert bank.balance("clash-1") == "100.00"


# --- answers no bank should give -------------------------------------------------------------------------
GOOD = {"reference": "x-1", "kind": "payout", "status": "succeeded", "amount": "100.00"}
TAKEN = {"reference": "x-1", "kind": "collection", "status": "succeeded", "amount": "100.00"}


def http_answer(status=200, body=b"", head=b""):
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    length = f"Content-Length: {len(payload)}\r\n".encode()
    return f"HTTP/1.1 {status} X\r\n".encode() + length + head + b"\r\n" + payload


def read_request(connection):
    """All of it: closing over unread bytes resets the connection, and the rail would fail for that reason."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += connection.recv(65536)
    head, body = raw.split(b"\r\n\r\n", 1)
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head, body


@contextmanager
def server_saying(answer, pause_between_bytes=0.0):
    """A rail to a server that gives `answer` to every request, and the requests it saw."""
    listener = socket.create_server(("127.0.0.1", 0))
    requests = []

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with closing(connection):
                requests.append(read_request(connection))
                try:
                    pieces = [answer] if not pause_between_bytes else [bytes([byte]) for byte in answer]
                    for piece in pieces:
                        connection.sendall(piece)
                        time.sleep(pause_between_bytes)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield PaymentRail(f"http://127.0.0.1:{listener.getsockname()[1]}/bank/", "secret", 0.5), requests
    finally:
        # Closing alone leaves the thread in accept().
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def test_request_goes_where_and_as_it_should():
    with server_saying(http_answer(body=GOOD)) as (rail, requests):
        answer = rail.pay_out(payout("x-1"))

    head, body = requests[0]
    assert head.startswith(b"POST /bank/payouts HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer secret\r\n" in head + b"\r\n"
    assert json.loads(body)["amount"] == "100.00"
    assert answer.status == "succeeded"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + json.dumps(GOOD).encode()[:-5],
        http_answer(body=b""),
        http_answer(body=b"<html>Login</html>"),
        http_answer(body=b"\xff\xfe"),
        http_answer(body=b"[" * 100_000),
        http_answer(body=[GOOD]),
        http_answer(body={}),
        http_answer(201, GOOD),
        http_answer(204),
        http_answer(302, GOOD, b"Location: /bank/elsewhere\r\n"),
        http_answer(307, GOOD, b"Location: /bank/payouts\r\n"),
        http_answer(408, {"code": "slow"}),
        http_answer(429, {"code": "busy"}),
        http_answer(500, GOOD),
        http_answer(502, b"<html>Bad gateway</html>"),
        http_answer(503, {"status": "refused", "code": "closed"}),
        http_answer(body=GOOD | {"reference": "x-2"}),
        http_answer(body=GOOD | {"amount": "100.01"}),
        http_answer(body=GOOD | {"amount": 100}),
        http_answer(body=GOOD | {"status": "Succeeded"}),
        http_answer(body=GOOD | {"status": ["succeeded"]}),
        http_answer(body=GOOD | {"status": None}),
        http_answer(body=GOOD | {"booked_at": "soon"}),
        http_answer(body=GOOD | {"booked_at": "2026-11-23T10:00:00"}),
        http_answer(body=GOOD | {"booked_at": 1}),
        http_answer(body=GOOD | {"business_date": "tomorrow"}),
        http_answer(body=GOOD | {"failure_code": {}}),
        http_answer(body={name: value for name, value in GOOD.items() if name != "kind"}),
    ],
)
def test_garbled_answer_is_no_answer_and_is_not_followed(answer):
    with server_saying(answer) as (rail, requests):
        with pytest.raises(NoAnswer) as caught:
            rail.pay_out(payout("x-1"))
        assert type(caught.value) is NoAnswer
        assert len(requests) == 1, "one request, no redirect, no retry of its own"


@pytest.mark.parametrize(
    ("collected", "status", "allow_partial"),
    [
        (None, "succeeded", True),
        ("0.00", "succeeded", True),
        ("99.99", "succeeded", False),
        ("100.01", "succeeded", True),
        ("-1.00", "succeeded", True),
        ("1.00", "failed", True),
        ("1.00", "processing", True),
    ],
)
def test_collected_amount_that_was_not_ordered_is_no_answer(collected, status, allow_partial):
    answer = http_answer(body=TAKEN | {"collected_amount": collected, "status": status})
    with server_saying(answer) as (rail, _), pytest.raises(NoAnswer):
        rail.collect(debit("x-1", allow_partial=allow_partial))


@pytest.mark.parametrize(
    "answer",
    [
        http_answer(404, b"<html>Not found</html>"),
        http_answer(404, {"detail": "not found"}),
        http_answer(404, {"status": "not_found", "host": "proxy"}),
        http_answer(404),
        http_answer(401, {"code": "unauthorized"}),
        http_answer(403, b"<html>Forbidden</html>"),
        http_answer(200, {"status": "not_found"}),
    ],
)
def test_only_the_banks_own_words_mean_it_never_saw_a_payment(answer):
    with server_saying(answer) as (rail, _):
        with pytest.raises(NoAnswer):
            rail.query("x-1")
        with pytest.raises(NoAnswer):
            rail.collection_file_result("x-1")


def test_proxys_refusal_is_a_refusal_with_a_code():
    answer = http_answer(403, b"<html>Forbidden</html>")
    with server_saying(answer) as (rail, _), pytest.raises(Refused) as refused:
        rail.pay_out(payout("x-1"))
    assert (refused.value.code, refused.value.reason) == ("http_403", "HTTP 403")


@pytest.mark.parametrize(
    "items",
    [
        None,
        [None],
        [TAKEN],
        [TAKEN | {"collected_amount": "1.00"}] * 2,
        [TAKEN | {"collected_amount": "1.00", "reference": 5}],
    ],
)
def test_garbled_result_file_is_no_answer(items):
    with server_saying(http_answer(body={"items": items})) as (rail, _), pytest.raises(NoAnswer):
        rail.collection_file_result("x-1")


def test_acceptance_of_another_file_is_no_answer():
    answer = http_answer(body={"file_reference": "y", "status": "accepted"})
    with server_saying(answer) as (rail, _), pytest.raises(NoAnswer):
        rail.submit_collection_file("x", [debit("x-1")])


@pytest.mark.parametrize(
    "flows",
    [None, [{}], "flow"],
)
def test_garbled_flows_are_no_answer(flows):
    with server_saying(http_answer(body={"flows": flows})) as (rail, _), pytest.raises(NoAnswer):
        rail.account_flows("x")


@pytest.mark.parametrize("ids", [[2, 1], [1, 1], [7, 5]], ids=str)
def test_flows_out_of_order_are_no_answer(ids):
    """A reader goes on from the last id it saw; flows out of order would be skipped."""
    flow = {"direction": "in", "amount": "1.00", "balance": "1.00", "booked_on": "2026-11-23"}
    body = {"flows": [flow | {"id": number} for number in ids]}
    with server_saying(http_answer(body=body)) as (rail, _), pytest.raises(NoAnswer):
        rail.account_flows("x")


def test_trickling_answer_is_cut_at_the_deadline():
    with server_saying(http_answer(body=GOOD), pause_between_bytes=0.1) as (rail, _):
        began_at = time.monotonic()
        with pytest.raises(NoAnswer):
            rail.pay_out(payout("x-1"))
        assert time.monotonic() - began_at < 1.5


def test_oversized_answer_is_not_read_to_the_end(monkeypatch):
    monkeypatch.setattr(rail_module, "RESPONSE_LIMIT_BYTES", 1000)
    answer = http_answer(body=GOOD | {"memo": "x" * 2000})
    with server_saying(answer) as (rail, _), pytest.raises(NoAnswer, match="larger"):
        rail.pay_out(payout("x-1"))


def test_nobody_listening_is_no_answer():
    with closing(socket.create_server(("127.0.0.1", 0))) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(NoAnswer):
        PaymentRail(f"http://127.0.0.1:{port}", "t", 0.5).query("x-1")


# --- orders and settings ---------------------------------------------------------------------------------
@pytest.mark.parametrize("amount", ["0", "-1", "1.001", "NaN", "Infinity", "1E+14", "1E+40", 100, 1.5])
def test_order_of_a_senseless_amount_cannot_be_made(amount):
    amount = Decimal(amount) if isinstance(amount, str) else amount
    with pytest.raises(ValueError, match="amount"):
        PayoutOrder("x", amount, "1", "n")
    with pytest.raises(ValueError, match="amount"):
        CollectionOrder("x", amount, "1", "n")


def test_representation_of_orders_and_rail_hides_what_logs_must_not_hold():
    shown = repr([payout("x-1", account="62220"), debit("x-2", account="62221"), PaymentRail("http://b", "s3cret")])
    for secret in ("62220", "62221", "王记", "s3cret"):
        assert secret not in shown


@pytest.mark.parametrize(
    ("url", "token", "seconds"),
    [
        ("", "t", 1),
        ("bank:80", "t", 1),
        ("ftp://bank", "t", 1),
        ("http://user:pw@bank", "t", 1),
        ("http://bank/?a=1", "t", 1),
        ("http://bank:port", "t", 1),
        ("http://bank", "", 1),
        ("http://bank", "a\nb", 1),
        ("http://bank", "t", 0),
    ],
)
def test_bad_settings_are_told_at_once(url, token, seconds):
    with pytest.raises(ValueError):  # noqa: PT011 - each has its own words
        PaymentRail(url, token, seconds)


def test_rail_of_the_installation_comes_from_its_settings(monkeypatch):
    import django.conf

    chosen = SimpleNamespace(CORE_BANK_URL="http://b:1", CORE_BANK_TOKEN="t", CORE_BANK_TIMEOUT_SECONDS=2.5)
    monkeypatch.setattr(django.conf, "settings", chosen)

    assert from_settings() == PaymentRail("http://b:1", "t", 2.5)
