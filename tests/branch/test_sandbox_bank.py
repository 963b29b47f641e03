"""The sandbox core bank as its callers meet it: a real process on a free port, killed where it hurts."""

import http.client
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from urllib.parse import quote

import pytest

from branch.sandbox_bank import shapes
from branch.sandbox_bank.books import Books
from branch.sandbox_bank.process import ROOT, BankProcess

SHOP = "6222020200112233445"


class Bank(BankProcess):
    """The process and plain HTTP to it."""

    def call(self, method, path, body=None, *, token=None, timeout=10.0):
        """(status, JSON); raises OSError or HTTPException when no answer comes."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        payload = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        with closing(http.client.HTTPConnection(self.host, self.port, timeout=timeout)) as connection:
            connection.request(method, path, payload, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def get(self, path):
        return self.call("GET", path)

    def post(self, path, body, **how):
        return self.call("POST", path, body, **how)

    def behave(self, behaviour, match, **how):
        status, body = self.post("/behaviours", {"match": match, "behaviour": behaviour, **how})
        assert status == 201, body

    def pay(self, reference, amount="100.00", payee_account=SHOP, **how):
        return self.post("/payouts", payout(reference, amount, payee_account), **how)

    def fund(self, amount, account=SHOP):
        credit = {"reference": f"fund-{account}-{amount}", "amount": amount, "counterparty_name": "Market"}
        assert self.post(f"/accounts/{account}/credits", credit)[0] == 200

    def balance(self, account=SHOP):
        return self.get(f"/accounts/{account}")[1]["balance"]

    def flows(self, account=SHOP, query=""):
        return self.get(f"/accounts/{account}/flows{query}")[1]["flows"]

    def assert_no_answer(self, method, path, body=None, timeout=10.0):
        with pytest.raises((OSError, http.client.HTTPException)):
            self.call(method, path, body, timeout=timeout)


def payout(reference, amount="100.00", payee_account=SHOP, **more):
    payee = {"payee_account": payee_account, "payee_name": "王记杂货店"}
    return {"reference": reference, "amount": amount, "currency": "CNY", "memo": "Loan"} | payee | more


def collection(reference, amount="100.00", account=SHOP, **more):
    return {"reference": reference, "amount": amount, "payer_account": account, "payer_name": "王记"} | more


@pytest.fixture(scope="module")
def shared_bank(tmp_path_factory):
    with Bank(tmp_path_factory.mktemp("bank")) as bank:
        yield bank


@pytest.fixture
def bank(shared_bank):
    """One process for the file; each test has its own references and accounts, and an honest bank."""
    yield shared_bank
    assert shared_bank.call("DELETE", "/behaviours")[0] == 200


@pytest.fixture
def own_bank(tmp_path):
    with Bank(tmp_path / "own") as bank:
        yield bank


def books_balance(bank):
    """Every stored balance equals its flows; every payout and collection moved nothing in sum."""
    with closing(sqlite3.connect(bank.folder / "bank.sqlite3")) as db:
        wrong = db.execute(
            "SELECT number FROM accounts WHERE balance_cents <> coalesce((SELECT sum(CASE direction WHEN 'in'"
            " THEN amount_cents ELSE -amount_cents END) FROM flows WHERE account = number), 0)"
        ).fetchall()
        lopsided = db.execute(
            "SELECT reference FROM flows JOIN payments USING (reference) WHERE kind <> 'credit' GROUP BY reference"
            " HAVING count(*) <> 2 OR sum(CASE direction WHEN 'in' THEN flows.amount_cents"
            " ELSE -flows.amount_cents END) <> 0"
        ).fetchall()
    return (wrong, lopsided) == ([], [])


# --- payouts ---------------------------------------------------------------------------------------------
def test_payout_books_both_sides(own_bank):
    status, answer = own_bank.post("/payouts", payout("P1", "1234.56", business_date="2027-02-28"))

    assert (status, answer["status"], answer["business_date"]) == (200, "succeeded", "2027-02-28")
    assert answer["failure_code"] is None
    assert answer["booked_at"].endswith("+00:00")
    assert own_bank.balance() == "1234.56"
    assert own_bank.balance("BANK-LENDING") == "-1234.56"
    (flow,) = own_bank.flows()
    assert (flow["direction"], flow["amount"], flow["balance"]) == ("in", "1234.56", "1234.56")
    assert (flow["counterparty_account"], flow["booked_on"]) == ("BANK-LENDING", "2027-02-28")
    (other,) = own_bank.flows("BANK-LENDING")
    assert (other["direction"], other["counterparty_name"]) == ("out", "王记杂货店")
    assert books_balance(own_bank)


def test_same_payout_again_gets_the_same_answer_and_is_paid_once(bank):
    first = bank.pay("again-1", payee_account="again")
    second = bank.pay("again-1", payee_account="again")

    assert first == second
    assert bank.balance("again") == "100.00"


def test_retry_on_a_later_business_day_is_the_same_payout(bank):
    first = bank.post("/payouts", payout("later-1", payee_account="later", business_date="2026-11-23"))
    second = bank.post("/payouts", payout("later-1", payee_account="later", business_date="2026-11-24"))

    assert second == first
    assert bank.balance("later") == "100.00"


@pytest.mark.parametrize(
    "change",
    [
        {"amount": "100.01"},
        {"payee_account": "elsewhere"},
        {"payee_name": "李记"},
        {"memo": "Other"},
        {"debit_account": "77"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_other_payout_under_a_known_reference_is_a_conflict(bank, change):
    reference = f"conflict-{next(iter(change))}"
    bank.post("/payouts", payout(reference, payee_account="conflict"))
    before = bank.balance("conflict")

    status, answer = bank.post("/payouts", payout(reference, payee_account="conflict") | change)

    assert (status, answer["code"]) == (409, "reference_conflict")
    assert bank.balance("conflict") == before
    assert bank.balance("elsewhere") == "0.00"


def test_collection_cannot_take_over_a_payouts_reference(bank):
    bank.pay("kind-1", payee_account="kind")

    assert bank.post("/collections", collection("kind-1", account="kind"))[0] == 409
    assert bank.balance("kind") == "100.00"


def test_payout_from_a_customers_account_cannot_overdraw_it(bank):
    bank.fund("30.00", "payer")

    short = bank.post("/payouts", payout("own-1", "30.01", "supplier", debit_account="payer"))[1]
    enough = bank.post("/payouts", payout("own-2", "30.00", "supplier", debit_account="payer"))[1]

    assert (short["status"], short["failure_code"], short["booked_at"]) == ("failed", "insufficient_funds", None)
    assert enough["status"] == "succeeded"
    assert (bank.balance("payer"), bank.balance("supplier")) == ("0.00", "30.00")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "1.5"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "１.００"}, "amount"),
        ({"amount": 100.0}, "amount"),
        ({"amount": None}, "amount"),
        ({"currency": "USD"}, "currency"),
        ({"payee_account": "62 22"}, "payee_account"),
        ({"payee_account": "BANK-LENDING"}, "payee_account"),
        ({"payee_name": " "}, "payee_name"),
        ({"memo": "\ud800"}, "memo"),
        ({"memo": "two\nlines"}, "memo"),
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 65}, "reference"),
        ({"business_date": "2026-02-30"}, "business_date"),
        ({"payee": "62"}, "payee"),
    ],
)
def test_payout_that_makes_no_sense_is_refused_and_not_kept(bank, change, field):
    status, answer = bank.post("/payouts", payout("nonsense", payee_account="nonsense") | change)

    assert (status, answer["code"], answer["field"]) == (422, "invalid", field)
    assert bank.get("/payments/nonsense") == (404, {"status": "not_found"})
    assert bank.balance("nonsense") == "0.00"


@pytest.mark.parametrize("name", ["王\u3000记", "𠮷野家", "\U000323af店", "买买提·艾力", "O'Brien & Co."])
def test_names_as_people_write_them_are_taken(bank, name):
    account = f"name-{len(name)}-{ord(name[0])}"

    assert bank.post("/payouts", payout(account, payee_account=account, payee_name=name))[0] == 200
    assert bank.get(f"/accounts/{account}")[1]["holder_name"] == name


# --- collections -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("balance", "allow_partial", "status", "collected", "left"),
    [
        ("150.00", False, "succeeded", "100.00", "50.00"),
        ("100.00", False, "succeeded", "100.00", "0.00"),
        ("99.99", False, "failed", "0.00", "99.99"),
        ("99.99", True, "succeeded", "99.99", "0.00"),
        (None, True, "failed", "0.00", "0.00"),
    ],
    ids=["plenty", "exact", "short", "short-partial", "empty-partial"],
)
def test_collection_takes_what_the_balance_allows(bank, balance, allow_partial, status, collected, left, request):
    account = f"collect-{request.node.callspec.id}"
    if balance:
        bank.fund(balance, account)

    code, answer = bank.post("/collections", collection(account, account=account, allow_partial=allow_partial))

    assert (code, answer["status"], answer["collected_amount"]) == (200, status, collected)
    assert answer["failure_code"] == (None if status == "succeeded" else "insufficient_funds")
    assert bank.balance(account) == left


def test_collection_file_is_booked_once_and_tells_each_item(bank):
    bank.fund("150.00", "file-a")
    bank.fund("20.00", "file-b")
    items = [
        collection("file-1", "100.00", "file-a", allow_partial=True),
        collection("file-2", "100.00", "file-a", allow_partial=True),
        collection("file-3", "30.00", "file-b"),
    ]
    accepted = bank.post("/collection-files", {"file_reference": "F1", "items": items})

    assert accepted == (200, {"file_reference": "F1", "status": "accepted"})
    assert bank.post("/collection-files", {"file_reference": "F1", "items": items}) == accepted
    status, result = bank.get("/collection-files/F1/result")
    told = [(item["reference"], item["status"], item["collected_amount"]) for item in result["items"]]
    assert status == 200
    assert told == [
        ("file-1", "succeeded", "100.00"),
        ("file-2", "succeeded", "50.00"),
        ("file-3", "failed", "0.00"),
    ]
    assert (bank.balance("file-a"), bank.balance("file-b")) == ("0.00", "20.00")
    assert bank.get("/payments/file-2")[1] == result["items"][1]
    assert bank.post("/collection-files", {"file_reference": "F1", "items": items[:1]})[0] == 409


def test_collection_already_made_is_not_made_again_by_a_file(bank):
    bank.fund("300.00", "twice")
    bank.post("/collections", collection("twice-1", account="twice"))

    bank.post("/collection-files", {"file_reference": "F2", "items": [collection("twice-1", account="twice")]})

    assert bank.get("/collection-files/F2/result")[1]["items"][0]["collected_amount"] == "100.00"
    assert bank.balance("twice") == "200.00"


def test_file_with_one_conflicting_item_is_taken_not_at_all(bank):
    bank.fund("300.00", "whole")
    bank.post("/collections", collection("whole-1", account="whole"))
    items = [collection("whole-2", account="whole"), collection("whole-1", "1.00", account="whole")]

    assert bank.post("/collection-files", {"file_reference": "F3", "items": items})[0] == 409

    assert bank.get("/collection-files/F3/result")[0] == 404
    assert bank.get("/payments/whole-2")[0] == 404
    assert bank.balance("whole") == "200.00"


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([], "items"),
        ("all", "items"),
        ([collection("a"), collection("a")], "items"),
        ([collection("a"), collection("b", "x")], "items[1].amount"),
        ([collection("a"), 7], "items[1]"),
    ],
)
def test_malformed_file_is_refused_whole(bank, items, field):
    status, answer = bank.post("/collection-files", {"file_reference": "F4", "items": items})

    assert (status, answer["field"]) == (422, field)
    assert bank.get("/collection-files/F4/result")[0] == 404
    assert bank.get("/payments/a")[0] == 404


# --- accounts --------------------------------------------------------------------------------------------
def test_flows_can_be_paged_and_dated(bank):
    for day in range(1, 6):
        body = {"reference": f"flow-{day}", "amount": f"{day}.00", "booked_on": f"2026-10-0{day}"}
        body |= {"counterparty_name": "批发市场", "counterparty_account": "88", "memo": "货款"}
        assert bank.post("/accounts/flow/credits", body)[0] == 200

    page = bank.get("/accounts/flow/flows?limit=2")[1]
    rest = bank.get(f"/accounts/flow/flows?limit=3&after_id={page['next_after_id']}")[1]

    assert [flow["amount"] for flow in page["flows"]] == ["1.00", "2.00"]
    assert [flow["balance"] for flow in rest["flows"]] == ["6.00", "10.00", "15.00"]
    assert rest["next_after_id"] is None
    some = bank.flows("flow", "?from=2026-10-02&to=2026-10-03")
    assert [flow["booked_on"] for flow in some] == ["2026-10-02", "2026-10-03"]
    assert (some[0]["counterparty_name"], some[0]["counterparty_account"]) == ("批发市场", "88")
    assert bank.get("/accounts/flow/flows?from=yesterday")[0] == 422
    assert bank.get("/accounts/flow/flows?limit=1001")[0] == 422


def test_credit_is_booked_once_per_reference(bank):
    credit = {"reference": "credit-1", "amount": "5.00", "booked_on": "2026-10-01"}

    assert bank.post("/accounts/credit/credits", credit) == bank.post("/accounts/credit/credits", credit)
    assert bank.post("/accounts/credit/credits", credit | {"booked_on": "2026-10-02"})[0] == 409
    assert bank.balance("credit") == "5.00"


def test_unknown_account_holds_nothing(bank):
    assert bank.get("/accounts/never-used")[1]["balance"] == "0.00"
    assert bank.flows("never-used") == []


# --- who may ask, and how --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/payouts"),
        ("POST", "/collections"),
        ("POST", "/collection-files"),
        ("GET", "/collection-files/F1/result"),
        ("GET", "/payments/P1"),
        ("GET", "/accounts/1"),
        ("POST", "/accounts/1/credits"),
        ("GET", "/accounts/1/flows"),
        ("GET", "/behaviours"),
        ("POST", "/behaviours"),
        ("DELETE", "/behaviours"),
    ],
)
def test_every_route_needs_the_token(bank, method, path):
    status, answer = bank.call(method, path, payout("stolen", payee_account="thief"), token="wrong")

    assert (status, answer["code"]) == (401, "unauthorized")
    assert bank.get("/payments/stolen")[0] == 404


def test_health_needs_no_token(bank):
    assert bank.call("GET", "/healthz", token="wrong") == (200, {"status": "ok"})


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/payouts", b"{", 400),
        ("POST", "/payouts", b"\xff", 400),
        ("POST", "/payouts", b"[" * 100_000, 400),
        ("POST", "/payouts", b"[]", 422),
        ("POST", "/nowhere", b"{}", 404),
        ("DELETE", "/payouts", None, 405),
        ("GET", "/accounts/6%202", None, 422),
    ],
)
def test_malformed_requests_are_told_so(bank, method, path, body, status):
    assert bank.call(method, path, body)[0] == status


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 99999999999\r\n", b"411"),
        (b"Content-Length: 99999999\r\n", b"413"),
        (b"Content-Length: -1\r\n", b"411"),
        (b"Transfer-Encoding: chunked\r\n", b"411"),
        (b"", b"411"),
    ],
)
def test_body_of_unknown_or_excessive_length_is_not_read(bank, head, status):
    with closing(socket.create_connection((bank.host, bank.port), timeout=5)) as raw:
        token = bank.token.encode()
        raw.sendall(b"POST /payouts HTTP/1.1\r\nAuthorization: Bearer " + token + b"\r\n" + head + b"\r\n")
        assert raw.makefile("rb").readline().split()[1] == status


# --- trouble on demand -----------------------------------------------------------------------------------
def test_timeout_neither_books_nor_answers(bank):
    bank.behave("timeout", {"payee_account": "tmo"}, times=1)

    bank.assert_no_answer("POST", "/payouts", payout("tmo-1", payee_account="tmo"), timeout=0.3)

    assert bank.get("/payments/tmo-1")[0] == 404
    assert bank.pay("tmo-1", payee_account="tmo")[1]["status"] == "succeeded"
    assert bank.balance("tmo") == "100.00"


def test_dropped_answer_leaves_a_booked_payment(bank):
    bank.behave("drop_after_booking", {"reference": "drop-1"}, times=2)

    bank.assert_no_answer("POST", "/payouts", payout("drop-1", payee_account="drop"))
    bank.assert_no_answer("POST", "/payouts", payout("drop-1", payee_account="drop"))

    assert bank.get("/payments/drop-1")[1]["status"] == "succeeded"
    assert bank.pay("drop-1", payee_account="drop")[0] == 200
    assert bank.balance("drop") == "100.00"


def test_error_500_books_nothing(bank):
    bank.behave("error_500", {"kind": "payout", "payee_account": "broken"}, times=1)

    assert bank.pay("broken-1", payee_account="broken")[0] == 500
    assert bank.get("/payments/broken-1")[0] == 404
    assert bank.balance("broken") == "0.00"


def test_delayed_payment_is_processing_until_its_answer(bank):
    bank.behave("delay", {"reference": "slow-1"}, seconds=0.6)
    with ThreadPoolExecutor() as pool:
        began_at = time.monotonic()
        slow = pool.submit(bank.pay, "slow-1", payee_account="slow")
        while (seen := bank.get("/payments/slow-1"))[0] == 404:
            assert time.monotonic() < began_at + 5
            time.sleep(0.02)
        assert (seen[1]["status"], seen[1]["booked_at"]) == ("processing", None)
        assert bank.balance("slow") == "0.00"
        status, answer = slow.result()

    assert time.monotonic() - began_at >= 0.6
    assert (status, answer["status"]) == (200, "succeeded")
    assert bank.balance("slow") == "100.00"


def test_processing_payment_settles_by_itself(bank):
    bank.behave("processing", {"payee_account": "wait"}, seconds=0.3)

    assert bank.pay("wait-1", payee_account="wait")[1]["status"] == "processing"
    assert bank.balance("wait") == "0.00"
    time.sleep(0.35)
    assert bank.get("/payments/wait-1")[1]["status"] == "succeeded"
    assert bank.balance("wait") == "100.00"


def test_clearing_behaviours_settles_what_they_held_back(bank):
    bank.fund("100.00", "held")
    bank.behave("processing", {"payee_account": "held"}, seconds=3600)
    bank.behave("processing", {"kind": "collection_file"}, seconds=3600)
    bank.pay("held-1", payee_account="held")
    bank.post("/collection-files", {"file_reference": "F5", "items": [collection("held-2", account="held")]})
    assert bank.get("/collection-files/F5/result") == (202, {"file_reference": "F5", "status": "processing"})

    assert bank.call("DELETE", "/behaviours")[1] == {"deleted": 2}

    assert bank.get("/payments/held-1")[1]["status"] == "succeeded"
    assert bank.get("/collection-files/F5/result")[1]["items"][0]["status"] == "succeeded"
    assert bank.get("/behaviours")[1] == {"behaviours": []}


@pytest.mark.parametrize("seconds", [0, 0.3], ids=["at-once", "later"])
def test_bounced_payment_fails_and_moves_nothing(bank, seconds):
    account = f"bounce-{seconds}".replace(".", "-")
    bank.behave("bounce", {"payee_account": account}, seconds=seconds, times=1)

    first = bank.pay(account, payee_account=account)[1]
    time.sleep(seconds * 1.2)
    later = bank.get(f"/payments/{account}")[1]

    assert first["status"] == ("processing" if seconds else "failed")
    assert (later["status"], later["failure_code"], later["booked_at"]) == ("failed", "bounced", None)
    assert bank.balance(account) == "0.00"
    assert bank.pay(account, payee_account=account)[1]["status"] == "failed", "the reference keeps its answer"


@pytest.mark.parametrize(
    ("allow_partial", "status", "collected"), [(True, "succeeded", "40.00"), (False, "failed", "0.00")]
)
def test_partial_debit_on_demand(bank, allow_partial, status, collected):
    account = f"part-{allow_partial}"
    bank.fund("500.00", account)
    bank.behave("partial", {"payer_account": account}, amount="40.00", times=1)

    answer = bank.post("/collections", collection(account, account=account, allow_partial=allow_partial))[1]

    assert (answer["status"], answer["collected_amount"]) == (status, collected)
    again = bank.post("/collections", collection(f"{account}-2", account=account))[1]
    assert again["collected_amount"] == "100.00"


def test_items_of_a_file_can_be_told_apart(bank):
    bank.fund("500.00", "apart")
    bank.behave("bounce", {"reference": "apart-1"})
    bank.behave("partial", {"reference": "apart-2"}, amount="7.00")
    items = [collection(f"apart-{number}", account="apart", allow_partial=True) for number in (1, 2, 3)]
    bank.post("/collection-files", {"file_reference": "F6", "items": items})

    result = bank.get("/collection-files/F6/result")[1]["items"]

    assert [item["failure_code"] for item in result] == ["bounced", None, None]
    assert [item["collected_amount"] for item in result] == ["0.00", "7.00", "100.00"]


def test_behaviours_apply_in_order_each_its_number_of_times(bank):
    bank.behave("bounce", {"payee_account": "order"}, times=2)
    bank.behave("processing", {"payee_account": "order"}, seconds=3600, times=1)

    told = [bank.pay(f"order-{number}", payee_account="order")[1]["status"] for number in range(4)]

    assert told == ["failed", "failed", "processing", "succeeded"]


def test_behaviour_touches_only_what_it_matches(bank):
    bank.fund("500.00", "match")
    bank.behave("bounce", {"kind": "collection", "payee_account": "match"})
    bank.behave("error_500", {"reference": "other"})

    assert bank.pay("match-1", payee_account="match")[1]["status"] == "succeeded"
    collected = bank.post("/collections", collection("match-2", account="match"))[1]
    assert collected["status"] == "succeeded", "both parts of a match must hold"


def test_trouble_with_an_order_does_not_spread_to_questions_about_it(bank):
    bank.behave("error_500", {"reference": "ask-1"})
    assert bank.pay("ask-1", payee_account="ask")[0] == 500
    assert bank.get("/payments/ask-1")[0] == 404

    bank.behave("error_500", {"kind": "query"}, times=1)
    assert bank.get("/payments/ask-1")[0] == 500
    assert bank.get("/payments/ask-1")[0] == 404


def test_lost_answer_and_a_bounce_can_come_together(bank):
    bank.behave("drop_after_booking", {"payee_account": "both"}, times=1)
    bank.behave("bounce", {"payee_account": "both"}, times=1)

    bank.assert_no_answer("POST", "/payouts", payout("both-1", payee_account="both"))

    assert bank.get("/payments/both-1")[1]["failure_code"] == "bounced"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"behaviour": "explode"}, "behaviour"),
        ({"behaviour": ["delay"]}, "behaviour"),
        ({"behaviour": "partial"}, "amount"),
        ({"behaviour": "delay", "seconds": -1}, "seconds"),
        ({"behaviour": "delay", "seconds": True}, "seconds"),
        ({"behaviour": "delay", "times": 0}, "times"),
        ({"behaviour": "delay", "match": {"refrence": "x"}}, "match.refrence"),
        ({"behaviour": "delay", "match": {"kind": "payouts"}}, "match.kind"),
        ({"behaviour": "delay", "match": {"kind": []}}, "match.kind"),
    ],
)
def test_behaviour_that_makes_no_sense_is_refused(bank, body, field):
    status, answer = bank.post("/behaviours", body)

    assert (status, answer["field"]) == (422, field)
    assert bank.get("/behaviours")[1] == {"behaviours": []}


# --- many at once ----------------------------------------------------------------------------------------
def test_one_reference_from_many_threads_is_paid_once(bank):
    barrier = threading.Barrier(8)

    def pay(_):
        barrier.wait()
        return bank.pay("race-1", payee_account="race")

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(pay, range(8)))

    assert answers == [answers[0]] * 8
    assert answers[0][1]["status"] == "succeeded"
    assert bank.balance("race") == "100.00"
    assert len(bank.flows("race")) == 1


def test_two_collections_cannot_both_have_the_same_money(bank):
    bank.fund("100.00", "compete")
    barrier = threading.Barrier(4)

    def collect(number):
        barrier.wait()
        return bank.post("/collections", collection(f"compete-{number}", "60.00", "compete"))[1]["status"]

    with ThreadPoolExecutor(4) as pool:
        told = sorted(pool.map(collect, range(4)))

    assert told == ["failed", "failed", "failed", "succeeded"]
    assert bank.balance("compete") == "40.00"


# --- the process -----------------------------------------------------------------------------------------
def test_answered_payment_survives_a_kill(own_bank):
    answered = own_bank.pay("kept-1")
    own_bank.kill()
    own_bank.start()

    assert own_bank.get("/payments/kept-1") == answered
    assert own_bank.pay("kept-1") == answered
    assert own_bank.balance() == "100.00"


def test_payment_the_bank_was_killed_over_is_settled_once(own_bank):
    own_bank.behave("delay", {"reference": "cut-1"}, seconds=0.5)
    with ThreadPoolExecutor() as pool:
        lost = pool.submit(own_bank.assert_no_answer, "POST", "/payouts", payout("cut-1"))
        while own_bank.get("/payments/cut-1")[0] == 404:
            time.sleep(0.02)
        own_bank.kill()
        lost.result()
    own_bank.start()
    time.sleep(0.5)

    assert own_bank.get("/payments/cut-1")[1]["status"] == "succeeded"
    assert own_bank.pay("cut-1")[1]["status"] == "succeeded"
    assert own_bank.balance() == "100.00"
    assert books_balance(own_bank)


def test_kills_at_any_moment_lose_and_double_nothing(own_bank):
    """Callers repeat each payment until they have an answer; the bank is killed under them again and again."""
    answered = []
    done = threading.Event()

    def caller(name):
        for number in range(200):
            if done.is_set():
                return
            while True:
                try:
                    answer = own_bank.pay(f"{name}-{number}", "1.00")
                except (OSError, http.client.HTTPException):
                    time.sleep(0.01)
                    continue
                assert answer[0] == 200
                assert answer[1]["status"] == "succeeded"
                answered.append(f"{name}-{number}")
                break

    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(caller, name) for name in ("a", "b")]
        for pause in (0.01, 0.035, 0.003, 0.05, 0.02, 0.001):
            time.sleep(pause)
            own_bank.kill()
            own_bank.start()
        done.set()
        for call in callers:
            call.result()

    assert len(answered) == len(set(answered)) > 0
    booked = own_bank.flows(query="?limit=1000")
    assert sorted(flow["reference"] for flow in booked) == sorted(answered)
    assert own_bank.balance() == f"{len(answered)}.00"
    assert books_balance(own_bank)


def test_behaviours_survive_a_kill(own_bank):
    own_bank.behave("bounce", {"payee_account": SHOP}, times=2)
    own_bank.pay("b-1")
    own_bank.kill()
    own_bank.start()

    assert [own_bank.pay(f"b-{number}")[1]["status"] for number in (2, 3)] == ["failed", "succeeded"]


def test_sigterm_ends_orderly_even_with_a_held_answer(own_bank):
    own_bank.behave("delay", {"reference": "term-1"}, seconds=60)
    with ThreadPoolExecutor() as pool:
        held = pool.submit(own_bank.pay, "term-1")
        while own_bank.get("/payments/term-1")[0] == 404:
            time.sleep(0.02)
        began_at = time.monotonic()
        assert own_bank.stop() == 0
        assert time.monotonic() - began_at < 3
        assert held.result()[1]["status"] == "processing", "it says what it knows before it goes"
    assert sorted(path.name for path in own_bank.folder.iterdir()) == ["bank.sqlite3"]
    assert (own_bank.folder / "bank.sqlite3").stat().st_mode & 0o077 == 0, "the books are the owner's alone"


def test_caller_that_hangs_up_frees_the_held_answer(own_bank):
    own_bank.behave("timeout", {})
    own_bank.assert_no_answer("POST", "/payouts", payout("gone-1"), timeout=0.1)
    threads = f"/proc/{own_bank.pid}/task"
    if not os.path.isdir(threads):
        pytest.skip("counts threads under /proc, which this system has not")
    until = time.monotonic() + 3
    while len(os.listdir(threads)) > 2 and time.monotonic() < until:
        time.sleep(0.05)
    assert len(os.listdir(threads)) <= 2, "main and listener only"


def test_starts_quickly(tmp_path):
    """Under 0.3 s from nothing, in processor time (start and stop together): the machine may be busy otherwise."""
    took = []
    for number in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        with Bank(tmp_path / str(number)) as bank:
            assert bank.get("/healthz")[0] == 200
            bank.stop()
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert 0 < min(took) < 0.3


def test_taken_port_and_missing_token_are_told(own_bank, tmp_path):
    def run(token):
        command = [sys.executable, "-m", "branch.sandbox_bank", "--port", str(own_bank.port)]
        environment = {**os.environ, "CORE_BANK_TOKEN": token}
        command += ["--data", str(tmp_path / "second")]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=10)

    taken, missing = run("sandbox"), run("")
    assert (taken.returncode, missing.returncode) == (1, 2)
    assert f"Cannot listen on 127.0.0.1:{own_bank.port}" in taken.stderr
    assert "CORE_BANK_TOKEN is not set" in missing.stderr


def test_log_names_routes_and_never_accounts(tmp_path):
    log = tmp_path / "log"
    with log.open("w") as stream, Bank(tmp_path / "own", log=stream) as bank:
        bank.pay("logged-1")
        bank.get(f"/accounts/{SHOP}/flows")
        bank.get(f"/accounts/{quote('王记')}")
        bank.post("/payouts", payout("logged-2") | {"payee_account": f"{SHOP} x"})
    written = log.read_text()
    assert "POST /payouts 200" in written
    assert "GET /accounts/{number}/flows 200" in written
    assert SHOP not in written
    assert "王记" not in written


def test_needs_nothing_but_the_standard_library():
    """Neither Django nor any installed package: `-I -S` leaves the site-packages out."""
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import branch.sandbox_bank.__main__; print('alone')"
    ran = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, timeout=10)
    assert ran.stdout == "alone\n", ran.stderr


def test_interrupt_from_the_keyboard_ends_it_too(own_bank):
    os.kill(own_bank.pid, signal.SIGINT)
    assert own_bank.wait() == 0


def test_books_date_by_the_calendar_of_china(tmp_path):
    eight_pm_utc = 1_795_464_000.0  # 2026-11-23 20:00 UTC is the 24th in China
    books = Books(tmp_path, lambda: eight_pm_utc)
    answer = books.receive(shapes.payout(payout("dated-1"))).view
    books.close()

    assert answer is not None
    assert answer["business_date"] == "2026-11-24"
    assert answer["booked_at"] == "2026-11-23T20:00:00.000+00:00"
