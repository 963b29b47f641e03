"""The pages and API of lines, drawdowns, loans, repayments and payments: what each shows, to whom, and what it does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from branch.models import FileDuty, ParameterValue, PaymentInstruction
from loans.models import Drawdown, Facility, Loan, Repayment
from loans.queries.loans import payoff_figure
from loans.services import payouts
from tests.loans.given import (
    AMOUNT,
    PAYEE,
    SUCCEEDED,
    checked_drawdown,
    effective_line,
    everything,
    instruction_of,
    move_to,
    paid_out_loan,
    released_drawdown,
    signed_line,
)

ACCOUNT = PAYEE["payee_account"]


@pytest.fixture
def visitor(cast: SimpleNamespace) -> Callable[[str], Client]:
    """A browser somebody is signed in with; nobody needs a second factor."""
    ParameterValue.objects.create(code="mfa.required_roles", value=[], effective_date=date(2020, 1, 1))

    def signed_in(username: str) -> Client:
        client = Client(headers={"accept-language": "en"})
        client.force_login(getattr(cast, username), backend="django.contrib.auth.backends.ModelBackend")
        return client

    return signed_in


@pytest.fixture
def api(cast: SimpleNamespace) -> Callable[[str], APIClient]:
    def signed_in(username: str) -> APIClient:
        client = APIClient()
        client.force_authenticate(getattr(cast, username))
        return client

    return signed_in


def text_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- pages


def test_every_page_opens_for_its_readers_and_for_nobody_else(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    move_to(loan.instalments.get(number=1).due_date)
    client = visitor("he")
    client.post(f"/loans/{loan.pk}/repay/", {"amount": "100,000.00", "reference": "R-1"})
    booked = Repayment.objects.get()
    payment = instruction_of(loan.drawdown)
    places = {
        f"/facilities/{loan.drawdown.facility_id}/": "wu he lin zhou feng",
        f"/drawdowns/{loan.drawdown_id}/": "wu he lin zhou feng",
        f"/loans/{loan.pk}/": "wu he lin sun qian zhou feng",
        f"/repayments/{booked.pk}/": "he lin zhou feng",
        f"/payments/{payment.pk}/": "wu zhou feng",
        "/facilities/": "wu he lin zhou feng",
        "/drawdowns/": "wu he lin zhou feng",
        "/loans/": "wu he lin sun qian zhou feng",
        "/repayments/": "he lin zhou feng",
        "/payments/": "wu he zhou feng",
    }
    for path, readers in places.items():
        for who in ["lin", "zhao", "sun", "qian", "wu", "zhou", "he", "feng", "outsider"]:
            answer = visitor(who).get(path)
            expected = who in readers.split() or (who == "wu" and "repayments" in path)  # Wu is an accountant, too
            if path.count("/") == 2 and who == "outsider":
                # An account manager elsewhere may open his own lists; nothing of this office is in them.
                assert loan.number not in text_of(answer)
                assert "HT-2026" not in text_of(answer)
                continue
            assert (answer.status_code == 200) is expected, (path, who, answer.status_code)
            if not expected:
                assert answer.status_code in (403, 404)
                assert "HT-2026" not in text_of(answer)


def test_no_page_shows_an_account_number(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    payment = instruction_of(loan.drawdown)
    paths = ["/drawdowns/", f"/drawdowns/{loan.drawdown_id}/", "/payments/", f"/payments/{payment.pk}/"]
    for path in [*paths, "/drawdowns/export.csv", "/payments/export.csv"]:
        answer = visitor("feng").get(path)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        assert answer.status_code == 200
        assert ACCOUNT.encode() not in content
    assert "ending in 0001" in text_of(visitor("feng").get(f"/drawdowns/{loan.drawdown_id}/"))


def test_the_release_button_says_how_much(cast: SimpleNamespace, visitor: Any) -> None:
    drawdown = checked_drawdown(cast)
    assert "Release 300,000.00" in text_of(visitor("wu").get(f"/drawdowns/{drawdown.pk}/"))
    for who in ("lin", "zhou", "he"):
        assert "Release 300,000.00" not in text_of(visitor(who).get(f"/drawdowns/{drawdown.pk}/"))


def test_the_officer_releases_on_the_page(cast: SimpleNamespace, visitor: Any) -> None:
    drawdown = checked_drawdown(cast)
    client = visitor("wu")
    form = {"version": drawdown.version, "idempotency_key": "once"}
    assert client.get(f"/drawdowns/{drawdown.pk}/release/").status_code == 200
    for _ in range(2):
        answer = client.post(f"/drawdowns/{drawdown.pk}/release/", form)
        assert answer.status_code == 302
    assert Drawdown.objects.get().state == "disbursing"
    assert PaymentInstruction.objects.count() == 1


def test_the_loan_page_tells_what_is_due_and_what_pays_it_off(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    first = loan.instalments.get(number=1)
    move_to(first.due_date)
    shown = text_of(visitor("he").get(f"/loans/{loan.pk}/"))
    assert f"{first.principal + first.interest:,.2f}" in shown
    assert f"{payoff_figure(loan, first.due_date):,.2f}" in shown
    assert "0 of 12 instalments are paid" in shown
    assert "Book a repayment" in shown
    assert "Book a repayment" not in text_of(visitor("wu").get(f"/loans/{loan.pk}/"))  # released this very money


def test_a_refused_booking_keeps_what_was_typed(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    before = everything()
    answer = visitor("he").post(f"/loans/{loan.pk}/repay/", {"amount": "1.00", "reference": "R-9", "pay_off": "on"})
    assert answer.status_code == 400
    assert "Today it takes exactly 300,000.00 to pay off." in text_of(answer)
    assert 'value="R-9"' in text_of(answer)
    assert everything() == before


def test_the_pay_off_of_another_day_is_answered_on_the_page(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    before = everything()
    answer = visitor("lin").post(f"/loans/{loan.pk}/payoff/", {"on_date": "2026-03-18"})
    assert answer.status_code == 200
    assert "300,600.00" in text_of(answer)
    assert everything() == before


def test_the_desk_lists_what_is_due_and_books_by_loan_number(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    client = visitor("he")
    assert "Due today and late" not in text_of(client.get("/repayments/"))
    move_to(loan.instalments.get(number=1).due_date)
    assert loan.number in text_of(client.get("/repayments/"))

    answer = client.post("/repayments/create/", {"loan_id": loan.number, "amount": "500.00", "reference": "S-1"})
    assert answer.status_code == 302
    assert answer.url == f"/repayments/{Repayment.objects.get().pk}/"

    answer = client.post("/repayments/create/", {"loan_id": "nothing", "amount": "500.00", "reference": "S-2"})
    assert answer.status_code == 422
    assert "There is no loan with this number." in text_of(answer)


def test_lists_take_the_same_queries_whatever_their_length(
    cast: SimpleNamespace, visitor: Any, django_assert_max_num_queries: Any
) -> None:
    client = visitor("zhou")
    for serial in range(1, 4):
        paid_out_loan(cast, serial=serial)
    for path in ("/facilities/", "/drawdowns/", "/loans/", "/payments/"):
        assert client.get(path).status_code == 200
        with django_assert_max_num_queries(25) as few:
            client.get(path)
        counted = len(few.captured_queries)
        for serial in range(4, 7):
            if not Loan.objects.filter(number=f"HT-2026-{serial:06d}-L1").exists():
                paid_out_loan(cast, serial=serial)
        with django_assert_max_num_queries(counted):
            client.get(path)


# --- API


def test_the_life_of_a_loan_over_the_api(cast: SimpleNamespace, api: Any) -> None:
    line = signed_line(cast)
    wu, lin, he = api("wu"), api("lin"), api("he")

    asked = lin.post(f"/api/v1/facilities/{line.pk}/request-drawdown/", {"amount": "300000.00", **PAYEE}, format="json")
    assert asked.status_code == 201
    assert asked.data["state"] == "requested"
    assert asked.data["payee_account"].endswith("0001")
    assert ACCOUNT not in str(asked.data)
    drawdown = f"/api/v1/drawdowns/{asked.data['id']}"

    assert wu.post(f"{drawdown}/release/").status_code == 409
    assert wu.post(f"/api/v1/facilities/{line.pk}/make-effective/").data["state"] == "effective"
    assert wu.post(f"{drawdown}/check/").data["allowed_actions"] == ["release", "refuse"]
    released = wu.post(f"{drawdown}/release/", headers={"If-Match": '"2"'})
    assert (released.status_code, released.data["state"]) == (200, "disbursing")
    again = wu.post(f"{drawdown}/release/")
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[-1]) == (409, "wrong-state")
    order = instruction_of(Drawdown.objects.get())
    PaymentInstruction.objects.update(state="sent")

    payouts.record_payout_answer(instruction_id=order.pk, answer=SUCCEEDED)

    loan = he.get("/api/v1/loans/?state=active").data["results"][0]
    assert "instalments" not in loan
    loan = he.get(f"/api/v1/loans/{loan['id']}/").data
    assert (len(loan["instalments"]), loan["owed"]["payoff_amount"]) == (12, "300000.00")
    assert he.get(drawdown + "/").data["loan"] == loan["id"]

    refused = wu.post(f"/api/v1/loans/{loan['id']}/repay/", {"amount": "1.00", "reference": "X"}, format="json")
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (403, "separation-of-duties")
    body = {"loan_id": loan["id"], "amount": "300000.00", "reference": "OFF-1", "pay_off": True}
    booked = he.post("/api/v1/repayments/", body, format="json")
    assert booked.status_code == 201
    assert (booked.data["principal"], booked.data["loan_state"]) == ("300000.00", "settled")
    assert he.post("/api/v1/repayments/", body, format="json").data["id"] == booked.data["id"]
    other = he.post("/api/v1/repayments/", body | {"amount": "1.00"}, format="json")
    assert (other.status_code, other.json()["type"].rsplit("/", 1)[-1]) == (409, "idempotency-key-reused")
    assert Loan.objects.get().state == "settled"


def test_a_release_with_an_open_condition_names_it(cast: SimpleNamespace, api: Any) -> None:
    line = signed_line(cast, conditions=("营业执照",))
    asked = api("lin").post(
        f"/api/v1/facilities/{line.pk}/request-drawdown/", {"amount": "1.00", **PAYEE}, format="json"
    )
    before = everything()
    answer = api("wu").post(f"/api/v1/drawdowns/{asked.data['id']}/release/")
    assert answer.status_code == 409
    assert answer.json()["type"].rsplit("/", 1)[-1] == "precondition-unmet"
    assert [row["title"] for row in answer.json()["open_conditions"]] == ["营业执照"]
    assert everything() == before


def test_another_branch_learns_nothing(cast: SimpleNamespace, api: Any) -> None:
    loan = paid_out_loan(cast)
    outsider = api("outsider")
    before = everything()
    for path in (f"facilities/{loan.drawdown.facility_id}", f"drawdowns/{loan.drawdown_id}", f"loans/{loan.pk}"):
        answer = outsider.get(f"/api/v1/{path}/")
        assert answer.status_code == 404
        assert "HT-2026" not in str(answer.content)
    for path in (f"loans/{loan.pk}/repay", f"drawdowns/{loan.drawdown_id}/release"):
        assert outsider.post(f"/api/v1/{path}/", {}, format="json").status_code == 404
    assert outsider.get("/api/v1/loans/").data["results"] == []
    assert outsider.get("/api/v1/repayments/").data["results"] == []
    assert everything() == before


def test_a_debit_is_ordered_over_the_api(cast: SimpleNamespace, api: Any) -> None:
    loan = paid_out_loan(cast)
    move_to(loan.instalments.get(number=1).due_date)
    he = api("he")
    ordered = he.post(f"/api/v1/loans/{loan.pk}/collect/", {"amount": "100.00"}, format="json")
    assert ordered.status_code == 201
    assert (ordered.data["kind"], ordered.data["state"], ordered.data["amount"]) == ("collection", "created", "100.00")
    assert loan.customer.repayment_account not in str(ordered.data)
    assert he.get(f"/api/v1/payments/{ordered.data['id']}/").status_code == 200
    assert he.post(f"/api/v1/loans/{loan.pk}/collect/").status_code == 409


def test_the_pay_off_figure_over_the_api(cast: SimpleNamespace, api: Any) -> None:
    loan = paid_out_loan(cast)
    answer = api("feng").post(f"/api/v1/loans/{loan.pk}/payoff/", {"on_date": "2026-03-18"}, format="json")
    assert answer.status_code == 200
    assert (answer.data["interest_accrued"], answer.data["amount"]) == ("600.00", "300600.00")


def test_limits_stand_in_the_answer(cast: SimpleNamespace, api: Any) -> None:
    line = effective_line(cast)
    released_drawdown(cast, line, Decimal("100000.00"))
    answer = api("wu").get(f"/api/v1/facilities/{line.pk}/").data
    assert (answer["drawn_amount"], answer["undrawn_amount"]) == ("100000.00", "200000.00")
    assert Facility.objects.get().limit_amount == AMOUNT
    assert FileDuty.objects.filter(user_id=cast.wu.pk).count() == 1


def test_a_customer_page_shows_lines_and_loans_to_whom_they_are_open(cast: SimpleNamespace, visitor: Any) -> None:
    loan = paid_out_loan(cast)
    path = f"/customers/{loan.customer_id}/"
    for who in ("lin", "he", "feng"):
        assert loan.number in text_of(visitor(who).get(path))
    assert loan.number not in text_of(visitor("zhao").get(path))
