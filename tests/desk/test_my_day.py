"""What waits for whom: every role's own work, nobody else's, at a fixed price."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from branch.web.noun import NOUNS
from customers.models import Lead
from desk.queries.my_day import PILES, SHOWN, my_day
from loans.models import Application, Loan
from loans.services import products
from postloan.models import Inspection, WarningCase
from tests.cast import OPENING
from tests.life import set_up_branch
from tests.loans.making import OFFER
from tests.postloan.making import make_loan


def waits(cast, username: str, today: date = OPENING) -> dict[str, int]:
    return {work.code: work.total for work in my_day(cast.actor(username), today)}


#: After which step whose day shows what. Only the named pile is claimed; others may stand beside it.
STEPS = (
    ("draft", "lin", "drafts"),
    ("start_investigation", "lin", "to_sign_first"),
    ("sign_by_owner", "zhao", "to_sign_second"),
    ("sign_by_second", "lin", "to_send_in"),
    ("send_to_review", "sun", "to_review"),
    ("give_opinion", "qian", "to_review"),
    ("decide", "lin", "offers"),
    ("accept_offer", "lin", "to_contract"),
    ("generate_contract", "lin", "to_sign_contract"),
    ("sign_contract", "wu", "conditions"),
    ("make_effective", "lin", "to_draw"),
    ("request_drawdown", "wu", "to_release"),
)


@pytest.mark.parametrize(("step", "username", "pile"), STEPS)
def test_a_file_waits_for_the_person_whose_turn_it_is(cast, life, step, username, pile) -> None:
    life(step)
    assert waits(cast, username)[pile] == 1


@pytest.mark.parametrize(("step", "username", "pile"), STEPS)
def test_nothing_of_it_is_seen_from_another_branch(cast, life, step, username, pile) -> None:
    life(step)
    assert waits(cast, "outsider") == {}


def test_a_step_done_leaves_the_pile(cast, life) -> None:
    one = life("sign_by_owner")
    assert "to_sign_second" in waits(cast, "zhao")
    one.sign_by_second()
    assert "to_sign_second" not in waits(cast, "zhao")


def test_a_claimed_file_waits_for_nobody_else(cast, life) -> None:
    life("claim_opinion")
    assert waits(cast, "sun")["to_review"] == 1
    assert "to_review" not in waits(cast, "qian")


def test_a_returned_file_says_why(cast, life) -> None:
    one = life("send_to_review")
    Application.objects.filter(pk=one.application.pk).update(state="returned", outcome_reason="补三个月水费单")
    work = next(work for work in my_day(cast.actor("lin"), OPENING) if work.code == "returned")
    assert work.lines[0].what == "补三个月水费单"
    assert work.lines[0].url == f"/applications/{one.application.pk}/"


def test_leads_to_call_are_hers_and_due(cast) -> None:
    def lead(name: str, owner, on: date | None) -> None:
        Lead.objects.create(
            name=name, contact_name="陈", source="visit", owner=owner, office=owner.office, next_action_date=on
        )

    cast.lin.office = cast.zhao.office = cast.offices.CD
    lead("今天", cast.lin, OPENING)
    lead("昨天", cast.lin, OPENING - timedelta(days=1))
    lead("明天", cast.lin, OPENING + timedelta(days=1))
    lead("别人", cast.zhao, OPENING)
    work = next(work for work in my_day(cast.actor("lin"), OPENING) if work.code == "leads")
    assert [(line.name, line.late) for line in work.lines] == [("昨天", True), ("今天", False)]


def test_what_happens_after_the_money_is_out(cast) -> None:
    # Given an overdue loan of Lin's with an inspection due and a severe warning nobody works on
    set_up_branch(cast)
    loan = make_loan(cast, 1)
    Loan.objects.filter(pk=loan.pk).update(days_past_due=4)
    Inspection.objects.create(
        customer=loan.customer, loan=loan, owner=loan.owner, office=loan.office, sequence=9, due_date=OPENING
    )
    WarningCase.objects.create(
        number="EW-1", customer=loan.customer, owner=loan.owner, office=loan.office, level="red", opened_on=OPENING
    )
    # Then each person sees their part of it
    mine = waits(cast, loan.owner.username)
    assert {mine["own_overdue"], mine["own_cases"], mine["inspections_due"]} == {1}
    assert waits(cast, "he")["loose_cases"] == 1
    assert waits(cast, "he")["overdue"] == 1
    assert waits(cast, "zhou")["overdue"] == 1
    assert "overdue" not in waits(cast, "sun")
    assert waits(cast, "outsider") == {}


def test_the_most_severe_warning_comes_first(cast) -> None:
    set_up_branch(cast)
    for serial, level in enumerate(("blue", "red", "yellow"), start=1):
        loan = make_loan(cast, serial)
        WarningCase.objects.create(
            number=f"EW-{serial}",
            customer=loan.customer,
            owner=loan.owner,
            office=loan.office,
            level=level,
            opened_on=OPENING,
        )
    work = next(work for work in my_day(cast.actor("he"), OPENING) if work.code == "loose_cases")
    assert [line.level for line in work.lines] == ["red", "yellow", "blue"]


def test_a_policy_waits_for_a_second_person_only(cast) -> None:
    product = products.create_product(
        actor=cast.actor("zhou"), code="ST", name_zh="短期", name_en="Short", family="short_term"
    )
    version = products.draft_product_version(actor=cast.actor("zhou"), product_id=product.pk, **OFFER)
    products.submit_product_version(actor=cast.actor("zhou"), product_version_id=version.pk)
    assert waits(cast, "qian")["products"] == 1
    assert "products" not in waits(cast, "zhou")


def test_a_long_pile_says_how_many_more_and_costs_no_more(cast) -> None:
    def make(count: int) -> None:
        Lead.objects.bulk_create(
            Lead(name=f"店{n}", contact_name="陈", source="visit", owner=cast.lin, office=cast.offices.CD)
            for n in range(count)
        )

    def cost() -> tuple[int, int]:
        actor = cast.actor("lin")
        with CaptureQueriesContext(connection) as seen:
            work = next(work for work in my_day(actor, OPENING) if work.code == "leads")
        return len(seen), work.more

    make(1)
    few, more = cost()
    assert more == 0
    make(SHOWN + 9)
    assert cost() == (few, 10)


def test_the_page_shows_the_piles_with_their_links(cast, life, sits) -> None:
    one = life("send_to_review")
    html = sits("sun").get("/").content.decode()
    assert f'href="/review-stages/{one.stage("opinion").pk}/"' in html
    assert one.name in html
    assert "h left" in html, "the file's clock"


def test_an_empty_day_says_so(sits) -> None:
    assert "Nothing waits for you today." in sits("lin").get("/").content.decode()


def test_every_pile_leads_to_a_list_that_opens(cast, sits) -> None:
    owners = {"lin", "zhao", "sun", "qian", "wu", "he"}
    browsers = {name: (cast.actor(name).roles, sits(name)) for name in owners}
    for pile in PILES:
        noun = NOUNS[pile.noun]
        for roles, browser in browsers.values():
            if roles & pile.roles:
                assert browser.get(f"{noun.url()}?{pile.query}").status_code == 200, pile.code


def test_a_visitor_is_asked_to_sign_in(client, cast) -> None:
    assert client.get("/").headers["Location"].startswith("/accounts/login/")
