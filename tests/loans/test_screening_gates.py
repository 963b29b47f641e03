"""An open hit stops a file where money comes nearer, in the service; once cleared it goes on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Authority
from approvals.services import reviews
from branch.domain.actor import system_actor
from branch.domain.refusals import Unmet
from branch.models import PaymentInstruction
from customers.models import RecordImport, ScreeningHit
from customers.services import imports, screening, screening_hits, watchlists
from loans.models import LoanRequest
from loans.services import facilities, loan_requests, payouts
from tests.life import Life, set_up_branch
from tests.loans.given import SUCCEEDED, instruction_of

#: The step that is stopped, and the one before it.
GATES = {
    "submit": "draft",
    "send_to_review": "sign_by_second",
    "give_opinion": "claim_opinion",
    "decide": "claim_decision",
    "accept_offer": "decide",
    "generate_contract": "accept_offer",
    "sign_contract": "generate_contract",
    "make_effective": "meet_condition",
    "request_drawdown": "make_effective",
    "check_drawdown": "request_drawdown",
    "release_drawdown": "check_drawdown",
}


def list_name(cast: SimpleNamespace, name: str) -> None:
    zhou = cast.actor("zhou")
    watchlist = watchlists.create_watchlist(actor=zhou, code="court", name="失信名单", kind="dishonest_debtor")
    sent = watchlists.send_list(actor=zhou, watchlist_id=watchlist.pk, rows=[{"name": name}], start=True)
    imports.run_import(sent.pk)


def hit_of(cast: SimpleNamespace, thing: Any) -> ScreeningHit:
    """A hit of the thing's customer that is on record already, as after a night."""
    customer = thing.customer
    list_name(cast, customer.name)
    screening.screen_again(actor=system_actor(), customer_id=customer.pk, moment="book")
    return ScreeningHit.objects.get(customer=customer)


@pytest.fixture
def life(cast):
    set_up_branch(cast)
    return Life(cast.actor)


@pytest.fixture
def loan(life):
    """Paid out, as if the bank had answered at once."""
    instruction = instruction_of(life.walk().drawdown)
    PaymentInstruction.objects.filter(pk=instruction.pk).update(state="sent")
    payouts.record_payout_answer(instruction_id=instruction.pk, answer=SUCCEEDED)
    return life.loan


@pytest.mark.parametrize("step", GATES)
def test_a_name_listed_meanwhile_stops_the_next_step(cast, monkeypatch, step):
    sent: list[tuple] = []
    monkeypatch.setattr(screening, "at_once", lambda *call: sent.append(call))
    set_up_branch(cast)
    life = Life(cast.actor).walk(GATES[step])
    list_name(cast, life.customer.name)
    assert RecordImport.objects.latest("pk").state == "done"

    with pytest.raises(Unmet) as refused:
        getattr(life, step)()
    assert refused.value.facts == {"screening": {"open": 1, "confirmed": 0}}
    assert not ScreeningHit.objects.exists(), "it went with the refused step"
    (_task, customer_id, moment) = sent[-1]
    assert screening.screen_again(actor=system_actor(), customer_id=customer_id, moment=moment) == 1

    hit = ScreeningHit.objects.get(customer=life.customer)
    screening_hits.propose_hit(actor=cast.actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="查过")
    with pytest.raises(Unmet):
        getattr(life, step)()
    screening_hits.clear_hit(actor=cast.actor("he"), screening_hit_id=hit.pk, reason="同意")
    getattr(life, step)()
    assert life.customer.screening_hits.get().state == "cleared"


@pytest.mark.parametrize("kind", ["opinion", "decision"])
@pytest.mark.parametrize("outcome", ["declined", "returned"])
def test_a_file_goes_away_from_the_money_with_a_hit_open(cast, life, kind, outcome):
    life.walk(f"claim_{kind}")
    hit_of(cast, life)
    who, service = {"opinion": ("sun", reviews.give_opinion), "decision": ("qian", reviews.decide)}[kind]
    service(actor=cast.actor(who), review_stage_id=life.stage(kind).pk, outcome=outcome, reason="先不批")
    assert life.stage(kind).outcome == outcome


def test_a_declined_file_is_not_brought_back_with_a_hit(cast, life):
    life.walk("claim_decision")
    reviews.decide(
        actor=cast.actor("qian"), review_stage_id=life.stage("decision").pk, outcome="declined", reason="不批"
    )
    hit_of(cast, life)
    Authority.objects.create(
        user=cast.zhou, office=cast.offices.CD, limit_amount=Decimal("1000000"), effective_date=date(2020, 1, 1),
        granted_by=cast.qian,
    )  # fmt: skip
    with pytest.raises(Unmet) as refused:
        reviews.override_decline(actor=cast.actor("zhou"), application_id=life.application.pk, reason="再议")
    assert refused.value.facts == {"screening": {"open": 1, "confirmed": 0}}
    assert life.application.state == "declined"


def test_a_line_is_lowered_and_frozen_but_neither_raised_nor_unfrozen(cast, life):
    life.walk("make_effective")
    hit_of(cast, life)
    zhou, line = cast.actor("zhou"), life.facility.pk

    def limit(amount: int) -> None:
        facilities.change_facility_limit(actor=zhou, facility_id=line, limit_amount=Decimal(amount), reason="调整")

    limit(200_000)
    facilities.freeze_facility(actor=zhou, facility_id=line, reason="名单")
    with pytest.raises(Unmet):
        limit(250_000)
    with pytest.raises(Unmet):
        facilities.unfreeze_facility(actor=zhou, facility_id=line, reason="恢复")
    life_line = life.facility
    assert (life_line.state, life_line.limit_amount) == ("frozen", Decimal(200_000))


def test_terms_of_a_loan_wait_and_money_is_still_booked(cast, loan):
    he, zhou = cast.actor("he"), cast.actor("zhou")
    asked = loan_requests.request_extension(actor=he, loan_id=loan.pk, extra_instalments=2, reason="周转慢")
    hit_of(cast, loan)
    for ask in (
        lambda: loan_requests.request_restructuring(actor=he, loan_id=loan.pk, extra_instalments=2, reason="困难"),
        lambda: loan_requests.request_principal_grace(actor=he, loan_id=loan.pk, principal_grace=1, reason="困难"),
        lambda: loan_requests.confirm_loan_request(actor=zhou, loan_request_id=asked.pk),
    ):
        with pytest.raises(Unmet):
            ask()
    assert LoanRequest.objects.get().state == "requested"
    loan_requests.request_fee(actor=he, loan_id=loan.pk, amount=Decimal("10"), reason="函证费")
    loan_requests.refuse_loan_request(actor=zhou, loan_request_id=asked.pk, reason="名单")


def locked(statements: list[str]) -> list[str]:
    """The tables whose rows were locked, in order, each once."""
    tables = [text.split(' FROM "')[1].split('"')[0] for text in statements if " FOR " in text and "UPDATE" in text]
    return list(dict.fromkeys(tables))


def test_a_customer_is_locked_after_its_file_and_before_its_loans(cast, loan):
    he, zhou = cast.actor("he"), cast.actor("zhou")

    def tables(step: Callable[[], object]) -> list[str]:
        with CaptureQueriesContext(connection) as queries:
            step()
        return locked([query["sql"] for query in queries])

    ask = tables(
        lambda: loan_requests.request_extension(actor=he, loan_id=loan.pk, extra_instalments=2, reason="周转慢")
    )
    assert ask.index("customers_customer") < ask.index("loans_loan")
    request = LoanRequest.objects.get()
    confirm = tables(lambda: loan_requests.confirm_loan_request(actor=zhou, loan_request_id=request.pk))
    assert confirm.index("loans_loanrequest") < confirm.index("customers_customer") < confirm.index("loans_loan")


def test_the_page_and_the_api_say_why(cast, life, client):
    life.walk("claim_decision")
    hit = hit_of(cast, life)
    client.force_login(cast.sun)
    at = f"/review-stages/{life.stage('decision').pk}/"
    page = client.get(at, headers={"accept-language": "en"}).content.decode()
    assert "Show the hits" in page
    assert "resembles somebody on a watchlist" in page
    client.force_login(cast.qian)
    page = client.get(at, headers={"accept-language": "en"}).content.decode()
    assert "resembles somebody on a watchlist" in page
    assert "Show the hits" not in page, "an approver reads that there is a hit, and not which"
    answer = client.post(
        f"/api/v1/review-stages/{life.stage('decision').pk}/decide/",
        {"outcome": "approved", "reason": "同意"},
        content_type="application/json",
    )
    assert answer.status_code == 409
    assert answer.json()["screening"] == {"open": 1, "confirmed": 0}
    assert life.stage("decision").state == "claimed"
    screening_hits.propose_hit(actor=cast.actor("sun"), screening_hit_id=hit.pk, outcome="clear", reason="查过")
    screening_hits.clear_hit(actor=cast.actor("he"), screening_hit_id=hit.pk, reason="同意")
    assert "on a watchlist" not in client.get(at, headers={"accept-language": "en"}).content.decode()
